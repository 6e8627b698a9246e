"""Structure of a model: what the kernels of an interpreter take for granted, and do not check.

TensorFlow Lite's kernels follow an operation's inputs, strides and scales as they are: an input
that is missing, or one that nothing has computed, is a crash and no error. :func:`check` refuses
what no converter writes. It cannot know all that a kernel assumes: see :mod:`edge.model_trial`.
Numbers of operations and fields are those of TensorFlow Lite's ``schema.fbs``; how many inputs an
operation takes is what its kernel reads.
"""

import math
from collections.abc import Iterator

import numpy as np

from edge.errors import ModelError
from edge.modelfile.flatbuffer import FlatbufferError
from edge.modelfile.tflite import CUSTOM, Graph, ModelFile, OpInfo, TensorInfo
from edge.quantities import counted

MAX_TENSOR_BYTES = 1 << 31
MAX_SUBGRAPHS = 256

_ANY = 1 << 16
_INPUTS: dict[int, tuple[int, int]] = {
    **dict.fromkeys((
        1, 5, 6, 8, 11, 12, 13, 14, 17, 19, 20, 21, 25, 26, 28, 30, 43, 47, 50, 53, 59, 66, 73, 75,
        76, 77, 80, 87, 88, 92, 93, 98, 101, 103, 104, 108, 109, 110, 111, 113, 114, 116, 117, 124,
        133, 134, 135, 144, 147, 148, 149, 151, 153, 159, 160,
    ), (1, 1)),
    **dict.fromkeys((
        0, 7, 18, 23, 34, 36, 39, 40, 41, 42, 48, 49, 54, 55, 56, 57, 58, 61, 62, 63, 69, 70, 71,
        72, 74, 78, 79, 81, 82, 84, 86, 89, 90, 91, 94, 95, 97, 99, 100, 105, 107, 112, 115, 125,
        126, 128, 130, 131, 141, 145, 146, 150, 157, 161, 162,
    ), (2, 2)),
    **dict.fromkeys((
        3, 4, 10, 37, 38, 60, 64, 65, 96, 102, 122, 123, 152, 154, 155, 156, 158,
    ), (3, 3)),
    **dict.fromkeys((45, 68, 85), (4, 4)),
    **dict.fromkeys((24, 27, 33, 35, 120), (5, 5)),
    121: (6, 6),  # NON_MAX_SUPPRESSION_V5
    22: (1, 2),  # RESHAPE
    **dict.fromkeys((9, 132), (2, 3)),  # FULLY_CONNECTED, CONV_3D
    **dict.fromkeys((67, 142), (3, 4)),  # transposed convolutions
    **dict.fromkeys((2, 83, 106), (1, _ANY)),  # CONCATENATION, PACK, ADD_N
    16: (5, 24),  # LSTM
    44: (20, 24),
    52: (39, 48),
}  # fmt: skip
"""Least and greatest number of inputs, by operation; others are not checked."""

_OPTIONAL = {9: (2,), 67: (3,), 27: (3,), 16: range(24), 44: range(24), 52: range(48)}
"""Inputs that may be left out as −1, by operation: a bias, and the peepholes of LSTMs."""

_WITHOUT_OUTPUT = (32, 118, 119, 129, 138, 145)
"""CUSTOM, IF, WHILE, CALL_ONCE, HASHTABLE_IMPORT, ASSIGN_VARIABLE."""

_POSITIVE: dict[int, tuple[tuple[int, str, int], ...]] = {
    1: ((1, "stride", 0), (2, "stride", 0), (3, "window", 0), (4, "window", 0)),
    12: ((1, "stride", 0), (2, "stride", 0), (3, "window", 0), (4, "window", 0)),
    17: ((1, "stride", 0), (2, "stride", 0), (3, "window", 0), (4, "window", 0)),
    3: ((1, "stride", 0), (2, "stride", 0), (4, "dilation", 1), (5, "dilation", 1)),
    4: ((1, "stride", 0), (2, "stride", 0), (5, "dilation", 1), (6, "dilation", 1)),
    67: ((1, "stride", 0), (2, "stride", 0)),
    5: ((0, "block size", 0),),
    26: ((0, "block size", 0),),
    49: ((0, "number of parts", 0),),
}
"""Options that a kernel divides by, with their defaults: (field, name, default) by operation."""

_COPYING = (22, 43, 70)
"""RESHAPE, SQUEEZE, EXPAND_DIMS copy all bytes of their input, whatever the type of the output."""

_CALLS = {31: ((0, "I"),), 118: ((0, "i"), (1, "i")), 119: ((0, "i"), (1, "i")), 129: ((0, "i"),)}
"""Fields of the options of CALL, IF, WHILE and CALL_ONCE that are numbers of subgraphs."""

_QUANTIZED = {"uint8": (0, 255), "int8": (-128, 127), "int16": (-32768, 32767)}
_SCALES = 1e-20, 1e20
"""Scales of computed values lie between these; kernels divide by them."""

_BITS = {"int4": 4, "uint4": 4, "int2": 2, "bfloat16": 16, "float8_e4m3fn": 8, "float8_e5m2": 8}
_UNSIZED = ("string", "resource", "variant")


def check(file: ModelFile, name: str) -> None:
    """Check the structure of a model that is to be run; ``name`` is its name in errors.

    Raises:
        ModelError: an operation lacks inputs, reads what nothing has computed or writes a
            constant; a shape, a scale or an option is impossible; subgraphs call each other.
    """
    try:
        for graph in file.graphs:
            for tensor in graph.tensors:
                _check_tensor(tensor, file)
            for number, operation in enumerate(graph.operators):
                _check_operation(operation, f"operation {number}")
                _check_copy(operation, graph, f"operation {number}")
            _check_order(graph, file)
        _check_calls(file)
    except FlatbufferError as error:
        raise ModelError(
            "a model whose operations have what they need",
            f"{name}, which is damaged ({error})",
            "copy or download the file again, or convert the model again",
            code="model-damaged",
            summary=f"{name} is damaged ({error})",
        ) from None


def _check_tensor(tensor: TensorInfo, file: ModelFile) -> None:
    what = f"tensor {tensor.name!r}"
    if any(size < -1 for size in tensor.shape):
        raise FlatbufferError(f"{what} has the shape {list(tensor.shape)}")
    size = tensor_bytes(tensor)
    if size > MAX_TENSOR_BYTES:
        raise FlatbufferError(f"{what} of shape {list(tensor.shape)} needs {counted(size, 'byte')}")
    constant = _is_constant(tensor, file)
    if constant and not tensor.sparse and tensor.dtype not in _UNSIZED:
        stored = file.buffers[tensor.buffer][1]
        if stored != size:
            raise FlatbufferError(f"{what} needs {counted(size, 'byte')}, and has {stored:,}")
    _check_quantization(tensor, what, constant)


def _check_quantization(tensor: TensorInfo, what: str, constant: bool) -> None:
    scales, zero_points = tensor.scales, tensor.zero_points
    if tensor.dtype not in _QUANTIZED or not scales:
        return
    if not all(math.isfinite(scale) and scale >= 0 for scale in scales):
        raise FlatbufferError(f"{what} has a scale that is no positive number")
    if not constant and any(not _SCALES[0] <= scale <= _SCALES[1] for scale in scales):
        raise FlatbufferError(f"{what} has an impossible scale of {scales[0]:g}")
    low, high = _QUANTIZED[tensor.dtype]
    if any(not low <= point <= high for point in zero_points):
        raise FlatbufferError(f"{what} has a zero point that is no {tensor.dtype}")
    if len(scales) > 1 and (
        not 0 <= tensor.axis < len(tensor.shape) or len(scales) != tensor.shape[tensor.axis]
    ):
        raise FlatbufferError(f"{what} has {len(scales)} scales for {list(tensor.shape)}")
    if len(zero_points) not in (0, 1, len(scales)):
        raise FlatbufferError(f"{what} has {len(scales)} scales, {len(zero_points)} zero points")


def _check_operation(operation: OpInfo, what: str) -> None:
    code, inputs = operation.code, operation.inputs
    if operation.custom or code == CUSTOM:
        return
    what = f"{what} (code {code})"
    least, most = _INPUTS.get(code, (0, _ANY))
    if not least <= len(inputs) <= most:
        raise FlatbufferError(f"{what} has {counted(len(inputs), 'input')}")
    optional = _OPTIONAL.get(code, ())
    if code in _INPUTS and any(i < 0 and at not in optional for at, i in enumerate(inputs)):
        raise FlatbufferError(f"{what} lacks an input")
    if code not in _WITHOUT_OUTPUT and (not operation.outputs or min(operation.outputs) < 0):
        raise FlatbufferError(f"{what} has no output")
    for field, option, default in _POSITIVE.get(code, ()):
        value = operation.options.integer(field, "i", default) if operation.options else 0
        if value < 1:
            raise FlatbufferError(f"{what} has a {option} of {value}")


def _check_copy(operation: OpInfo, graph: Graph, what: str) -> None:
    if operation.code in _COPYING:
        before, after = graph.tensors[operation.inputs[0]], graph.tensors[operation.outputs[0]]
        if before.dtype != after.dtype:
            raise FlatbufferError(f"{what} copies {before.dtype} into {after.dtype}")


def _check_order(graph: Graph, file: ModelFile) -> None:
    """Check that every operation reads what is there by then, and writes nothing that is."""
    there = {*graph.inputs}
    for index, tensor in enumerate(graph.tensors):
        if tensor.variable or _is_constant(tensor, file) or 0 in tensor.shape:
            there.add(index)
    writable = {index for index, tensor in enumerate(graph.tensors) if tensor.variable}
    for number, operation in enumerate(graph.operators):
        for index in operation.inputs:
            if index >= 0 and index not in there:
                raise FlatbufferError(
                    f"operation {number} reads tensor {index}, which nothing has computed"
                )
        for index in operation.outputs:
            if index in there and index not in writable and 0 not in graph.tensors[index].shape:
                raise FlatbufferError(f"operation {number} overwrites tensor {index}")
        there.update(operation.outputs)
    for index in graph.outputs:
        if index not in there:
            raise FlatbufferError(f"output {index} is computed by no operation")


def _check_calls(file: ModelFile) -> None:
    """Check that calls lead to subgraphs, and never back."""
    if len(file.graphs) > MAX_SUBGRAPHS:
        raise FlatbufferError(f"it has {counted(len(file.graphs), 'subgraph')}")
    left = {number: set(_called(graph, file)) for number, graph in enumerate(file.graphs)}
    while ready := [number for number, others in left.items() if not others & left.keys()]:
        for number in ready:
            del left[number]
    if left:
        raise FlatbufferError(f"subgraph {min(left)} calls itself")


def _called(graph: Graph, file: ModelFile) -> Iterator[int]:
    for operation in graph.operators:
        for field, layout in _CALLS.get(operation.code, ()):
            options = operation.options
            number = options.integer(field, layout) if options else -1
            if not 0 < number < len(file.graphs):
                raise FlatbufferError(f"it calls subgraph {number}")
            yield number


def _is_constant(tensor: TensorInfo, file: ModelFile) -> bool:
    return tensor.buffer > 0 and file.buffers[tensor.buffer][1] > 0


def tensor_bytes(tensor: TensorInfo) -> int:
    """Return the bytes of a tensor's values; sizes that are open count as 1."""
    values = math.prod(abs(size) for size in tensor.shape)
    if tensor.dtype in _UNSIZED:
        return values
    bits = _BITS.get(tensor.dtype) or 8 * np.dtype(tensor.dtype).itemsize
    return -(-values * bits // 8)
