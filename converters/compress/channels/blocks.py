"""The inverted residual blocks of a MobileNetV2, and the same network with narrower ones.

An expansion channel runs through four layers of its block (expand, its BatchNorm, depthwise, its
BatchNorm) and is read by a fifth (project). It is taken out of all five, so nothing outside the
block sees a change of shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from edge.errors import ConversionError

Kept = Mapping[str, NDArray[np.int64]]
"""Block name → indices, ascending, of the expansion channels that stay."""


_AXES = {"expand": -1, "expand_BN": 0, "depthwise": 2, "depthwise_BN": 0, "project": 2}
"""Layers of a block that an expansion channel runs through → its axis in all their weights."""


@dataclass(frozen=True, slots=True)
class Block:
    """``name``: "block_1" to "block_16"; ``channels``: width of its expansion."""

    name: str
    channels: int

    def layer(self, part: str) -> str:
        """The name of one of its layers, such as "expand_BN" or "project"."""
        return f"{self.name}_{part}"


def find(model: Any) -> tuple[Block, ...]:
    """The whole blocks with an expansion of a flat tf_keras model, in order.

    Raises:
        ConversionError: there is none.
    """
    names = {layer.name for layer in model.layers}
    found = tuple(
        Block(name, int(model.get_layer(f"{name}_expand").filters))
        for name in (layer.name.removesuffix("_expand") for layer in model.layers)
        if {f"{name}_expand", f"{name}_depthwise", f"{name}_project"} <= names
    )
    if not found:
        raise ConversionError(
            "a flat MobileNetV2 with expansion blocks",
            f"no expansion blocks among the {len(names)} layers",
            "use a recipe without channel pruning",
            code="model-without-expansion-blocks",
        )
    return found


def narrow(model: Any, kept: Kept) -> Any:
    """A fresh flat tf_keras model, like ``model`` but with only the ``kept`` channels.

    Names, inputs and outputs stay; blocks that ``kept`` does not name stay whole. A channel whose
    row of the projection is zero leaves without a trace.
    """
    filters = {f"{name}_expand": len(channels) for name, channels in kept.items()}

    def narrower(layer: Any) -> Any:
        config = layer.get_config()
        if layer.name in filters:
            config["filters"] = filters[layer.name]
        return layer.__class__.from_config(config)

    made = tf.keras().models.clone_model(model, clone_function=narrower)
    where = {
        f"{name}_{part}": (part, channels) for name, channels in kept.items() for part in _AXES
    }
    for layer in model.layers:
        arrays = layer.get_weights()
        if layer.name in where:
            part, channels = where[layer.name]
            arrays = [array.take(channels, axis=_AXES[part]) for array in arrays]
        made.get_layer(layer.name).set_weights(arrays)
    return made
