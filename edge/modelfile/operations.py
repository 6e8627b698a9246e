"""Operations of a .tflite file: names, counts, quantization, and the cost of an inference.

Everything is read from the file alone. Costs count only convolutions and dense layers, which hold
the weights and do the work.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.modelfile.structure import tensor_bytes
from edge.modelfile.tflite import Graph, ModelFile, OpInfo, TensorInfo

DEQUANTIZE, QUANTIZE = 6, 114
"""Numbers of the schema's BuiltinOperator."""

_FLOATS = ("float32", "float16", "float64", "bfloat16")


@dataclass(frozen=True, slots=True)
class OpCount:
    """Operations of one kind and version; ``parameter_bytes``: size of the constants they read."""

    name: str
    version: int
    count: int
    parameter_bytes: int

    def to_dict(self) -> dict[str, str | int]:
        """Return the fields as JSON values."""
        return {
            "name": self.name,
            "version": self.version,
            "count": self.count,
            "parameter_bytes": self.parameter_bytes,
        }


def operations(file: ModelFile) -> tuple[OpCount, ...]:
    """Count the operations of all graphs, the most frequent first."""
    names = op_names()
    counts: Counter[tuple[str, int]] = Counter()
    sizes: Counter[tuple[str, int]] = Counter()
    seen: set[int] = set()
    for graph in file.graphs:
        for op in graph.operators:
            key = (op.custom or names.get(op.code, f"operation {op.code}"), op.version)
            counts[key] += 1
            for buffer in _constants(graph, op) - seen:
                seen.add(buffer)
                sizes[key] += file.buffers[buffer][1]
    return tuple(OpCount(*key, count, sizes[key]) for key, count in counts.most_common())


def op_names() -> dict[int, str]:
    """Return the names of the schema's BuiltinOperator by number; empty without ai-edge-litert."""
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError:
        return {}
    return {
        number: name
        for name, number in vars(schema.BuiltinOperator).items()
        if isinstance(number, int)
    }


def quantization(file: ModelFile) -> dict[str, Any]:
    """Describe the quantization of a model.

    Returns:
        ``kind``: a phrase; ``weights``: bytes of the constants by dtype; ``activations``: number
        of computed tensors by dtype.
    """
    weights: Counter[str] = Counter()
    activations: Counter[str] = Counter()
    inner: Counter[str] = Counter()  # without quantize and dequantize operations
    for graph in file.graphs:
        for op in graph.operators:
            for index in _present(op.inputs):
                tensor = graph.tensors[index]
                weights[tensor.dtype] += _size(file, tensor.buffer)
            for index in _present(op.outputs):
                dtype = graph.tensors[index].dtype
                activations[dtype] += 1
                if op.code not in (DEQUANTIZE, QUANTIZE):
                    inner[dtype] += 1
    weights = +weights
    return {
        "kind": _kind(file, weights, inner),
        "weights": dict(weights),
        "activations": dict(activations),
    }


def _kind(file: ModelFile, weights: Counter[str], inner: Counter[str]) -> str:
    if file.for_edgetpu:
        return "integer, compiled for the Edge TPU"
    floats = any(inner[dtype] for dtype in _FLOATS)
    integers = any(inner[dtype] for dtype in ("int8", "uint8", "int16"))
    if integers and not floats:
        ends = {tensor.dtype for tensor in (*file.inputs, *file.outputs)}
        through = "" if ends.isdisjoint(_FLOATS) else " inside, float at the ends"
        return f"full integer{through}"
    if integers:
        return "partly integer, partly float"
    if weights["int8"] or weights["uint8"]:
        return "dynamic range (integer weights, float activations)"
    if weights["float16"]:
        return "float16 weights, float32 activations"
    return "none (float32)" if floats else "none"


def _constants(graph: Graph, op: OpInfo) -> set[int]:
    """Return the numbers of the buffers with the constants among an operation's inputs."""
    return {graph.tensors[index].buffer for index in _present(op.inputs)} - {0}


def _present(indices: Iterable[int]) -> tuple[int, ...]:
    return tuple(index for index in indices if index >= 0)


def _size(file: ModelFile, buffer: int) -> int:
    return file.buffers[buffer][1] if buffer else 0


CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV = 3, 4, 9, 67
WEIGHTED = (CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV)
"""Numbers of the schema's BuiltinOperator: operations with weights as their second input."""

DENSIFY = 124
_UNPACKING = (DEQUANTIZE, DENSIFY)
_PACKED = {"int4": 2, "uint4": 2, "int2": 4}
"""Values per byte."""


@dataclass(frozen=True, slots=True)
class ModelCost:
    """Parameters, multiply-adds and sparsity of a model.

    Attributes:
        parameters: Number of weights and biases.
        multiply_adds: Multiply-adds of one inference.
        sparsity: Share (0–1) of the weights that are zero; 0 where there are no weights.
    """

    parameters: int
    multiply_adds: int
    sparsity: float


def model_cost(file: ModelFile) -> ModelCost:
    """Sum up all convolutions and dense layers of a file; shared weights count once.

    Weights that the file unpacks when it runs (from float16, or from a sparse encoding) count as
    they are after that; of a sparse encoding, what is not stored is zero.

    Raises:
        ModelError: stored weights do not match their type and shape.
    """
    weights: dict[int, tuple[int, int]] = {}  # by buffer, which tensors may share
    biases: dict[tuple[int, int], int] = {}
    multiply_adds = 0
    for number, graph in enumerate(file.graphs):
        unpacked = _unpacked(graph)
        for operation in _weighted(graph):
            kernel = graph.tensors[_stored(operation.inputs[1], unpacked)]
            multiply_adds += _multiply_adds(operation, graph)
            if kernel.buffer not in weights and _is_constant(kernel, file):
                weights[kernel.buffer] = _count(kernel, file)
            for index in _biases(operation):
                tensor = graph.tensors[_stored(index, unpacked)]
                biases[number, index] = math.prod(tensor.shape)
    size = sum(count for count, _ in weights.values())
    zeros = sum(zero for _, zero in weights.values())
    return ModelCost(size + sum(biases.values()), multiply_adds, zeros / size if size else 0.0)


_UNCOUNTED = frozenset({16, 24, 27, 31, 32, 35, 44, 52, 118, 119, 126, 132, 142})
"""LSTM, RNN, SVDF, CALL, CUSTOM, IF, WHILE, BATCH_MATMUL, CONV_3D and their relatives."""


def work(file: ModelFile) -> int:
    """Estimate how much an inference computes, in multiply-adds, as an upper bound.

    Every value of a result counts as 10; where there are operations whose work is not known, they
    count as 10⁹. The structure of the file has to be sound (:mod:`edge.modelfile.structure`).
    """
    total = 0
    codes = {operation.code for graph in file.graphs for operation in graph.operators}
    for graph in file.graphs:
        total += sum(abs(_multiply_adds(operation, graph)) for operation in _weighted(graph))
        written = (index for op in graph.operators for index in _present(op.outputs))
        total += sum(10 * abs(math.prod(graph.tensors[index].shape)) for index in written)
    return total + (0 if _UNCOUNTED.isdisjoint(codes) else 10**9)


def least_bytes(file: ModelFile) -> int:
    """Return the bytes that the computed tensors of a single operation take at the most."""
    return max(
        (
            sum(tensor_bytes(graph.tensors[index]) for index in {*op.inputs, *op.outputs} - {-1}
                if not _is_constant(graph.tensors[index], file))
            for graph in file.graphs
            for op in graph.operators
        ),
        default=0,
    )  # fmt: skip


def _weighted(graph: Graph) -> Iterator[OpInfo]:
    for operation in graph.operators:
        if operation.code in WEIGHTED and len(operation.inputs) > 1 and operation.outputs:
            yield operation


def _biases(operation: OpInfo) -> tuple[int, ...]:
    at = 3 if operation.code == TRANSPOSE_CONV else 2
    return tuple(index for index in operation.inputs[at : at + 1] if index >= 0)


def _unpacked(graph: Graph) -> dict[int, int]:
    """Return the tensors that unpack others: output → input of the operation that does it."""
    return {
        op.outputs[0]: op.inputs[0]
        for op in graph.operators
        if op.code in _UNPACKING and op.inputs and op.outputs
    }


def _stored(index: int, unpacked: dict[int, int]) -> int:
    """Return the stored tensor behind the one that an operation uses."""
    for _ in _UNPACKING:  # each at most once
        if index not in unpacked:
            break
        index = unpacked[index]
    return index


def _is_constant(tensor: TensorInfo, file: ModelFile) -> bool:
    return tensor.buffer > 0 and file.buffers[tensor.buffer][1] > 0


def _multiply_adds(operation: OpInfo, graph: Graph) -> int:
    kernel = graph.tensors[operation.inputs[1]].shape
    values = math.prod(graph.tensors[operation.outputs[0]].shape)
    if operation.code == TRANSPOSE_CONV:  # every value of its image meets the whole kernel
        return math.prod(graph.tensors[operation.inputs[2]].shape) * math.prod(kernel[:3])
    if operation.code == DEPTHWISE_CONV_2D:  # [1, height, width, channels]
        return values * math.prod(kernel[1:3])
    return values * math.prod(kernel[1:])


def _count(tensor: TensorInfo, file: ModelFile) -> tuple[int, int]:
    """Count the weights that a stored tensor stands for, and the zeros among them."""
    size = math.prod(tensor.shape)
    values = _values(tensor, file.buffer(tensor.buffer))
    if len(values) > size:
        raise _contradiction(tensor)
    return size, size - int(np.count_nonzero(values))


def _values(tensor: TensorInfo, data: bytes) -> NDArray[np.generic]:
    """Return the stored values, with 0 wherever the real value is 0."""
    if tensor.dtype in _PACKED:
        bits = 8 // _PACKED[tensor.dtype]
        octets = np.frombuffer(data, np.uint8)[:, None]
        parts = (octets >> np.arange(0, 8, bits, dtype=np.uint8)) & (2**bits - 1)
        return np.asarray(parts.reshape(-1)[: math.prod(tensor.shape)])
    try:
        values = np.frombuffer(data, tensor.dtype)
    except (TypeError, ValueError):
        raise _contradiction(tensor) from None
    if not any(tensor.zero_points):
        return values
    points = np.array(tensor.zero_points, np.int64)
    if len(points) == 1:
        return np.asarray(values != points[0])
    shape = [1] * len(tensor.shape)
    shape[tensor.axis] = -1
    return np.asarray(values.reshape(tensor.shape) != points.reshape(shape)).reshape(-1)


def _contradiction(tensor: TensorInfo) -> ModelError:
    return ModelError(
        f"weights of shape {list(tensor.shape)} and type {tensor.dtype}",
        f"other data in the tensor {tensor.name}",
        "copy or download the file again",
        code="model-damaged",
    )
