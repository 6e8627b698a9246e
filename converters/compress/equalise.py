"""Equalise: convolution kernels of one size in all channels, without changing what a model says.

Pretrained kernels differ by up to seventy times between channels, BatchNorm having been folded
into them, say. That spoils two things. An optimiser such as Adam changes all weights by steps of
one size, too large for small kernels. And the toolkit's quantisation-aware training rounds a
depthwise kernel with one scale for all channels, most of which it would round to nothing. Nagel
et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, move
such factors to another layer; here the BatchNorm behind takes them.
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
    # By output: a depthwise kernel [3, 3, channels, 1] has its channels one axis further left.
    flat = kernel.reshape(-1, len(mean)) if kernel.shape[3] == len(mean) else kernel[..., 0]
    size = np.abs(flat).max(axis=tuple(range(flat.ndim - 1)))
    size = np.where(size > 0, size, 1).astype(np.float32)
    convolution.set_weights([(flat / size).reshape(kernel.shape), *(b / size for b in bias)])
    norm.set_weights([gamma * size, beta, mean / size, variance])
