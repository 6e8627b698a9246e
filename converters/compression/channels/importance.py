"""Inverted residual blocks of a MobileNetV2, and the importance of their expansion channels.

An expansion channel runs through four layers of its block (expand, its BatchNorm, depthwise, its
BatchNorm) and is read by a fifth (project). It is removed from all five, so no shape changes
outside the block.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.compression.channels.block_runner import BlockRunner, batches, run_stem
from converters.compression.context import RecipeContext
from edge.errors import ConversionError
from edge.quantities import counted

Scores = Mapping[str, NDArray[np.float64]]
"""Block name → the importance of each of its expansion channels, [channels], 0 or more."""

KeptChannels = Mapping[str, NDArray[np.int64]]
"""Block name → indices, ascending, of the expansion channels that stay."""

STEP = 8
"""Widths are multiples of it, as in MobileNetV2: kernels process so many channels at a time."""

_AXES = {"expand": -1, "expand_BN": 0, "depthwise": 2, "depthwise_BN": 0, "project": 2}
"""Layers of a block that hold an expansion channel → its axis in all their weights."""


@dataclass(frozen=True, slots=True)
class Block:
    """An inverted residual block with an expansion.

    ``name``: "block_1" to "block_16"; ``channels``: width of its expansion.
    """

    name: str
    channels: int

    def layer(self, part: str) -> str:
        """Return the name of one of its layers, such as "expand_BN" or "project"."""
        return f"{self.name}_{part}"


def find_blocks(model: Any) -> tuple[Block, ...]:
    """Find the complete blocks with an expansion in a flat tf_keras model, in order.

    Raises:
        ConversionError: there is none.
    """
    names = {layer.name for layer in model.layers}
    blocks = tuple(
        Block(name, int(model.get_layer(f"{name}_expand").filters))
        for name in (layer.name.removesuffix("_expand") for layer in model.layers)
        if {f"{name}_expand", f"{name}_depthwise", f"{name}_project"} <= names
    )
    if not blocks:
        raise ConversionError(
            "a flat MobileNetV2 with expansion blocks",
            f"no expansion blocks among the {counted(len(names), 'layer')}",
            "use a recipe without channel pruning",
            code="model-without-expansion-blocks",
        )
    return blocks


def keep_channels(model: Any, kept: KeptChannels) -> Any:
    """Copy a flat tf_keras model with only the ``kept`` channels.

    Names, inputs and outputs stay; blocks that ``kept`` does not name keep all channels. Removing
    a channel whose row of the projection is zero changes no output.
    """
    filters = {f"{name}_expand": len(channels) for name, channels in kept.items()}

    def narrower(layer: Any) -> Any:
        config = layer.get_config()
        if layer.name in filters:
            config["filters"] = filters[layer.name]
        return layer.__class__.from_config(config)

    narrowed = tf.keras().models.clone_model(model, clone_function=narrower)
    parts = {
        f"{name}_{part}": (part, channels) for name, channels in kept.items() for part in _AXES
    }
    for layer in model.layers:
        arrays = layer.get_weights()
        if layer.name in parts:
            part, channels = parts[layer.name]
            arrays = [array.take(channels, axis=_AXES[part]) for array in arrays]
        narrowed.get_layer(layer.name).set_weights(arrays)
    return narrowed


def allot_widths(blocks: tuple[Block, ...], keep: float) -> dict[str, int]:
    """Return the number of channels that stay in each block, for a share ``keep`` in (0, 1].

    Numbers are multiples of :data:`STEP`, at least one step and at most the block's channels,
    rounded by largest remainder so that their share of all channels is as close to ``keep`` as
    possible.
    """
    exact = {block.name: keep * block.channels / STEP for block in blocks}
    steps = {name: max(1, int(share)) for name, share in exact.items()}
    missing = round(sum(exact.values())) - sum(steps.values())
    by_remainder = sorted(exact, key=lambda name: steps[name] - exact[name])
    for name in by_remainder[: max(0, missing)]:
        steps[name] += 1
    return {block.name: min(block.channels, STEP * steps[block.name]) for block in blocks}


def top_channels(scores: Scores, widths: Mapping[str, int]) -> KeptChannels:
    """Return the most important channels of each block, in their order; ties go to the first."""
    return {
        name: np.sort(np.argsort(-scores[name], kind="stable")[:width])
        for name, width in widths.items()
    }


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
    normalize = context.dataset.preprocessing.normalize
    entering = run_stem(model, (normalize(image) for image in context.calibration))
    scores = {}
    for block in blocks:
        runner = BlockRunner(model, block.name, entering.shape[1:])
        parts, first, second = [], np.zeros(block.channels), np.zeros(block.channels)
        for rows in batches(len(entering)):
            read = runner.read(entering[rows])
            first += read.mean((1, 2), dtype=np.float64).sum(0)
            second += np.square(read).mean((1, 2), dtype=np.float64).sum(0)
            parts.append(runner.project(read, entering[rows]))
        count = len(entering)
        variance = np.maximum(second / count - (first / count) ** 2, 0)
        scores[block.name] = variance * np.square(runner.projection, dtype=np.float64).sum(axis=1)
        entering = np.concatenate(parts)
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


MEASURES: dict[str, Callable[[Any, tuple[Block, ...], RecipeContext], Scores]] = {
    "contribution": contribution,
    "taylor": taylor,
    "scale": scale,
    "l1": l1,
}
"""Name in a recipe → the function that scores all channels."""
