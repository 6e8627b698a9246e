"""Reconstruction: refit each block's projection to compensate for the channels removed from it.

He, Zhang and Sun, "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV 2017: least
squares on the activations of some images, block after block, without a gradient. A block is
fitted on the actual output of the narrowed blocks before it, so it also corrects their error.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.compression.channels.blocks import Block

_RIDGE = 1e-3
"""Added to the diagonal, relative to its mean: on few images channels are nearly collinear."""

_BATCH = 16

Activations = NDArray[np.float32]


def reconstruct(
    narrowed: Any, model: Any, blocks: tuple[Block, ...], inputs: Activations
) -> Iterator[Block]:
    """Fit the projections of ``narrowed`` in place, yielding each block when it is done.

    Afterwards a block's output has the same mean as in ``model`` and the least squared error to
    it. Where the removed channels were never read, nothing changes.

    Args:
        narrowed: the result of :func:`converters.compression.channels.blocks.keep_channels`.
        model: the original network; not changed.
        blocks: those of ``model``, in order.
        inputs: float32 [n, h, w, 3] in [-1, 1], n ≥ 1.
    """
    part = tf.keras().Model
    target = entering = inputs
    whole_entry, narrow_entry = model.input, narrowed.input
    for block in blocks:
        whole_exit, narrow_exit = _exit(model, block), _exit(narrowed, block)
        read = narrowed.get_layer(block.layer("project")).input
        target = _run(part(whole_entry, whole_exit), target)
        _fit(narrowed, block, part(narrow_entry, [read, narrow_exit]), entering, target)
        entering = _run(part(narrow_entry, narrow_exit), entering)
        whole_entry, narrow_entry = whole_exit, narrow_exit
        yield block


def _exit(model: Any, block: Block) -> Any:
    """Return the output tensor of a block, after its shortcut if it has one."""
    shortcut = block.layer("add")
    has_shortcut = any(layer.name == shortcut for layer in model.layers)
    return model.get_layer(shortcut if has_shortcut else block.layer("project_BN")).output


def _batches(count: int) -> Iterator[slice]:
    for start in range(0, count, _BATCH):
        yield slice(start, start + _BATCH)


def _run(part: Any, inputs: Activations) -> Activations:
    outputs = [part(inputs[rows], training=False).numpy() for rows in _batches(len(inputs))]
    return np.concatenate(outputs)


def _fit(
    narrowed: Any, block: Block, part: Any, entering: Activations, target: Activations
) -> None:
    """Change projection and BatchNorm of one block so that its output comes close to ``target``.

    ``part`` maps the block's input to the input of its projection, [n, h, w, channels], and the
    block's output, [n, h, w, outputs].
    """
    project = narrowed.get_layer(block.layer("project"))
    norm = narrowed.get_layer(block.layer("project_BN"))
    (kernel,) = project.get_weights()
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    gain = np.divide(
        1.0, scale, out=np.zeros_like(scale), where=scale != 0
    )  # 0: no effect on the output
    sums = _Sums(kernel.shape[2], len(scale))
    for rows in _batches(len(entering)):
        read, output = part(entering[rows], training=False)
        sums.add(read.numpy(), (target[rows] - output.numpy()) * gain)
    slope, offset = sums.regression()
    project.set_weights([(kernel + slope).astype(np.float32)])
    norm.set_weights([gamma, beta, (mean - offset).astype(np.float32), variance])


class _Sums:
    """Sums over positions for the regression of the error [outputs] on the input [channels]."""

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
        """Solve the ridge regression: slope [channels, outputs] and offset [outputs]."""
        read, missing = self._read / self._count, self._missing / self._count
        covariance = self._squares / self._count - np.outer(read, read)
        common = self._products / self._count - np.outer(read, missing)
        ridge = _RIDGE * np.trace(covariance) / len(read) + np.finfo(np.float32).tiny
        slope = np.linalg.solve(covariance + ridge * np.eye(len(read)), common)
        return slope, missing - read @ slope
