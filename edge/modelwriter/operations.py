"""Operations of TensorFlow Lite, each with the version that TensorFlow's converter gives it.

An interpreter refuses versions that it does not know, so each is the first that has what is used:
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc
Options are fields of the schema's tables; a field that is left out has its default.
"""

import numpy as np

from edge.modelfile.flatbuffer_writer import Scalar, Table, numbers, scalar
from edge.modelwriter.network import Operation, Options, Tensor, constant

NO_ACTIVATION, RELU6 = 0, 3
"""Of the schema's ActivationFunctionType."""

_SAME = 0  # padding
_SPATIAL = np.array([1, 2], np.int32)


def conv_2d(
    data: Tensor, kernel: Tensor, bias: Tensor, output: Tensor, stride: int, activation: int
) -> Operation:
    """Convolve with ``kernel`` [out, h, w, in], padded so that only the stride makes it smaller."""
    fields = {0: _byte(_SAME), 1: _int(stride), 2: _int(stride), 3: _byte(activation)}
    version = _version(data, kernel, integer=3, hybrid=5)
    return _operation(3, version, (data, kernel, bias), output, 1, fields)


def depthwise_conv_2d(
    data: Tensor, kernel: Tensor, bias: Tensor, output: Tensor, stride: int, activation: int
) -> Operation:
    """Convolve each channel by itself with ``kernel`` [1, h, w, channels], padded likewise."""
    fields = {0: _byte(_SAME), 1: _int(stride), 2: _int(stride), 3: _int(1), 4: _byte(activation)}
    version = _version(data, kernel, integer=3, hybrid=6)
    return _operation(4, version, (data, kernel, bias), output, 2, fields)


def add(first: Tensor, second: Tensor, output: Tensor) -> Operation:
    """Add two tensors of one shape."""
    version = _version(first, second, integer=2)
    return _operation(0, version, (first, second), output, 11, {0: _byte(NO_ACTIVATION)})


def spatial_mean(data: Tensor, output: Tensor) -> Operation:
    """Average [1, h, w, channels] to [1, channels]."""
    axes = constant("spatial axes", _SPATIAL)
    return _operation(40, _version(data, data, integer=2), (data, axes), output, 27, {0: _byte(0)})


def fully_connected(data: Tensor, kernel: Tensor, bias: Tensor, output: Tensor) -> Operation:
    """Multiply [1, n] with ``kernel`` [out, n] and add ``bias``."""
    hybrid = _is_hybrid(data, kernel)
    fields = {0: _byte(NO_ACTIVATION), 3: _byte(hybrid)}  # 3: asymmetric inputs, more exact
    version = _version(data, kernel, integer=4, hybrid=9)
    return _operation(9, version, (data, kernel, bias), output, 8, fields)


def softmax(data: Tensor, output: Tensor) -> Operation:
    """Turn logits into scores."""
    fields = {0: scalar("f", 1.0)}  # beta, whose default is 0
    return _operation(25, _version(data, data, integer=2), (data,), output, 9, fields)


def logistic(data: Tensor, output: Tensor) -> Operation:
    """Turn each logit into a score."""
    return Operation(14, _version(data, data, integer=2), (data,), (output,))


def resize_nearest(data: Tensor, output: Tensor) -> Operation:
    """Enlarge [1, h, w, channels] to the size of ``output`` by repeating values."""
    size = constant("size", np.array(output.shape[1:3], np.int32))
    version = _version(data, data, integer=2)
    return _operation(97, version, (data, size), output, 74, {})


def concatenation(data: tuple[Tensor, ...], axis: int, output: Tensor) -> Operation:
    """Join tensors along ``axis``; 8-bit ones and ``output`` all have the same scale."""
    fields = {0: _int(axis), 1: _byte(NO_ACTIVATION)}
    return _operation(2, _version(data[0], data[0], integer=2), data, output, 10, fields)


def reshape(data: Tensor, output: Tensor) -> Operation:
    """Give a tensor the shape of ``output``."""
    shape = constant("shape", np.array(output.shape, np.int32))
    table = Table({0: numbers("i", output.shape)})
    return Operation(22, 1, (data, shape), (output,), Options(17, table))


def quantize(data: Tensor, output: Tensor) -> Operation:
    """Quantize float32, or quantize 8 bits anew."""
    return Operation(114, 1, (data,), (output,), Options(89, Table()))


def dequantize(data: Tensor, output: Tensor) -> Operation:
    """Convert to float32."""
    version = {"float16": 3, "int8": 2}.get(data.dtype, 1)
    return Operation(6, version, (data,), (output,), Options(38, Table()))


def _operation(
    code: int,
    version: int,
    inputs: tuple[Tensor, ...],
    output: Tensor,
    options: int,
    fields: dict[int, Scalar],
) -> Operation:
    return Operation(code, version, inputs, (output,), Options(options, Table({**fields})))


def _version(data: Tensor, kernel: Tensor, integer: int, hybrid: int = 1) -> int:
    """Return a version by the types: float32 needs the first."""
    if _is_hybrid(data, kernel):
        return hybrid
    return integer if data.dtype == "int8" else 1


def _is_hybrid(data: Tensor, kernel: Tensor) -> bool:
    return data.dtype == "float32" and kernel.dtype == "int8"


def _byte(value: int) -> Scalar:
    return scalar("B", value)


def _int(value: int) -> Scalar:
    return scalar("i", value)
