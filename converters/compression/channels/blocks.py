"""Blocks of a MobileNetV2, and the removal of their inner channels.

An inner channel runs through four layers of its block (expand, its BatchNorm, depthwise, its
BatchNorm) and is read by a fifth (project). It is removed from all five, so no shape changes
outside the block. The first block does not expand: its inner channels are those of the first
convolution, which reads the image.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from edge.errors import ConversionError
from edge.quantities import counted

KeptChannels = Mapping[str, NDArray[np.int64]]
"""Block name → indices, ascending, of the inner channels that stay."""

FIRST = "expanded_conv"
"""Name of the block that does not expand."""

_BEFORE_FIRST = {"expand": "Conv1", "expand_BN": "bn_Conv1"}

_AXES = {"expand": -1, "expand_BN": 0, "depthwise": 2, "depthwise_BN": 0, "project": 2}
"""Layers of a block that hold an inner channel → its axis in all their weights."""


@dataclass(frozen=True, slots=True)
class Block:
    """An inverted residual block.

    ``name``: "expanded_conv", or "block_1" to "block_16"; ``channels``: its inner width.
    """

    name: str
    channels: int

    def layer(self, part: str) -> str:
        """Return the name of one of its layers, such as "expand_BN" or "project"."""
        if self.name == FIRST and part in _BEFORE_FIRST:
            return _BEFORE_FIRST[part]
        return f"{self.name}_{part}"


def find_blocks(model: Any) -> tuple[Block, ...]:
    """Find the complete blocks in a flat tf_keras model, in order.

    Raises:
        ConversionError: there is none.
    """
    names = [layer.name for layer in model.layers]
    starts = [name.removesuffix("_depthwise") for name in names if name.endswith("_depthwise")]
    candidates = [Block(name, model.get_layer(f"{name}_depthwise").output.shape[-1])
                  for name in starts]  # fmt: skip
    blocks = tuple(
        block for block in candidates if {block.layer(part) for part in _AXES} <= set(names)
    )
    if not blocks:
        raise ConversionError(
            "a flat MobileNetV2",
            f"no inverted residual blocks among the {counted(len(names), 'layer')}",
            "use a recipe without channel pruning",
            code="model-without-expansion-blocks",
        )
    return blocks


def keep_channels(model: Any, kept: KeptChannels) -> Any:
    """Copy a flat tf_keras model with only the ``kept`` channels.

    Names, inputs and outputs stay; blocks that ``kept`` does not name keep all channels. Removing
    a channel whose row of the projection is zero changes no output.
    """
    filters = {Block(name, 0).layer("expand"): len(channels) for name, channels in kept.items()}

    def narrower(layer: Any) -> Any:
        config = layer.get_config()
        if layer.name in filters:
            config["filters"] = filters[layer.name]
        return layer.__class__.from_config(config)

    narrowed = tf.keras().models.clone_model(model, clone_function=narrower)
    parts = {
        Block(name, 0).layer(part): (part, channels)
        for name, channels in kept.items()
        for part in _AXES
    }
    for layer in model.layers:
        arrays = layer.get_weights()
        if layer.name in parts:
            part, channels = parts[layer.name]
            arrays = [array.take(channels, axis=_AXES[part]) for array in arrays]
        narrowed.get_layer(layer.name).set_weights(arrays)
    return narrowed
