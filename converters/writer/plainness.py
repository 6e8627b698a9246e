"""Which tf_keras models the writer can write: plain MobileNetV2 classifiers, of any width.

Others, such as wrappers of quantization-aware training or another padding, may have layers of the
same names and shapes: the file would run and be wrong.
"""

from typing import Any

from converters.backbone.mobilenet_v2 import BATCH_NORM_EPSILON, BLOCKS, block_prefix, layers

_KINDS = {"conv": "Conv2D", "depthwise": "DepthwiseConv2D", "batch_norm": "BatchNormalization"}
_WITH_WEIGHTS = {layer.name: _KINDS[layer.kind] for layer in layers(1.0)} | {"head": "Dense"}
_WITHOUT_WEIGHTS = {
    "InputLayer", "ZeroPadding2D", "ReLU", "Add", "GlobalAveragePooling2D", "Dropout",
}  # fmt: skip
_STRIDES = {f"{block_prefix(index)}depthwise": stride for index, (_, stride) in enumerate(BLOCKS)}
_STRIDES["Conv1"] = 2
_PADDING = ((0, 1), (0, 1))
"""What Keras adds before a depthwise convolution of stride 2; SAME of TensorFlow Lite equals it."""


def is_plain_mobilenet_v2(model: Any) -> bool:
    """Return whether a tf_keras model is a flat MobileNetV2 with a softmax layer "head".

    Widths don't matter, nor do the values of weights.
    """
    shape = tuple(model.inputs[0].shape[1:])
    with_weights = {layer.name: type(layer).__name__ for layer in model.layers if layer.weights}
    return (
        len(shape) == 3
        and shape[0] == shape[1]
        and shape[0] % 32 == 0
        and with_weights == _WITH_WEIGHTS
        and all(_is_usual(layer) for layer in model.layers)
    )


def _is_usual(layer: Any) -> bool:
    match type(layer).__name__:
        case "Conv2D" | "DepthwiseConv2D":
            stride = _STRIDES.get(layer.name, 1)
            return bool(layer.strides == (stride, stride) and not layer.use_bias)
        case "BatchNormalization":
            return bool(layer.epsilon == BATCH_NORM_EPSILON)
        case "ReLU":
            return bool(layer.max_value == 6)
        case "ZeroPadding2D":
            return bool(layer.padding == _PADDING)
        case "Dense":
            return bool(layer.activation.__name__ == "softmax")
        case kind:
            return kind in _WITHOUT_WEIGHTS
