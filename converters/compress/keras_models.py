"""The toolkit's wrappers around layers: which layers they go around, and how to get rid of them."""

from typing import Any

from converters import tf

PREFIXES = ("prune_low_magnitude_", "quant_")
"""What pruning and quantization-aware training put before a layer's name."""


def clone(model: Any) -> Any:
    """A tf_keras model of its own with the same layers and weights."""
    copy = tf.keras().models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def pointwise(model: Any) -> list[Any]:
    """The 1×1 convolutions of a flat model: they hold nearly all weights of MobileNetV2."""
    keras = tf.keras()
    return [
        layer
        for layer in model.layers
        if type(layer) is keras.layers.Conv2D and layer.kernel_size == (1, 1)
    ]


def strip_wrappers(wrapped: Any, like: Any) -> Any:
    """A plain copy of ``like`` with the weights that ``wrapped``, made from it, has learned.

    What the wrappers hold besides (masks, ranges) is left behind. Names tell the layers and the
    weights: within a wrapper a layer's own list of weights is no longer whole.
    """
    plain = clone(like)
    learned = {_own_name(layer.name): layer for layer in wrapped.layers}
    for layer in plain.layers:
        if layer.weights:
            values = {_leaf(w): w.numpy() for w in learned[layer.name].weights}
            layer.set_weights([values[_leaf(weight)] for weight in layer.weights])
    return plain


def _own_name(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _leaf(weight: Any) -> str:
    """``kernel`` of ``quant_head/kernel:0``."""
    return str(weight.name).rpartition("/")[2].partition(":")[0]
