"""Flat Keras models: their 1×1 convolutions, and tfmot's wrappers around their layers."""

from collections.abc import Iterator
from typing import Any

from converters import tf

WRAPPER_PREFIXES = ("prune_low_magnitude_", "quant_")
"""Prefixes that pruning and quantization-aware training put before a layer's name."""


def pointwise(model: Any) -> list[Any]:
    """Return the 1×1 convolutions of a flat model; they hold nearly all weights of MobileNetV2."""
    keras = tf.keras()
    return [
        layer
        for layer in model.layers
        if type(layer) is keras.layers.Conv2D and layer.kernel_size == (1, 1)
    ]


def weight_pairs(plain: Any, wrapped: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each variable of ``plain`` with its counterpart in ``wrapped``, its layers in wrappers.

    What else the wrappers have (masks, ranges) is left out. Layers and variables are matched by
    name: inside a wrapper a layer's own list of weights is incomplete.
    """
    counterparts = {_own_name(layer.name): layer for layer in wrapped.layers}
    for layer in plain.layers:
        if layer.weights:
            by_name = {_leaf(weight): weight for weight in counterparts[layer.name].weights}
            yield from ((weight, by_name[_leaf(weight)]) for weight in layer.weights)


def _own_name(name: str) -> str:
    for prefix in WRAPPER_PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _leaf(weight: Any) -> str:
    """Return ``kernel`` for ``quant_head/kernel:0``."""
    return str(weight.name).rpartition("/")[2].partition(":")[0]
