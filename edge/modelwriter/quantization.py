"""Quantization to int8, as TensorFlow Lite's specification demands it.

Weights are symmetric, their scale is the greatest value over 127; activations have a zero point.
https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/quantization_spec
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.modelwriter.network import Quantization, Tensor, constant, quantization_of

SCORES = {"int8": (1 / 256, -128), "uint8": (1 / 256, 0)}
"""Scale and zero point of scores from 0 to 1, which the kernel of SOFTMAX demands."""

MAX_BIAS = 1 << 30
"""Bound of an int32 bias: the sum of the products is added to it, and must not overflow."""


def activation_range(low: float, high: float) -> Quantization:
    """Return the int8 quantization of values from ``low`` to ``high``; 0 is always exact."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / 255 or 1.0  # nothing but zeros
    zero_point = int(np.clip(np.rint(-128 - low / scale), -128, 127))
    return quantization_of(scale, zero_point)


def quantize_layer(
    name: str,
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32],
    input_scale: float,
    axis: int | None,
) -> tuple[Tensor, Tensor]:
    """Return the weights of a layer in int8, and its bias in int32.

    Args:
        name: start of the names of both.
        kernel: float32, of any shape.
        bias: float32 [out].
        input_scale: scale of the layer's input.
        axis: see :func:`quantize_kernel`.

    Where a bias is huge beside its weights, as in a channel that BatchNorm left without a signal,
    the scale of the weights is widened until the bias fits.
    """
    largest = np.abs(bias.astype(np.float64))
    if axis is None:
        largest = largest.max(keepdims=True)
    weights = quantize_kernel(name, kernel, axis, largest / (MAX_BIAS * float(input_scale)))
    assert weights.quantization is not None
    scales = np.float32(input_scale) * weights.quantization.scales
    codes = _round(bias.astype(np.float64) / scales).astype(np.int32)
    return weights, constant(f"{name}/bias", codes, Quantization(scales))


def quantize_kernel(
    name: str,
    kernel: NDArray[np.float32],
    axis: int | None,
    least: "NDArray[np.float64] | float" = 0.0,
) -> Tensor:
    """Return weights in int8.

    Args:
        name: start of its name.
        kernel: float32, of any shape.
        axis: dimension of the output channels, each of which gets a scale; None: one for all.
        least: what no scale may fall below.
    """
    others = None if axis is None else tuple(d for d in range(kernel.ndim) if d != axis)
    greatest = np.atleast_1d(np.abs(kernel).max(axis=others)).astype(np.float64)
    scales = np.maximum(np.where(greatest > 0, greatest / 127, 1.0), least).astype(np.float32)
    shape = [1] * kernel.ndim
    if axis is not None:
        shape[axis] = len(scales)
    inverse = (np.float32(1) / scales).reshape(shape)  # TensorFlow multiplies: ties are decided so
    codes = np.clip(_round(kernel * inverse), -127, 127).astype(np.int8)
    return constant(f"{name}/kernel", codes, Quantization(scales, 0, axis or 0))


def _round(values: NDArray[Any]) -> NDArray[Any]:
    """Round halves away from zero, as TensorFlow Lite does."""
    return np.asarray(np.trunc(values + np.copysign(values.dtype.type(0.5), values)))
