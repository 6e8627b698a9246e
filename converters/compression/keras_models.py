"""Flat Keras models: their 1×1 convolutions, and tfmot's wrappers around their layers."""

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


def strip_wrappers(wrapped: Any, like: Any) -> Any:
    """Copy ``like`` with the trained weights of ``wrapped``, which was created from it.

    Everything else in the wrappers (masks, ranges) is dropped. Layers and weights are matched by
    name: inside a wrapper a layer's own list of weights is incomplete.
    """
    plain = tf.clone_model(like)
    trained = {_own_name(layer.name): layer for layer in wrapped.layers}
    for layer in plain.layers:
        if layer.weights:
            values = {_leaf(w): w.numpy() for w in trained[layer.name].weights}
            layer.set_weights([values[_leaf(weight)] for weight in layer.weights])
    return plain


def _own_name(name: str) -> str:
    for prefix in WRAPPER_PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _leaf(weight: Any) -> str:
    """Return ``kernel`` for ``quant_head/kernel:0``."""
    return str(weight.name).rpartition("/")[2].partition(":")[0]
