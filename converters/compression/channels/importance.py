"""Importance of expansion channels, by one of four criteria."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.compression.channels.blocks import Block, Scores
from converters.compression.context import RecipeContext

_TAYLOR_IMAGES = 128
"""Labeled training images from which Taylor importance is computed."""

_BATCH = 16


def scale(model: Any, blocks: tuple[Block, ...], context: RecipeContext) -> Scores:
    """Return the BatchNorm scale after the depthwise convolution.

    Liu et al., "Learning Efficient Convolutional Networks through Network Slimming", ICCV 2017.
    """
    return {
        block.name: np.abs(model.get_layer(block.layer("depthwise_BN")).get_weights()[0])
        for block in blocks
    }


def l1(model: Any, blocks: tuple[Block, ...], context: RecipeContext) -> Scores:
    """Return the sum of the absolute weights with which the projection reads the channel.

    Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, but on the reading layer: the
    scale of weights that BatchNorm follows has no meaning.
    """
    return {
        block.name: np.abs(model.get_layer(block.layer("project")).get_weights()[0]).sum((0, 1, 3))
        for block in blocks
    }


def contribution(model: Any, blocks: tuple[Block, ...], context: RecipeContext) -> Scores:
    """Return the variance that the channel adds to the block's output, on calibration images.

    It is the variance of its activation times its squared weights in the projection, with
    BatchNorm folded in, as Sun et al., "A Simple and Effective Pruning Approach for Large Language
    Models" (Wanda), ICLR 2024, do with single weights.
    """
    inputs = context.dataset.preprocessing.normalize(context.calibration)
    probe = _probe(model, blocks)
    count = 0
    sums = [np.zeros((2, block.channels)) for block in blocks]
    for start in range(0, len(inputs), _BATCH):
        activations = probe(inputs[start : start + _BATCH], training=False)[:-1]
        count += len(activations[0])
        for total, activation in zip(sums, activations, strict=True):
            values = activation.numpy().astype(np.float64)
            np.add(total, [values.mean((1, 2)).sum(0), (values**2).mean((1, 2)).sum(0)], out=total)
    scores = {}
    for block, (first, second) in zip(blocks, sums, strict=True):
        variance = np.maximum(second / count - (first / count) ** 2, 0)
        scores[block.name] = variance * (_folded_projection(model, block) ** 2).sum(axis=1)
    return scores


def taylor(model: Any, blocks: tuple[Block, ...], context: RecipeContext) -> Scores:
    """Return the first-order estimate of the squared change in loss if the channel were zero.

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
    return {block.name: total / len(drawn) for block, total in zip(blocks, sums, strict=True)}


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


def _folded_projection(model: Any, block: Block) -> NDArray[np.float64]:
    """Return the projection's kernel with its BatchNorm folded in, [channels, outputs]."""
    (kernel,) = model.get_layer(block.layer("project")).get_weights()
    norm = model.get_layer(block.layer("project_BN"))
    gamma, _, _, variance = norm.get_weights()
    folded: NDArray[np.float64] = kernel[0, 0] * (gamma / np.sqrt(variance + norm.epsilon))
    return folded


MEASURES: dict[str, Callable[[Any, tuple[Block, ...], RecipeContext], Scores]] = {
    "contribution": contribution,
    "taylor": taylor,
    "scale": scale,
    "l1": l1,
}
"""Name in a recipe → the function that scores all channels."""
