"""Symmetric padding: the form of MobileNetV2 that XNNPACK's sparse kernels want.

Where an image is halved, Keras pads one row below and one column to the right. XNNPACK's sparse
inference knows a padding by one on every side only, and an average pooling that keeps its
dimensions (Elsen et al., "Fast Sparse ConvNets", CVPR 2020, and XNNPACK's subgraph rewriting).
"""

from typing import Any

from converters import tf
from edge.errors import ConversionError

PADDING = ((1, 1), (1, 1))


def symmetric(model: Any) -> Any:
    """A copy of a flat tf_keras model padded alike on all sides, with the same weights.

    Input, output and the names of layers with weights stay; what it says changes a little, as
    every halving looks at places half a pixel further up and left.

    Raises:
        ConversionError: there is no layer that halves the image.
    """
    keras = tf.keras()
    nest = tf.tensorflow().nest
    image = keras.Input(model.input.shape[1:], name=model.layers[0].name)
    made = {id(model.input): image}
    changed = 0
    for layer in model.layers[1:]:
        parts = _parts(layer)
        changed += any(getattr(part, "padding", None) == PADDING for part in parts)
        flow = [made[id(source)] for source in nest.flatten(layer.input)]
        output = flow[0] if len(flow) == 1 else flow
        for part in parts:
            output = part(output)
        made[id(layer.output)] = output
    if not changed:
        raise ConversionError(
            "a model with stride-2 convolutions",
            "none",
            "remove the xnnpack step",
            code="xnnpack-unsupported-model",
        )
    copy = keras.Model(image, made[id(model.output)], name=model.name)
    for layer in model.layers:
        if layer.weights:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def _parts(layer: Any) -> list[Any]:
    """What stands for ``layer``, one after the other."""
    layers = tf.keras().layers
    config = layer.get_config()
    if isinstance(layer, layers.ZeroPadding2D):
        return [layers.ZeroPadding2D(PADDING, name=layer.name)]
    if isinstance(layer, layers.GlobalAveragePooling2D) and not layer.keepdims:
        pooled = type(layer).from_config({**config, "keepdims": True})
        return [pooled, layers.Flatten(name=f"{layer.name}_flat")]
    convolution = isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D))
    if convolution and layer.strides == (2, 2) and layer.padding == "same":
        padding = layers.ZeroPadding2D(PADDING, name=f"{layer.name}_pad")
        return [padding, type(layer).from_config({**config, "padding": "valid"})]
    return [type(layer).from_config(config)]
