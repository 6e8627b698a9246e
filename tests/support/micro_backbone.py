"""A backbone that counts as pretrained, made in seconds: MobileNetV2 0.35 at 96 pixels.

Its 1×1 convolutions are random projections and its depthwise ones blur, without normalization: so
color and rough shape of an image reach its embedding, as they do in a trained network, while
deep random convolutions with BatchNorm would scramble them.
"""

from typing import Any

import numpy as np
from micro_model import SIZE

from converters.backbone import mobilenet_v2, weights
from converters.backbone.mobilenet_v2 import Weights
from converters.backbone.weights import Backbone

ALPHA = 0.35


def arrays(seed: int = 0) -> Weights:
    rng = np.random.default_rng(seed)
    weights = {}
    for layer in mobilenet_v2.layers(ALPHA):
        shape = layer.shapes[0]
        if layer.kind == "conv":
            gain = 0.5 if layer.name.endswith("project") else 1.4  # keeps activations below 6
            kernel = rng.normal(0, gain / np.sqrt(np.prod(shape[:3])), shape)
            weights[layer.name] = [kernel.astype(np.float32)]
        elif layer.kind == "depthwise":
            weights[layer.name] = [rng.normal(1 / 9, 0.03, shape).astype(np.float32)]
        else:
            ones, zeros = np.ones(shape, np.float32), np.zeros(shape, np.float32)
            scale = rng.uniform(0.8, 1.2, shape).astype(np.float32)
            weights[layer.name] = [scale, zeros + 0.05, zeros, ones]
    return weights


def model(seed: int = 0) -> Any:
    """A flat tf_keras backbone, float32 [n, 96, 96, 3] to [n, 3, 3, 1280]."""
    return mobilenet_v2.build(ALPHA, SIZE, arrays(seed))


def backbone(seed: int = 0) -> Backbone:
    """The backbone as the toolkit loads it from a file, made without TensorFlow."""
    return weights.pretrained_backbone("micro", arrays(seed), SIZE, {"source": "a test"})
