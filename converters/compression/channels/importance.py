"""Importance of the inner channels of a MobileNetV2's blocks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.compression.channels.activity import activities
from converters.compression.channels.blocks import Block
from converters.compression.channels.elimination import eliminate
from converters.compression.context import RecipeContext


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The order in which a block loses its channels.

    ``order``: int64 [channels], the least important first. ``losses``: float64 [channels + 1], what
    is lost without the first of them; 0 without none, never falling, comparable between blocks.
    """

    order: NDArray[np.int64]
    losses: NDArray[np.float64]

    @classmethod
    def by_score(cls, scores: NDArray[np.float64], whole: float | None = None) -> "Ranking":
        """Rank channels by scores, [channels], 0 or more, that add up.

        Their sums are compared between blocks relative to ``whole``, by default the sum of all.
        """
        order = np.argsort(scores, kind="stable")
        losses = np.concatenate([[0.0], np.cumsum(scores[order], dtype=np.float64)])
        return cls(order, losses / max(losses[-1] if whole is None else whole, _TINY))

    def most_important(self, width: int) -> NDArray[np.int64]:
        """Return the indices of the ``width`` most important channels, ascending."""
        return np.sort(self.order[len(self.order) - width :])


_TINY = float(np.finfo(np.float64).tiny)

Rankings = Mapping[str, Ranking]
"""Block name → its ranking."""

_TAYLOR_IMAGES = 128
"""Labeled training images from which Taylor importance is computed."""

_BATCH = 16


def scale(model: Any, blocks: tuple[Block, ...], context: RecipeContext) -> Rankings:
    """Rank by the BatchNorm scale after the depthwise convolution.

    Liu et al., "Learning Efficient Convolutional Networks through Network Slimming", ICCV 2017.
    """
    return {
        block.name: Ranking.by_score(
            np.abs(model.get_layer(block.layer("depthwise_BN")).get_weights()[0])
        )
        for block in blocks
    }


def l1(model: Any, blocks: tuple[Block, ...], context: RecipeContext) -> Rankings:
    """Rank by the sum of the absolute weights with which the projection reads the channel.

    Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, but on the reading layer: the
    scale of weights that BatchNorm follows has no meaning.
    """
    kernels = (model.get_layer(block.layer("project")).get_weights()[0] for block in blocks)
    return {
        block.name: Ranking.by_score(np.abs(kernel).sum((0, 1, 3)))
        for block, kernel in zip(blocks, kernels, strict=True)
    }


def contribution(model: Any, blocks: tuple[Block, ...], context: RecipeContext) -> Rankings:
    """Rank by the variance that the channel adds to the block's output, on calibration images.

    It is the variance of its activation times its squared weights in the projection, with
    BatchNorm folded in, as Sun et al., "A Simple and Effective Pruning Approach for Large Language
    Models" (Wanda), ICLR 2024, do with single weights.
    """
    measured = activities(model, blocks, _calibration(context))
    return {
        block.name: Ranking.by_score(
            # A dead channel's variance is rounding, which may be negative.
            np.maximum(0, np.diag(activity.covariance))
            * np.square(activity.projection).sum(axis=1),
            activity.variance,
        )
        for block, activity in zip(blocks, measured, strict=True)
    }


def residual(model: Any, blocks: tuple[Block, ...], context: RecipeContext) -> Rankings:
    """Rank by the share of the block's output that the other channels cannot make up for.

    On calibration images; see :mod:`converters.compression.channels.elimination`. On grocery
    photos half of the channels by this order kept a lower log-loss than by any other measure.
    """
    rankings = {}
    measured = activities(model, blocks, _calibration(context))
    for block, activity in zip(blocks, measured, strict=True):
        order, lost = eliminate(activity.covariance, activity.projection)
        rankings[block.name] = Ranking(order, lost / max(activity.variance, _TINY))
    return rankings


def _calibration(context: RecipeContext) -> Iterator[NDArray[np.float32]]:
    return (context.dataset.preprocessing.normalize(image) for image in context.calibration)


def taylor(model: Any, blocks: tuple[Block, ...], context: RecipeContext) -> Rankings:
    """Rank by a first-order estimate of the squared change in loss if the channel were zero.

    It is the square of activation times gradient, summed over the image, averaged over training
    images. Molchanov et al., "Importance Estimation for Neural Network Pruning", CVPR 2019.
    """
    dataset = context.dataset
    drawn = np.random.default_rng([context.seed, 0x7A]).permutation(context.split.train)
    drawn = drawn[:_TAYLOR_IMAGES]
    truth = np.eye(len(dataset.classes), dtype=np.float32)[dataset.labels[drawn]]
    squares = _squared_changes(_probe(model, blocks))
    sums = [np.zeros(block.channels) for block in blocks]
    for start in range(0, len(drawn), _BATCH):
        part = slice(start, start + _BATCH)
        inputs = dataset.preprocessing.normalize(dataset.pixels[drawn[part]])
        for total, square in zip(sums, squares(inputs, truth[part]), strict=True):
            np.add(total, square.numpy(), out=total)
    return {
        block.name: Ranking.by_score(total / len(drawn), 1.0)
        for block, total in zip(blocks, sums, strict=True)
    }


def _squared_changes(probe: Any) -> Callable[[Any, Any], Any]:
    """Return a function of inputs and one-hot truth: per block [channels], summed over images."""
    tensorflow, keras = tf.tensorflow(), tf.keras()

    def squares(inputs: Any, truth: Any) -> Any:
        with tensorflow.GradientTape() as tape:
            *seen, scores = probe(inputs, training=False)
            loss = tensorflow.reduce_sum(keras.losses.categorical_crossentropy(truth, scores))
        gradients = tape.gradient(loss, seen)
        return [
            tensorflow.reduce_sum(tensorflow.reduce_sum(a * g, axis=[1, 2]) ** 2, axis=0)
            for a, g in zip(seen, gradients, strict=True)
        ]

    compiled: Callable[[Any, Any], Any] = tensorflow.function(squares)
    return compiled


def _probe(model: Any, blocks: tuple[Block, ...]) -> Any:
    """Return ``model`` with the input of each projection as outputs before its own."""
    read = [model.get_layer(block.layer("project")).input for block in blocks]
    return tf.keras().Model(model.input, [*read, model.output])


MEASURES: dict[str, Callable[[Any, tuple[Block, ...], RecipeContext], Rankings]] = {
    "residual": residual,
    "contribution": contribution,
    "taylor": taylor,
    "scale": scale,
    "l1": l1,
}
"""Name in a recipe → the function that ranks all channels."""
