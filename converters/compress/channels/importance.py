"""How much each expansion channel matters, measured in one of four ways."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.compress.channels.blocks import Block
from converters.compress.context import RecipeContext

Scores = dict[str, NDArray[np.float64]]
"""Block name → the importance of each of its expansion channels, [channels], 0 or more."""

_IMAGES = 128
"""From so many labeled training images Taylor importance is taken."""

_BATCH = 16


def scale(model: Any, blocks: tuple[Block, ...], material: RecipeContext) -> Scores:
    """The BatchNorm scale after the depthwise convolution.

    Liu et al., "Learning Efficient Convolutional Networks through Network Slimming", ICCV 2017.
    """
    return {
        block.name: np.abs(model.get_layer(block.layer("depthwise_BN")).get_weights()[0])
        for block in blocks
    }


def l1(model: Any, blocks: tuple[Block, ...], material: RecipeContext) -> Scores:
    """The sum of the absolute weights with which the projection reads the channel.

    Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, but for the reading side: what
    BatchNorm follows has no scale of its own.
    """
    return {
        block.name: np.abs(model.get_layer(block.layer("project")).get_weights()[0]).sum((0, 1, 3))
        for block in blocks
    }


def contribution(model: Any, blocks: tuple[Block, ...], material: RecipeContext) -> Scores:
    """The variance that the channel brings into what leaves the block, on calibration images.

    That of its activation times its squared weights in the projection, BatchNorm folded in: what
    Sun et al., "A Simple and Effective Pruning Approach for Large Language Models" (Wanda), ICLR
    2024, do with single weights.
    """
    inputs = material.dataset.preprocessing.normalize(material.calibration)
    probe = _probe(model, blocks)
    count = 0
    sums = [np.zeros((2, block.channels)) for block in blocks]
    for start in range(0, len(inputs), _BATCH):
        activations = probe(inputs[start : start + _BATCH], training=False)[:-1]
        count += len(activations[0])
        for total, activation in zip(sums, activations, strict=True):
            places = activation.numpy().astype(np.float64)
            np.add(total, [places.mean((1, 2)).sum(0), (places**2).mean((1, 2)).sum(0)], out=total)
    found = {}
    for block, (first, second) in zip(blocks, sums, strict=True):
        variance = np.maximum(second / count - (first / count) ** 2, 0)
        found[block.name] = variance * (_folded_projection(model, block) ** 2).sum(axis=1)
    return found


def taylor(model: Any, blocks: tuple[Block, ...], material: RecipeContext) -> Scores:
    """How much the loss would change, to first order, if the channel were zero.

    The square of activation times gradient, summed over the image, in the mean over training
    images. Molchanov et al., "Importance Estimation for Neural Network Pruning", CVPR 2019.
    """
    dataset = material.dataset
    drawn = np.random.default_rng([material.seed, 0x7A]).permutation(material.split.train)
    drawn = drawn[:_IMAGES]
    truth = np.eye(len(dataset.classes), dtype=np.float32)[dataset.labels[drawn]]
    squares = _squared_changes(_probe(model, blocks))
    sums = [np.zeros(block.channels) for block in blocks]
    for start in range(0, len(drawn), _BATCH):
        part = slice(start, start + _BATCH)
        inputs = dataset.preprocessing.normalize(dataset.pixels[drawn[part]])
        for total, found in zip(sums, squares(inputs, truth[part]), strict=True):
            np.add(total, found.numpy(), out=total)
    return {block.name: total / len(drawn) for block, total in zip(blocks, sums, strict=True)}


def _squared_changes(probe: Any) -> Callable[[Any, Any], Any]:
    """Inputs and one-hot truth → per block [channels], summed over the images."""
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
    """``model`` with what each projection reads as outputs before its own."""
    read = [model.get_layer(block.layer("project")).input for block in blocks]
    return tf.keras().Model(model.input, [*read, model.output])


def _folded_projection(model: Any, block: Block) -> NDArray[np.float64]:
    """The projection's kernel with the BatchNorm behind it, [channels, c]."""
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
"""Name as in a recipe → its function."""
