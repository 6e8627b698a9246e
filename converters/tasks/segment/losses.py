"""What training of a segmenter minimizes: weighted cross-entropy, and one minus the Dice score."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf

_LEAST, _MOST = 0.5, 4.0
"""Bounds of the weights of classes."""


def class_weights(pixels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the weight of each class, float32 [classes], from its pixels in the training images.

    Rare classes weigh more, by the root of how rare they are: with the inverse itself they are
    predicted far too often.
    """
    present = np.maximum(pixels, 1) / max(1, int(pixels.sum()))
    weights = np.sqrt(1 / (len(pixels) * present))
    weights = np.where(pixels > 0, weights, 1.0)
    return np.clip(weights, _LEAST, _MOST).astype(np.float32)


def segmentation_loss(logits: Any, masks: Any, weights: NDArray[np.float32]) -> Any:
    """Return the loss of a batch, a scalar: cross-entropy plus Dice.

    Each cell is to have the shares of the classes among its pixels. Dice is that of Milletari et
    al., "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation"
    (3DV 2016), with the sums of a batch, the mean over the classes in it. Void pixels do not count.

    Args:
        logits: float32 [b, h, w, classes].
        masks: uint8 [b, stride × h, stride × w].
        weights: of the classes, float32 [classes].
    """
    tensorflow = tf.tensorflow()
    shares = _shares(logits, masks)
    weighted = shares * weights
    total = tensorflow.reduce_sum(weighted)
    entropy = -tensorflow.reduce_sum(weighted * tensorflow.nn.log_softmax(logits))
    known = tensorflow.reduce_sum(shares, axis=-1, keepdims=True)
    predicted = tensorflow.nn.softmax(logits) * known
    shared, true, named = (
        tensorflow.reduce_sum(each, axis=(0, 1, 2))
        for each in (predicted * shares, shares, predicted)
    )
    dice = (2 * shared + 1) / (true + named + 1)
    present = tensorflow.cast(true > 0, tensorflow.float32)
    missing = tensorflow.reduce_sum((1 - dice) * present)
    return entropy / (total + 1e-6) + missing / (tensorflow.reduce_sum(present) + 1e-6)


def _shares(logits: Any, masks: Any) -> Any:
    """Return the share of each class in the pixels of each cell, those of void left out."""
    tensorflow = tf.tensorflow()
    classes, stride = logits.shape[-1], masks.shape[1] // logits.shape[1]
    pixels = tensorflow.nn.space_to_depth(masks[..., None], stride)
    layers = tensorflow.unstack(pixels, axis=-1)
    return tensorflow.add_n([tensorflow.one_hot(each, classes) for each in layers]) / len(layers)
