"""Operations of a model as the Edge TPU rules see them: names, shapes, dtypes, constants."""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from edge.modelfile import operations
from edge.modelfile.flatbuffer import FlatbufferError, FlatbufferTable
from edge.modelfile.tflite import Graph, ModelFile, OpInfo, TensorInfo

_MAX_INTEGERS = 64
"""Values of a shape, of axes or of a padding that are read; none has more."""


class Content:
    """Bytes of a constant, which tensors can share."""

    def __init__(self, data: memoryview) -> None:
        self.data = data

    @cached_property
    def repeated(self) -> int | None:
        """The value of all bytes; None where they differ, or where there are none."""
        if not self.data or np.any(np.frombuffer(self.data, np.uint8) != self.data[0]):
            return None
        return int(self.data[0])


@dataclass(frozen=True, slots=True)
class Operand:
    """A tensor that an operation reads or writes.

    ``constant``: neither computed nor an input; then ``content`` holds its values. ``buffer``:
    index of its buffer in the file, which tensors can share. ``detached``: its values lie behind
    the FlatBuffer.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    quantized: bool
    zero_point: int
    constant: bool
    buffer: int
    content: Content
    detached: bool

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    def integers(self) -> tuple[int, ...]:
        """Return the values of an int32 or int64 constant: a shape, axes or a padding."""
        width = 8 if self.dtype == "int64" else 4
        count = min(len(self.content.data) // width, _MAX_INTEGERS)
        return tuple(np.frombuffer(self.content.data, f"<i{width}", count).tolist())

    def is_zero(self) -> bool:
        """Check that all values of an 8-bit constant represent 0."""
        empty = not self.content.data
        return empty or self.content.repeated == self.zero_point % 256

    def __str__(self) -> str:
        return f"{self.dtype} [{' × '.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class OpNode:
    """An operation of the main graph; ``parents`` are those whose outputs it reads.

    ``name`` as in the schema, or ``CUSTOM:Name``; an input that is left out is None.
    """

    index: int
    name: str
    version: int
    inputs: tuple[Operand | None, ...]
    outputs: tuple[Operand, ...]
    options: FlatbufferTable | None
    parents: tuple["OpNode", ...] = field(compare=False, repr=False)

    @property
    def activations(self) -> tuple[Operand, ...]:
        """Inputs that are not constant, and outputs."""
        read = (operand for operand in self.inputs if operand and not operand.constant)
        return (*read, *self.outputs)

    @property
    def constants(self) -> tuple[Operand, ...]:
        """Constant inputs."""
        return tuple(operand for operand in self.inputs if operand and operand.constant)

    @property
    def output(self) -> Operand:
        """First output.

        Raises:
            FlatbufferError: it has none.
        """
        if not self.outputs:
            raise FlatbufferError(f"operation {self.index} has no output")
        return self.outputs[0]

    def operand(self, position: int) -> Operand | None:
        """Return the input at ``position``, or None."""
        return self.inputs[position] if position < len(self.inputs) else None

    def option(self, field: int, layout: str = "i", default: int = 0) -> int:
        """Return a scalar of the builtin options, by its field number in the schema."""
        return default if self.options is None else self.options.integer(field, layout, default)


def nodes(file: ModelFile) -> tuple[OpNode, ...]:
    """Return the operations of the main graph, in the order of execution.

    Raises:
        FlatbufferError: an operation reads the output of a later one.
    """
    names, graph = operations.op_names(), file.main
    producers = {
        tensor: i for i, op in enumerate(graph.operators) for tensor in op.outputs if tensor >= 0
    }
    changing = producers.keys() | set(graph.inputs)
    view = memoryview(file.content)
    contents = {span: Content(view[span[0] : sum(span)]) for span in {(0, 0), *file.buffers}}
    operands = [
        _operand(tensor, i not in changing, contents[_span(tensor, file)], file)
        for i, tensor in enumerate(graph.tensors)
    ]
    nodes: list[OpNode] = []
    for index, op in enumerate(graph.operators):
        node = OpNode(
            index=index,
            name=_name(op, names),
            version=op.version,
            inputs=tuple(operands[i] if i >= 0 else None for i in op.inputs),
            outputs=tuple(operands[i] for i in op.outputs if i >= 0),
            options=op.options,
            parents=tuple(nodes[i] for i in _parents(index, op, producers)),
        )
        nodes.append(node)
    return tuple(nodes)


def _parents(index: int, op: OpInfo, producers: dict[int, int]) -> list[int]:
    parents = sorted({producers[tensor] for tensor in op.inputs if tensor in producers})
    if parents and parents[-1] >= index:
        raise FlatbufferError(f"operation {index} reads the output of a later one")
    return parents


def names(graph: Graph) -> tuple[str, ...]:
    """Return the names of a graph's operations."""
    known = operations.op_names()
    return tuple(_name(op, known) for op in graph.operators)


def _name(op: OpInfo, names: dict[int, str]) -> str:
    return f"CUSTOM:{op.custom}" if op.custom else names.get(op.code, f"operation {op.code}")


def _span(tensor: TensorInfo, file: ModelFile) -> tuple[int, int]:
    return file.buffers[tensor.buffer] if tensor.buffer else (0, 0)


def _operand(tensor: TensorInfo, constant: bool, content: Content, file: ModelFile) -> Operand:
    return Operand(
        name=tensor.name,
        shape=tensor.shape,
        dtype=tensor.dtype,
        quantized=bool(tensor.scales),
        zero_point=tensor.zero_points[0] if tensor.zero_points else 0,
        constant=constant,
        buffer=tensor.buffer,
        content=content,
        detached=tensor.buffer in file.detached,
    )
