"""Inverted residual blocks of a MobileNetV2: their widths, and the same network with narrower ones.

An expansion channel runs through four layers of its block (expand, its BatchNorm, depthwise, its
BatchNorm) and is read by a fifth (project). It is removed from all five, so no shape changes
outside the block.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from edge.errors import ConversionError

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
            f"no expansion blocks among the {len(names)} layers",
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
