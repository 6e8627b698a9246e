"""Operations and quantization of a model file."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from edge.modelfile.tflite import Graph, ModelFile, OpInfo

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
