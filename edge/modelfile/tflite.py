"""TFLite file parser: reads a .tflite file without an interpreter, and checks it.

An interpreter follows a file's offsets unchecked, so a truncated file can crash it. ``parse``
follows every offset that an interpreter follows; what it accepts can be passed to one. Field
numbers are those of TensorFlow Lite's ``schema.fbs``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from edge.errors import ModelError
from edge.modelfile import foreign
from edge.modelfile.flatbuffer import FlatbufferError, FlatbufferReader, FlatbufferTable

IDENTIFIER = b"TFL3"
EDGETPU_OP = "edgetpu-custom-op"

DTYPES = (
    "float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16", "complex64",
    "int8", "float64", "complex128", "uint64", "resource", "variant", "uint32", "uint16", "int4",
    "bfloat16", "int2", "uint4", "float8_e4m3fn", "float8_e5m2",
)  # fmt: skip
"""Names of the schema's TensorType, by number."""

RESHAPE, SQUEEZE, CUSTOM = 22, 43, 32
"""Numbers of the schema's BuiltinOperator."""

MAX_RANK = 16
"""Dimensions of a tensor; no operation of TensorFlow Lite takes more than 8."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor as the file declares it; real value = scale × (value − zero point).

    ``dynamic``: which sizes the file leaves open. ``variable``: it keeps its values between two
    runs. ``sparse``: its buffer holds a sparse encoding.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    buffer: int
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    dynamic: tuple[bool, ...]
    variable: bool = False
    sparse: bool = False


@dataclass(frozen=True, slots=True)
class OpInfo:
    """An operation: ``code`` of BuiltinOperator; ``custom``: its name if it is a custom one.

    ``options``: the table of its builtin options, None where it has none; their field numbers are
    those of the schema, and what is read from it may raise :class:`FlatbufferError`.
    ``custom_options``: first byte and length of a custom operation's options in the file.
    """

    code: int
    custom: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: FlatbufferTable | None = field(default=None, compare=False, repr=False)
    custom_options: tuple[int, int] = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Graph:
    """A subgraph; inputs and outputs are indices of its tensors."""

    tensors: tuple[TensorInfo, ...]
    operators: tuple[OpInfo, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A checked .tflite file.

    ``buffers``: first byte and length of each buffer; ``metadata``: name → buffer number;
    ``end``: where the FlatBuffer ends (a zip may follow). ``detached``: numbers of the buffers
    that lie behind the FlatBuffer.
    """

    content: bytes
    graphs: tuple[Graph, ...]
    buffers: tuple[tuple[int, int], ...]
    metadata: dict[str, int]
    description: str
    end: int
    detached: frozenset[int] = frozenset()

    @property
    def main(self) -> Graph:
        """First subgraph, which an interpreter runs."""
        return self.graphs[0]

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """Inputs of the main graph."""
        return tuple(self.main.tensors[i] for i in self.main.inputs)

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """Outputs of the main graph."""
        return tuple(self.main.tensors[i] for i in self.main.outputs)

    @property
    def for_edgetpu(self) -> bool:
        """Return whether the file was compiled for the Edge TPU."""
        return any(op.custom == EDGETPU_OP for graph in self.graphs for op in graph.operators)

    def buffer(self, number: int) -> bytes:
        """Return the content of a buffer."""
        start, size = self.buffers[number]
        return self.content[start : start + size]


def read_file(path: Path) -> bytes:
    """Read the content of a .tflite file; other kinds of files are rejected by their first bytes.

    Raises:
        ModelError: the file cannot be read, or is not a TensorFlow Lite model.
    """
    try:
        if path.exists() and not path.is_file():
            folder = foreign.identify_folder(path)
            raise ModelError(
                "a .tflite file",
                f"{path}, which is {folder.kind}",
                folder.fix,
                code="model-unreadable",
                summary=f"{path} is {folder.kind}, not a file",
            )
        with path.open("rb") as file:
            head = file.read(foreign.HEAD_BYTES)
            if head[4:8] != IDENTIFIER:
                raise _not_a_model(foreign.identify(head, path), str(path))
            return head + file.read()
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> ModelError:
    """Return the error for a model file that the operating system does not let us read."""
    return ModelError(
        "a .tflite file",
        f"{path} ({error.strerror})",
        "check the path",
        code="model-unreadable",
        summary=f"cannot read {path} ({error.strerror})",
    )


def parse(content: bytes, name: str = "the model") -> ModelFile:
    """Parse and check the bytes of a .tflite file; ``name`` is its name in errors.

    Raises:
        ModelError: the bytes are not a TensorFlow Lite model, or a truncated or inconsistent one.
    """
    if content[4:8] != IDENTIFIER:
        raise _not_a_model(foreign.identify(content[: foreign.HEAD_BYTES], content), name)
    try:
        return _parsed(content)
    except FlatbufferError as error:
        raise ModelError(
            "a complete TensorFlow Lite model",
            f"{name}, which is truncated or damaged ({error})",
            "copy or download the file again",
            code="model-damaged",
            summary=f"{name} is truncated or damaged ({error})",
        ) from None


@lru_cache(maxsize=8)  # a command reads each of its few models several times
def _parsed(content: bytes) -> ModelFile:
    file = _model(FlatbufferReader(content))
    _check_tail(file)
    return file


def _not_a_model(other: foreign.ForeignFile, name: str) -> ModelError:
    return ModelError(
        "a TensorFlow Lite model", f"{name}, which is {other.kind}", other.fix,
        code="model-not-tflite",
    )  # fmt: skip


def _model(reader: FlatbufferReader) -> ModelFile:
    root = reader.root()
    root.integer(0, "I")
    root.integers(5)
    spans = [_buffer(reader, table) for table in root.tables(4)]
    buffers = tuple((start, size) for start, size, _ in spans)
    detached = frozenset(i for i, (_, _, behind) in enumerate(spans) if behind)
    codes = tuple(_code(table) for table in root.tables(1))
    graphs = tuple(_graph(table, codes, len(buffers)) for table in root.tables(2))
    if not graphs:
        raise FlatbufferError("it has no subgraph")
    metadata = {table.text(0): table.integer(1, "I") for table in root.tables(6)}
    _check_range(metadata.values(), len(buffers), "buffer")
    for signature in root.tables(7):
        _signature(signature)
    return ModelFile(reader.data, graphs, buffers, metadata, root.text(3), reader.end, detached)


def _buffer(reader: FlatbufferReader, table: FlatbufferTable) -> tuple[int, int, bool]:
    """Return first byte and length of a buffer, and whether it lies behind the FlatBuffer."""
    offset, size = table.integer(1, "Q"), table.integer(2, "Q")
    if offset > 1:  # files above 2 GB keep their weights there
        reader.claim(offset, size)
        return offset, size, True
    return *table.span(0), False


def _code(table: FlatbufferTable) -> tuple[int, str, int]:
    # The byte field 0 held the number until it outgrew a byte.
    code = max(table.integer(0, "b"), table.integer(3, "i"))
    return code, table.text(1), table.integer(2, "i", 1)


def _graph(table: FlatbufferTable, codes: tuple[tuple[int, str, int], ...], buffers: int) -> Graph:
    tensors = tuple(_tensor(item, buffers) for item in table.tables(0))
    operators = tuple(_operator(item, codes, len(tensors)) for item in table.tables(3))
    inputs, outputs = table.integers(1), table.integers(2)
    table.text(4)
    _check_range((*inputs, *outputs), len(tensors), "tensor")
    return Graph(tensors, operators, inputs, outputs)


def _tensor(table: FlatbufferTable, buffers: int) -> TensorInfo:
    kind, buffer = table.integer(1, "b"), table.integer(2, "I")
    _check_range((kind,), len(DTYPES), "tensor type")
    if buffer:  # 0 stands for "no buffer"
        _check_range((buffer,), buffers, "buffer")
    scales, zero_points, axis = _quantization(table.table(4))
    if (sparsity := table.table(6)) is not None:
        _sparsity(sparsity)
    shape, signature = table.integers(0), table.integers(7)
    if len(shape) > MAX_RANK:
        raise FlatbufferError(f"it has a tensor of {len(shape)} dimensions")
    return TensorInfo(
        table.text(3),
        shape,
        DTYPES[kind],
        buffer,
        scales,
        zero_points,
        axis,
        dynamic=tuple(size < 0 for size in signature or shape),
        variable=bool(table.integer(5, "B")),
        sparse=sparsity is not None,
    )


def _quantization(table: FlatbufferTable | None) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    if table is None:
        return (), (), 0
    table.span(0, "f")
    table.span(1, "f")
    table.table(5)
    return table.floats(2), table.integers(3, "q"), table.integer(6, "i")


def _sparsity(table: FlatbufferTable) -> None:
    """Check the index vectors of a sparse tensor (unions of int32, uint16 and uint8 vectors)."""
    table.span(0, "i")
    table.span(1, "i")
    layouts = {1: "i", 2: "H", 3: "B"}
    for dimension in table.tables(2):
        for kind, values in ((2, 3), (4, 5)):
            vector = dimension.table(values)
            if vector is not None:
                vector.span(0, layouts.get(dimension.integer(kind, "B"), "i"))


def _operator(
    table: FlatbufferTable, codes: tuple[tuple[int, str, int], ...], tensors: int
) -> OpInfo:
    number = table.integer(0, "I")
    _check_range((number,), len(codes), "operation")
    code, custom, version = codes[number]
    inputs, outputs = table.integers(1), table.integers(2)
    _check_range((*inputs, *outputs, *table.integers(8)), tensors, "tensor", lowest=-1)
    options = table.table(4)
    if options is not None and code in (RESHAPE, SQUEEZE):
        options.integers(0)
    table.table(12)
    table.span(7)
    name = custom if code == CUSTOM else ""
    return OpInfo(code, name, version, inputs, outputs, options, table.span(5))


def _signature(table: FlatbufferTable) -> None:
    for number in (0, 1):
        for entry in table.tables(number):
            entry.text(0)
    table.text(2)


def _check_range(values: Iterable[int], count: int, what: str, lowest: int = 0) -> None:
    for value in values:
        if not lowest <= value < count:
            raise FlatbufferError(f"it refers to {what} {value}, but has only {count}")


def _check_tail(file: ModelFile) -> None:
    """Check that a packed zip is complete: it ends with a record of 22 bytes and a comment."""
    rest = file.content[file.end :].lstrip(b"\0")
    if rest[:2] not in (b"P", b"PK"):
        return
    at = rest.rfind(b"PK\x05\x06", max(0, len(rest) - 22 - 65535))
    if at < 0 or len(rest) < at + 22 + int.from_bytes(rest[at + 20 : at + 22], "little"):
        raise FlatbufferError("the zip archive after the model is truncated")
