"""The MobileNetV2 backbone: its layers as a table, and the tf_keras model.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018; layer names
and channel rounding as in ``tf_keras.applications.MobileNetV2``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from edge.errors import UsageError

ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
"""Width multipliers with published weights."""

SIZES = (96, 128, 160, 192, 224)
"""Input sizes in pixels with published ImageNet weights."""

BATCH_NORM_EPSILON = 1e-3

Weights = dict[str, list[NDArray[np.float32]]]
"""Weights by layer name, each layer's arrays in Keras' order."""

BLOCKS = (
    (16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (64, 1),
    (96, 1), (96, 1), (96, 1), (160, 2), (160, 1), (160, 1), (320, 1),
)  # fmt: skip
"""Channels before the width multiplier, and stride, of each of the 17 blocks."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with weights: ``kind`` is "conv", "depthwise" or "batch_norm"."""

    name: str
    kind: str
    shapes: tuple[tuple[int, ...], ...]


def check_alpha(alpha: float) -> float:
    """Return ``alpha`` if it is in :data:`ALPHAS`.

    Raises:
        UsageError: it is not; the message names the nearest.
    """
    if alpha in ALPHAS:
        return alpha
    best = min(ALPHAS, key=lambda known: abs(known - alpha))
    known = ", ".join(map(str, ALPHAS))
    raise UsageError(
        f"a width multiplier of {known}",
        f"{alpha:g}",
        f"use --alpha {best:g}",
        code="unsupported-alpha",
    )


def check_size(size: int, published: bool) -> int:
    """Return ``size`` if it is a valid input size; ``published``: it must be in :data:`SIZES`.

    Raises:
        UsageError: it is not; the message names the nearest.
    """
    if size in SIZES or (not published and 32 <= size <= 1024 and size % 32 == 0):
        return size
    if published:
        best, expected = min(SIZES, key=lambda s: abs(s - size)), ", ".join(map(str, SIZES))
    else:
        best, expected = min(1024, max(32, round(size / 32) * 32)), "a multiple of 32 up to 1024"
    raise UsageError(
        f"an input size of {expected} pixels",
        f"{size}",
        f"use --size {best}",
        code="unsupported-input-size",
    )


def layers(alpha: float) -> tuple[Layer, ...]:
    """Return the backbone's layers with weights, in order, without TensorFlow.

    >>> layers(1.0)[0]
    Layer(name='Conv1', kind='conv', shapes=((3, 3, 3, 32),))
    """
    table = list(_conv("Conv1", "bn_Conv1", 3, 3, _round(32 * alpha)))
    width = _round(32 * alpha)
    for index, (channels, _) in enumerate(BLOCKS):
        block = _block(index, width, _round(channels * alpha))
        table += block
        width = _round(channels * alpha)
    last = _round(1280 * alpha) if alpha > 1.0 else 1280
    table += _conv("Conv_1", "Conv_1_bn", 1, width, last)
    return tuple(table)


def infer_alpha(weights: Weights) -> float | None:
    """Return the width multiplier that matches the shapes of ``weights``; None if none does."""
    for alpha in ALPHAS:
        table = layers(alpha)
        if all(
            tuple(array.shape for array in weights.get(layer.name, ())) == layer.shapes
            for layer in table
        ):
            return alpha
    return None


def build(alpha: float, size: int, weights: Weights | None = None) -> Any:
    """Build a flat tf_keras model without a top.

    It maps float32 [n, size, size, 3] in [-1, 1] to a feature map float32 [n, size/32, size/32,
    1280 or more]. Without ``weights`` it is initialized by Keras.

    Raises:
        UsageError: there is no such ``alpha`` or ``size``.
    """
    check_alpha(alpha)
    check_size(size, published=False)
    model = tf.keras().applications.MobileNetV2(
        input_shape=(size, size, 3), alpha=alpha, include_top=False, weights=None
    )
    for name, arrays in (weights or {}).items():
        model.get_layer(name).set_weights(arrays)
    return model


def block_prefix(index: int) -> str:
    """Return how the names of a block's layers begin."""
    return f"block_{index}_" if index else "expanded_conv_"


def _block(index: int, width: int, out: int) -> list[Layer]:
    prefix = block_prefix(index)
    inner = width * 6 if index else width
    table: list[Layer] = []
    if index:
        table += _conv(f"{prefix}expand", f"{prefix}expand_BN", 1, width, inner)
    depthwise = Layer(f"{prefix}depthwise", "depthwise", ((3, 3, inner, 1),))
    table += [depthwise, _batch_norm(f"{prefix}depthwise_BN", inner)]
    table += _conv(f"{prefix}project", f"{prefix}project_BN", 1, inner, out)
    return table


def _conv(name: str, norm: str, kernel: int, inputs: int, outputs: int) -> tuple[Layer, Layer]:
    shape = (kernel, kernel, inputs, outputs)
    return Layer(name, "conv", (shape,)), _batch_norm(norm, outputs)


def _batch_norm(name: str, channels: int) -> Layer:
    return Layer(name, "batch_norm", ((channels,),) * 4)


def _round(channels: float, divisor: int = 8) -> int:
    """Round to a multiple of 8, never below 90 % of ``channels``."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded
