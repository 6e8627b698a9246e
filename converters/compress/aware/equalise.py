"""Equalise: depthwise kernels of one size in all channels, without changing what a model says.

The toolkit rounds a depthwise kernel with one scale for all its channels. Those of pretrained
networks differ by up to seventy times, so that most would be rounded to nothing. Nagel et al.,
"Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, move such
factors to another layer; here the BatchNorm behind takes them.
"""

from typing import Any

import numpy as np

from converters import tf
from converters.compress.wrappers import clone


def equalised(model: Any) -> Any:
    """A copy of a flat tf_keras model whose convolutions reach to 1 or -1 in every channel.

    Only those followed by BatchNorm change. Scores stay as they are, but for float rounding.
    """
    layers = tf.keras().layers
    copy = clone(model)
    for layer in copy.layers:
        followers = [node.outbound_layer for node in layer.outbound_nodes]
        if not isinstance(layer, layers.Conv2D) or len(followers) != 1:
            continue
        if isinstance(followers[0], layers.BatchNormalization):
            _move_scale(layer, followers[0])
    return copy


def _move_scale(convolution: Any, norm: Any) -> None:
    kernel, *bias = convolution.get_weights()
    gamma, beta, mean, variance = norm.get_weights()
    by_output = kernel.swapaxes(2, 3) if kernel.shape[3] == 1 != len(mean) else kernel
    size = np.abs(by_output).max(axis=(0, 1, 2))
    size = np.where(size > 0, size, 1).astype(np.float32)
    scaled = by_output / size
    convolution.set_weights([scaled.reshape(kernel.shape), *(b / size for b in bias)])
    norm.set_weights([gamma * size, beta, mean / size, variance])
