"""A small classifier of the shape of EfficientNet-Lite, with random weights, as tf_keras makes it.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019;
the Lite variants leave out squeeze-and-excitation and have ReLU6 in place of swish.
"""

from typing import Any

import numpy as np

from converters.tf import keras, seed_everything

SIDE, FEATURES, CLASSES = 32, 48, 5

_BLOCKS = ((1, 3, 8, 1), (6, 3, 12, 2), (6, 3, 12, 1), (6, 5, 16, 2))
"""Expansion, kernel, channels and stride of each block; the third has a shortcut."""


def classifier(images: np.ndarray, published: bool, seed: int = 0) -> Any:
    """Build a model, float32 [n, 32, 32, 3] in [-1, 1] to softmax [n, 5].

    Args:
        images: in [-1, 1], whose statistics BatchNorm takes over.
        published: whether it ends as the published files do, in AVERAGE_POOL_2D; else in MEAN.
        seed: of the weights.
    """
    seed_everything(seed)
    layers = keras().layers
    inputs = layers.Input((SIDE, SIDE, 3))
    data = _conv(inputs, 16, 3, 2)
    for expansion, kernel, channels, stride in _BLOCKS:
        data = _block(data, expansion, kernel, channels, stride)
    data = _conv(data, FEATURES, 1, 1)
    if published:
        pooled = layers.AveragePooling2D(data.shape[1])(data)
        pooled = layers.Flatten(name="embedding")(pooled)
    else:
        pooled = layers.GlobalAveragePooling2D(name="embedding")(data)
    dropped = layers.Dropout(0.2)(pooled)
    model = keras().Model(inputs, layers.Dense(CLASSES, activation="softmax")(dropped))
    for norm in model.layers:
        if isinstance(norm, layers.BatchNormalization):
            norm.momentum = 0.0  # one pass in training mode takes over the statistics
    model(images, training=True)
    return model


def embedding(model: Any, images: np.ndarray) -> np.ndarray:
    """What the model's last layer reads, float32 [n, 48]."""
    shorter = keras().Model(model.input, model.get_layer("embedding").output)
    return np.asarray(shorter(images, training=False))


def _block(data: Any, expansion: int, kernel: int, channels: int, stride: int) -> Any:
    layers = keras().layers
    inner = data
    if expansion > 1:
        inner = _conv(inner, expansion * data.shape[-1], 1, 1)
    inner = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False)(inner)
    inner = layers.ReLU(6.0)(layers.BatchNormalization()(inner))
    inner = layers.Conv2D(channels, 1, use_bias=False)(inner)
    inner = layers.BatchNormalization()(inner)
    if stride == 1 and data.shape[-1] == channels:
        return layers.Add()([data, inner])
    return inner


def _conv(data: Any, channels: int, kernel: int, stride: int) -> Any:
    layers = keras().layers
    data = layers.Conv2D(channels, kernel, stride, "same", use_bias=False)(data)
    return layers.ReLU(6.0)(layers.BatchNormalization()(data))
