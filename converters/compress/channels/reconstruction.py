"""Reconstruction: each block makes up, as far as it can, for the channels it no longer has.

He, Zhang and Sun, "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV 2017: least
squares on the activations of some images, block after block, without a gradient. A block is
fitted on what the narrowed blocks before it really give, so it also corrects what they lost.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.compress.channels.blocks import Block

_RIDGE = 1e-3
"""Added to the diagonal, in parts of its mean: few images leave channels all but dependent."""

_BATCH = 16

Activations = NDArray[np.float32]


def reconstruct(
    narrowed: Any, model: Any, blocks: tuple[Block, ...], inputs: Activations
) -> Iterator[Block]:
    """Fit the projections of ``narrowed`` in place, yielding each block when it is done.

    Afterwards what leaves a block has the mean of that in ``model`` and is as close to it as
    least squares bring it. Where the removed channels were never read, nothing changes.

    Args:
        narrowed: what :func:`converters.compress.channels.blocks.narrow` made of ``model``.
        model: the whole network; not changed.
        blocks: those of ``model``, in order.
        inputs: float32 [n, h, w, 3] in [-1, 1], n ≥ 1.
    """
    part = tf.keras().Model
    wanted = given = inputs
    whole_entry, narrow_entry = model.input, narrowed.input
    for block in blocks:
        whole_exit, narrow_exit = _exit(model, block), _exit(narrowed, block)
        read = narrowed.get_layer(block.layer("project")).input
        wanted = _run(part(whole_entry, whole_exit), wanted)
        _fit(narrowed, block, part(narrow_entry, [read, narrow_exit]), given, wanted)
        given = _run(part(narrow_entry, narrow_exit), given)
        whole_entry, narrow_entry = whole_exit, narrow_exit
        yield block


def _exit(model: Any, block: Block) -> Any:
    """The tensor that leaves a block, after its shortcut where it has one."""
    shortcut = block.layer("add")
    has_one = any(layer.name == shortcut for layer in model.layers)
    return model.get_layer(shortcut if has_one else block.layer("project_BN")).output


def _batches(count: int) -> Iterator[slice]:
    for start in range(0, count, _BATCH):
        yield slice(start, start + _BATCH)


def _run(part: Any, inputs: Activations) -> Activations:
    found = [part(inputs[rows], training=False).numpy() for rows in _batches(len(inputs))]
    return np.concatenate(found)


def _fit(narrowed: Any, block: Block, part: Any, given: Activations, wanted: Activations) -> None:
    """Change projection and BatchNorm of one block.

    ``part`` gives, for what enters the block, what the projection reads, [n, h, w, channels], and
    what leaves the block, [n, h, w, c].
    """
    project = narrowed.get_layer(block.layer("project"))
    norm = narrowed.get_layer(block.layer("project_BN"))
    (kernel,) = project.get_weights()
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    gain = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale != 0)  # 0: never heard
    sums = _Sums(kernel.shape[2], len(scale))
    for rows in _batches(len(given)):
        read, left = part(given[rows], training=False)
        sums.add(read.numpy(), (wanted[rows] - left.numpy()) * gain)
    slope, offset = sums.regression()
    project.set_weights([(kernel + slope).astype(np.float32)])
    norm.set_weights([gamma, beta, (mean - offset).astype(np.float32), variance])


class _Sums:
    """Sums over places, from which what is missing [c] is predicted by what is read [channels]."""

    def __init__(self, channels: int, outputs: int) -> None:
        self._count = 0
        self._read, self._missing = np.zeros(channels), np.zeros(outputs)
        self._squares = np.zeros((channels, channels))
        self._products = np.zeros((channels, outputs))

    def add(self, read: Activations, missing: Activations) -> None:
        x, y = read.reshape(-1, read.shape[-1]), missing.reshape(-1, missing.shape[-1])
        self._count += len(x)
        self._read += x.sum(axis=0, dtype=np.float64)
        self._missing += y.sum(axis=0, dtype=np.float64)
        self._squares += x.T @ x
        self._products += x.T @ y

    def regression(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ridge regression with an intercept: slope [channels, c] and offset [c]."""
        read, missing = self._read / self._count, self._missing / self._count
        covariance = self._squares / self._count - np.outer(read, read)
        common = self._products / self._count - np.outer(read, missing)
        ridge = _RIDGE * np.trace(covariance) / len(read) + np.finfo(np.float32).tiny
        slope = np.linalg.solve(covariance + ridge * np.eye(len(read)), common)
        return slope, missing - read @ slope
