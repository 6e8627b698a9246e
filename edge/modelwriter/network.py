"""A network as tensors and operations, and the .tflite file of it.

Tensors are compared by identity: an operation reads what another writes where both name the same
object. Batch 1, static shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.modelfile import schema
from edge.modelfile.flatbuffer_writer import (
    Part,
    Scalar,
    Table,
    Tables,
    numbers,
    octets,
    scalar,
    text,
)
from edge.modelfile.tflite import DTYPES, TensorInfo

SCHEMA_VERSION = 3
_NO_TENSOR = -1


@dataclass(frozen=True, slots=True, eq=False)
class Quantization:
    """Real value = scale × (value − zero point).

    ``scales``: float32 [1], or one for each index of the tensor's dimension ``axis``; all share
    ``zero_point``.
    """

    scales: NDArray[np.float32]
    zero_point: int = 0
    axis: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A tensor; ``dtype`` as in numpy; ``data``: the values of a constant, of this shape."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: Quantization | None = None
    data: NDArray[Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """Options of an operation: their table, and its number in the union BuiltinOptions."""

    kind: int
    table: Table


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """An operation: ``code`` and ``version`` of BuiltinOperator; an input may be left out as None.

    A ``custom`` one has its name there, and its options as the bytes that its kernel reads. The
    functions of :mod:`edge.modelwriter.operations` make operations.
    """

    code: int
    version: int
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Options | None = None
    custom: str = ""
    custom_options: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A network; ``operations`` in the order in which they run."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operations: tuple[Operation, ...]
    description: str = ""


def constant(name: str, values: NDArray[Any], quantization: Quantization | None = None) -> Tensor:
    """Return a constant of the shape and the dtype of ``values``."""
    return Tensor(name, values.shape, values.dtype.name, quantization, values)


def quantization_of(scale: float, zero_point: int) -> Quantization:
    """Return the quantization of a whole tensor."""
    return Quantization(np.array([scale], np.float32), zero_point)


def standing_for(tensor: TensorInfo) -> Tensor:
    """Return a tensor that has the properties of one in a file."""
    scaled = tensor.scales and Quantization(
        np.array(tensor.scales, np.float32), tensor.zero_points[0] if tensor.zero_points else 0
    )
    shape = tuple(max(size, 1) for size in tensor.shape)
    return Tensor(tensor.name, shape, tensor.dtype, scaled or None)


def to_bytes(network: Network) -> bytes:
    """Return the .tflite file of a network."""
    packer = _Packer([], [Table()], [])
    for tensor in network.inputs:
        packer.index(tensor)
    operators = packer.operators(network.operations)
    graph = Table({
        0: Tables(packer.tensors),
        1: numbers("i", [packer.index(tensor) for tensor in network.inputs]),
        2: numbers("i", [packer.index(tensor) for tensor in network.outputs]),
        3: Tables(operators),
        4: text("main"),
    })  # fmt: skip
    return schema.write(Table({
        0: scalar("I", SCHEMA_VERSION),
        1: Tables(packer.codes),
        2: Tables([graph]),
        3: text(network.description),
        4: Tables(packer.buffers),
    }))  # fmt: skip


def extend(content: bytes, end: Tensor, operations: Sequence[Operation], result: Tensor) -> bytes:
    """Append operations to a model with one output.

    Args:
        content: a .tflite file; what was there is copied as it is.
        end: what the operations name the model's output, see :func:`standing_for`.
        operations: in the order in which they run.
        result: the new output, instead of the old one.

    Raises:
        ModelError: the file is damaged.
    """
    model = schema.read(content)
    graph, *others = schema.tables(model, 2)
    packer = _Packer(schema.tables(graph, 0), schema.tables(model, 4), schema.tables(model, 1))
    packer.name(end, schema.integers(graph, 2)[0])
    operators = schema.tables(graph, 3) + packer.operators(operations)
    extended: dict[int, Scalar | Part] = {
        0: Tables(packer.tensors),
        2: numbers("i", [packer.index(result)]),
        3: Tables(operators),
    }
    graphs = Tables([Table(graph.fields | extended), *others])
    return schema.write(
        Table(model.fields | {1: Tables(packer.codes), 2: graphs, 4: Tables(packer.buffers)})
    )


class _Packer:
    """Gives tensors, buffers and kinds of operations their numbers, after those already there."""

    def __init__(self, tensors: list[Table], buffers: list[Table], codes: list[Table]) -> None:
        self.tensors, self.buffers, self.codes = tensors, buffers, codes
        self._indices: dict[int, int] = {}
        self._codes: dict[tuple[int, int, str], int] = {}

    def name(self, tensor: Tensor, index: int) -> None:
        """Let a tensor stand for one that is there."""
        self._indices[id(tensor)] = index

    def index(self, tensor: Tensor | None) -> int:
        """Return the number of a tensor, which is added if it is new."""
        if tensor is None:
            return _NO_TENSOR
        if id(tensor) not in self._indices:
            self._indices[id(tensor)] = len(self.tensors)
            self.tensors.append(self._tensor(tensor))
        return self._indices[id(tensor)]

    def operators(self, operations: Sequence[Operation]) -> list[Table]:
        return [self._operator(operation) for operation in operations]

    def _tensor(self, tensor: Tensor) -> Table:
        fields: dict[int, Scalar | Part] = {
            0: numbers("i", tensor.shape),
            1: scalar("B", DTYPES.index(tensor.dtype)),
            2: scalar("I", self._buffer(tensor)),
            3: text(tensor.name),
            8: scalar("B", 1),  # it has a rank, also where that is 0
        }
        if tensor.quantization is not None:
            fields[4] = _quantization(tensor.quantization)
        return Table(fields)

    def _buffer(self, tensor: Tensor) -> int:
        if tensor.data is None:
            return 0  # the empty one
        little = tensor.data.astype(tensor.data.dtype.newbyteorder("<"), copy=False)
        self.buffers.append(Table({0: octets(little.tobytes())}))
        return len(self.buffers) - 1

    def _operator(self, operation: Operation) -> Table:
        fields: dict[int, Scalar | Part] = {
            0: scalar("I", self._code(operation.code, operation.version, operation.custom)),
            1: numbers("i", [self.index(tensor) for tensor in operation.inputs]),
            2: numbers("i", [self.index(tensor) for tensor in operation.outputs]),
        }
        if operation.options is not None:
            fields |= {3: scalar("B", operation.options.kind), 4: operation.options.table}
        if operation.custom_options:
            fields[5] = octets(operation.custom_options)
        return Table(fields)

    def _code(self, code: int, version: int, custom: str) -> int:
        key = code, version, custom
        if key not in self._codes:
            self._codes[key] = len(self.codes)
            # The byte field 0 held the number until it outgrew a byte; old readers know no other.
            fields: dict[int, Scalar | Part] = {
                0: scalar("B", min(code, 127)), 2: scalar("i", version), 3: scalar("i", code),
            }  # fmt: skip
            self.codes.append(Table(fields | ({1: text(custom)} if custom else {})))
        return self._codes[key]


def _quantization(quantization: Quantization) -> Table:
    count = len(quantization.scales)
    return Table({
        2: numbers("f", quantization.scales),
        3: numbers("q", [quantization.zero_point] * count),
        6: scalar("i", quantization.axis),
    })  # fmt: skip
