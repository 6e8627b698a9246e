"""A model's operations as the Edge TPU's rules look at them: names, shapes, types, constants."""

import math
from dataclasses import dataclass

import numpy as np

from edge.modelfile import operations
from edge.modelfile.flatbuffer import FlatbufferError, FlatbufferTable
from edge.modelfile.tflite import Graph, ModelFile, OpInfo, TensorInfo


@dataclass(frozen=True, slots=True)
class Operand:
    """A tensor that an operation reads or writes.

    ``constant``: nothing computes or feeds it; then ``data`` are its values. ``buffer``: their
    place in the file, which tensors can share.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    quantized: bool
    zero_point: int
    constant: bool
    buffer: int
    data: memoryview

    @property
    def size(self) -> int:
        """How many values it has."""
        return math.prod(self.shape)

    def integers(self) -> tuple[int, ...]:
        """The values of an int32 or int64 constant, which describes a shape, axes or a padding."""
        width = 8 if self.dtype == "int64" else 4
        whole = self.data[: len(self.data) // width * width]
        return tuple(np.frombuffer(whole, f"<i{width}").tolist())

    def is_zero(self) -> bool:
        """Whether all values of a constant of single bytes stand for 0."""
        return not np.any(np.frombuffer(self.data, np.uint8) != self.zero_point % 256)

    def __str__(self) -> str:
        return f"{self.dtype} [{' × '.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class OpNode:
    """An operation of the main graph; ``parents`` are the nodes whose outputs it reads.

    ``name`` as in the schema, or ``CUSTOM:Name``; an input that is left out is None.
    """

    index: int
    name: str
    version: int
    inputs: tuple[Operand | None, ...]
    outputs: tuple[Operand, ...]
    options: FlatbufferTable | None
    parents: frozenset[int]

    @property
    def activations(self) -> tuple[Operand, ...]:
        """What is computed: its outputs, and those inputs that are not constant."""
        read = (operand for operand in self.inputs if operand and not operand.constant)
        return (*read, *self.outputs)

    @property
    def constants(self) -> tuple[Operand, ...]:
        return tuple(operand for operand in self.inputs if operand and operand.constant)

    @property
    def output(self) -> Operand:
        """Its first output.

        Raises:
            FlatbufferError: it has none.
        """
        if not self.outputs:
            raise FlatbufferError(f"operation {self.index} has no output")
        return self.outputs[0]

    def operand(self, position: int) -> Operand | None:
        """The input at ``position``; None where there is none."""
        return self.inputs[position] if position < len(self.inputs) else None

    def option(self, field: int, layout: str = "i", default: int = 0) -> int:
        """A scalar of the builtin options, by its field number in the schema."""
        return default if self.options is None else self.options.integer(field, layout, default)


def nodes(file: ModelFile) -> tuple[OpNode, ...]:
    """The operations of the main graph, in the order in which they run.

    Raises:
        FlatbufferError: an operation reads what only a later one makes.
    """
    names, graph = operations.op_names(), file.main
    makers = {
        tensor: i for i, op in enumerate(graph.operators) for tensor in op.outputs if tensor >= 0
    }
    changing = makers.keys() | set(graph.inputs)
    operands = [_operand(each, i not in changing, file) for i, each in enumerate(graph.tensors)]
    return tuple(
        OpNode(
            index=index,
            name=_name(op, names),
            version=op.version,
            inputs=tuple(operands[i] if i >= 0 else None for i in op.inputs),
            outputs=tuple(operands[i] for i in op.outputs if i >= 0),
            options=op.options,
            parents=_parents(index, op, makers),
        )
        for index, op in enumerate(graph.operators)
    )


def _parents(index: int, op: OpInfo, makers: dict[int, int]) -> frozenset[int]:
    parents = frozenset(makers[tensor] for tensor in op.inputs if tensor in makers)
    if any(parent >= index for parent in parents):
        raise FlatbufferError(f"operation {index} reads the output of a later one")
    return parents


def names(graph: Graph) -> tuple[str, ...]:
    """The names of a graph's operations."""
    known = operations.op_names()
    return tuple(_name(op, known) for op in graph.operators)


def _name(op: OpInfo, names: dict[int, str]) -> str:
    return f"CUSTOM:{op.custom}" if op.custom else names.get(op.code, f"operation {op.code}")


def _operand(tensor: TensorInfo, constant: bool, file: ModelFile) -> Operand:
    start, size = file.buffers[tensor.buffer] if tensor.buffer else (0, 0)
    return Operand(
        name=tensor.name,
        shape=tensor.shape,
        dtype=tensor.dtype,
        quantized=bool(tensor.scales),
        zero_point=tensor.zero_points[0] if tensor.zero_points else 0,
        constant=constant,
        buffer=tensor.buffer,
        data=memoryview(file.content)[start : start + size],
    )
