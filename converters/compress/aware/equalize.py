"""Equalize: depthwise kernels of one size in all channels, without changing what a model says.

The toolkit rounds a depthwise kernel with one scale for all its channels. Those of pretrained
networks differ by up to seventy times, where BatchNorm has been folded into them, so that most
would be rounded to nothing. Nagel et al., "Data-Free Quantization Through Weight Equalization and
Bias Correction", ICCV 2019, move such factors to another layer; here the BatchNorm behind takes
them.
"""

from typing import Any

import numpy as np

from converters import tf
from converters.compress.keras_models import clone


def equalize_depthwise(model: Any) -> Any:
    """A copy of a flat tf_keras model whose depthwise kernels reach to 1 or -1 in every channel.

    Only those followed by BatchNorm change. Scores stay as they are, but for float rounding.
    """
    layers = tf.keras().layers
    copy = clone(model)
    for layer in copy.layers:
        followers = [node.outbound_layer for node in layer.outbound_nodes]
        if not isinstance(layer, layers.DepthwiseConv2D) or len(followers) != 1:
            continue
        if isinstance(followers[0], layers.BatchNormalization):
            _move_scale(layer, followers[0])
    return copy


def _move_scale(depthwise: Any, norm: Any) -> None:
    kernel, *bias = depthwise.get_weights()  # [h, w, channels, multiplier]
    gamma, beta, mean, variance = norm.get_weights()
    size = np.abs(kernel).max(axis=(0, 1))
    size = np.where(size > 0, size, 1).astype(np.float32)
    outputs = size.reshape(-1)
    depthwise.set_weights([kernel / size, *(b / outputs for b in bias)])
    norm.set_weights([gamma * outputs, beta, mean / outputs, variance])
