"""Reconstruction of narrowed blocks, and of the head behind them, by least squares.

He, Zhang and Sun, "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV 2017: on the
activations of some images, block after block, without a gradient. A block's projection is fitted on
the actual output of the narrowed blocks before it, so it also corrects their error.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.compression.channels.block_runner import (
    Activations,
    BlockRunner,
    batches,
    stack,
)
from converters.compression.channels.blocks import Block

_RIDGE = 1e-3
"""Added to the diagonal, relative to its mean: on few images channels are nearly collinear."""

_HEAD_RIDGE = 0.1
"""Likewise for the head, which has one embedding per image and may have more weights than images.

On 480 grocery photos 0.01 to 0.1 brought the log-loss back to that of the network before, at the
accuracy that three epochs of distillation reached; 1 and more left a third to all of the loss.
"""


def reconstruct(
    narrowed: Any, model: Any, blocks: tuple[Block, ...], inputs: Iterable[Activations]
) -> Iterator[Block]:
    """Fit the projections of ``narrowed`` in place, yielding each block when it is done.

    Afterwards a block's output has the same mean as in ``model`` and the least squared error to
    it; last, the head is fitted to the logits of ``model``. Where the removed channels were never
    read, nothing changes.

    Args:
        narrowed: the result of :func:`converters.compression.channels.blocks.keep_channels`.
        model: the original network; not changed.
        blocks: those of ``model``, in order.
        inputs: images, each float32 [h, w, 3] in [-1, 1]; at least one.
    """
    target = entering = stack(inputs)
    for block in blocks:
        shape = entering.shape[1:]
        target = BlockRunner(model, block.name, shape).run(target)
        _fit(narrowed, block, BlockRunner(narrowed, block.name, shape), entering, target)
        entering = BlockRunner(narrowed, block.name, shape).run(entering)
        yield block
    _fit_head(narrowed, model, blocks[-1], entering, target)


def _fit_head(
    narrowed: Any, model: Any, last: Block, entering: Activations, target: Activations
) -> None:
    """Change the layer "head" so that its logits come close to those of ``model``.

    ``entering`` and ``target``: the outputs of the ``last`` block in both.
    """
    kernel, bias = narrowed.get_layer("head").get_weights()
    whole_kernel, whole_bias = model.get_layer("head").get_weights()
    embed, embed_whole = (_behind(network, last) for network in (narrowed, model))
    sums = Sums(*kernel.shape)
    for rows in batches(len(entering)):
        embedding = embed(entering[rows], training=False).numpy()
        logits = embed_whole(target[rows], training=False).numpy() @ whole_kernel + whole_bias
        sums.add(embedding, logits - (embedding @ kernel + bias))
    slope, offset = sums.regression(_HEAD_RIDGE)
    weights = [(kernel + slope).astype(np.float32), (bias + offset).astype(np.float32)]
    narrowed.get_layer("head").set_weights(weights)


def _behind(model: Any, last: Block) -> Any:
    """Return the layers from the output of the ``last`` block to the embedding."""
    shortcut = last.layer("add")
    has_shortcut = any(layer.name == shortcut for layer in model.layers)
    end = model.get_layer(shortcut if has_shortcut else last.layer("project_BN"))
    return tf.keras().Model(end.output, model.get_layer("head").input)


def _fit(
    narrowed: Any, block: Block, runner: BlockRunner, entering: Activations, target: Activations
) -> None:
    """Change projection and BatchNorm of one block so that its output comes close to ``target``."""
    project = narrowed.get_layer(block.layer("project"))
    norm = narrowed.get_layer(block.layer("project_BN"))
    (kernel,) = project.get_weights()
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    gain = np.divide(
        1.0, scale, out=np.zeros_like(scale), where=scale != 0
    )  # 0: no effect on the output
    sums = Sums(kernel.shape[2], len(scale))
    for rows in batches(len(entering)):
        read = runner.read(entering[rows])
        sums.add(read, (target[rows] - runner.project(read, entering[rows])) * gain)
    slope, offset = sums.regression(_RIDGE)
    project.set_weights([(kernel + slope).astype(np.float32)])
    norm.set_weights([gamma, beta, (mean - offset).astype(np.float32), variance])


class Sums:
    """Sums over positions for the regression of [outputs] on [channels]."""

    def __init__(self, channels: int, outputs: int) -> None:
        self._count = 0
        self._read, self._missing = np.zeros(channels), np.zeros(outputs)
        self._squares = np.zeros((channels, channels))
        self._products = np.zeros((channels, outputs))

    def add(self, read: Activations, missing: Activations) -> None:
        """Add positions, [..., channels] and [..., outputs]."""
        x, y = read.reshape(-1, read.shape[-1]), missing.reshape(-1, missing.shape[-1])
        self._count += len(x)
        self._read += x.sum(axis=0, dtype=np.float64)
        self._missing += y.sum(axis=0, dtype=np.float64)
        self._squares += x.T @ x
        self._products += x.T @ y

    def covariance(self) -> NDArray[np.float64]:
        """Return the covariance of the channels, [channels, channels]."""
        mean = self._read / self._count
        return np.asarray(self._squares / self._count - np.outer(mean, mean))

    def regression(self, ridge: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Solve the regression: slope [channels, outputs] and offset [outputs].

        ``ridge``: relative to the mean variance of the channels.
        """
        read, missing = self._read / self._count, self._missing / self._count
        covariance = self.covariance()
        common = self._products / self._count - np.outer(read, missing)
        added = ridge * np.trace(covariance) / len(read) + np.finfo(np.float32).tiny
        slope = np.linalg.solve(covariance + added * np.eye(len(read)), common)
        return slope, missing - read @ slope
