"""Copy the parts of any .tflite file, so that some can be changed and all be written again.

TensorFlow Lite's ``schema.fbs`` as far as copying needs it: which fields are offsets, and to what.
All other fields are numbers, which are copied as they are, whatever they mean.
"""

import struct

from edge.errors import ModelError
from edge.modelfile.flatbuffer import FlatbufferError, FlatbufferReader, FlatbufferTable
from edge.modelfile.flatbuffer_writer import (
    OCTETS_ALIGNMENT,
    Part,
    Scalar,
    Table,
    Tables,
    Vector,
    build,
)
from edge.modelfile.tflite import IDENTIFIER

OFFSETS: dict[str, dict[int, str]] = {
    "Model": {
        1: "[OperatorCode]", 2: "[SubGraph]", 3: "text", 4: "[Buffer]", 5: "i", 6: "[Metadata]",
        7: "[SignatureDef]", 8: "[ExternalBufferGroup]", 9: "[ExternalBuffer]",
    },
    "OperatorCode": {1: "text"},
    "SubGraph": {0: "[Tensor]", 1: "i", 2: "i", 3: "[Operator]", 4: "text"},
    "Tensor": {
        0: "i", 3: "text", 4: "QuantizationParameters", 6: "SparsityParameters", 7: "i",
        9: "[VariantSubType]",
    },
    "QuantizationParameters": {0: "f", 1: "f", 2: "f", 3: "q", 5: "|QuantizationDetails"},
    "CustomQuantization": {0: "B"},
    "BlockwiseQuantization": {3: "i"},
    "MultiAxisQuantization": {3: "i"},
    "SparsityParameters": {0: "i", 1: "i", 2: "[DimensionMetadata]"},
    "DimensionMetadata": {3: "|SparseIndexVector", 5: "|SparseIndexVector"},
    "Int32Vector": {0: "i"},
    "Uint16Vector": {0: "H"},
    "Uint8Vector": {0: "B"},
    "VariantSubType": {0: "i"},
    "Operator": {
        1: "i", 2: "i", 4: "|BuiltinOptions", 5: "B", 7: "?", 8: "i", 12: "|BuiltinOptions2",
    },
    "Buffer": {0: "B"},
    "Metadata": {0: "text"},
    "SignatureDef": {0: "[TensorMap]", 1: "[TensorMap]", 2: "text"},
    "TensorMap": {0: "text"},
    "ExternalBufferGroup": {0: "text"},
    "ExternalBuffer": {4: "text"},
    "ConcatEmbeddingsOptions": {1: "i", 2: "i"},
    "FullyConnectedOptions": {5: "B"},
    "ReshapeOptions": {0: "i"},
    "SqueezeOptions": {0: "i"},
    "VarHandleOptions": {0: "text", 1: "text"},
    "BucketizeOptions": {0: "f"},
    "StablehloBroadcastInDimOptions": {0: "q"},
    "StablehloSliceOptions": {0: "q", 1: "q", 2: "q"},
    "StablehloConvolutionOptions": {
        0: "q", 1: "q", 2: "q", 3: "q", 4: "?", 7: "q", 10: "q", 13: "q", 16: "I",
    },
    "StablehloCustomCallOptions": {0: "text", 2: "text", 4: "i", 5: "B"},
    "StablehloReduceOptions": {0: "q"},
    "StablehloScatterOptions": {1: "q", 2: "q", 3: "q"},
    "StablehloDynamicSliceOptions": {0: "q"},
    "StablehloPadOptions": {0: "q", 1: "q", 2: "q"},
    "StablehloDotGeneralOptions": {0: "q", 1: "q", 2: "q", 3: "q", 4: "I"},
    "StablehloReduceWindowOptions": {0: "q", 1: "q", 2: "q", 3: "q", 4: "q"},
    "StablehloGatherOptions": {0: "q", 1: "q", 2: "q", 4: "q"},
    "StablehloTransposeOptions": {0: "q"},
    "StableHLOCompositeOptions": {0: "text", 2: "B"},
    "StablehloCaseOptions": {0: "i"},
}  # fmt: skip
"""Fields with an offset: a layout of :mod:`struct` for a vector of numbers, "text", "X" for a table
X, "[X]" for a vector of tables, "|X" for a member of the union X, whose number is in the field
before. Tables that are not listed have none."""

UNIONS: dict[str, tuple[int, dict[int, str]]] = {
    "QuantizationDetails": (
        3,
        {1: "CustomQuantization", 2: "BlockwiseQuantization", 3: "MultiAxisQuantization"},
    ),
    "SparseIndexVector": (3, {1: "Int32Vector", 2: "Uint16Vector", 3: "Uint8Vector"}),
    "BuiltinOptions": (
        126,
        {
            3: "ConcatEmbeddingsOptions", 8: "FullyConnectedOptions", 17: "ReshapeOptions",
            30: "SqueezeOptions", 111: "VarHandleOptions", 115: "BucketizeOptions",
        },
    ),
    "BuiltinOptions2": (
        23,
        {
            2: "StablehloBroadcastInDimOptions", 3: "StablehloSliceOptions",
            4: "StablehloConvolutionOptions", 5: "StablehloCustomCallOptions",
            6: "StablehloReduceOptions", 7: "StablehloScatterOptions",
            9: "StablehloDynamicSliceOptions", 10: "StablehloPadOptions",
            12: "StablehloDotGeneralOptions", 13: "StablehloReduceWindowOptions",
            16: "StablehloGatherOptions", 17: "StablehloTransposeOptions",
            21: "StableHLOCompositeOptions", 23: "StablehloCaseOptions",
        },
    ),
}  # fmt: skip
"""Of each union, the last number that this table knows, and the members with offsets."""

MODEL_BUFFERS, MODEL_METADATA = 4, 6
"""Fields of Model."""

_BUFFER_OFFSET = 1


def read(content: bytes, name: str = "the model") -> Table:
    """Return the parts of a file that :func:`edge.modelfile.tflite.parse` accepts.

    Raises:
        ModelError: a part lies outside the file, weights lie behind its FlatBuffer, or an operation
            has options that are newer than the toolkit.
    """
    try:
        model = _Copy(content).model()
    except FlatbufferError as error:
        raise ModelError(
            "a complete TensorFlow Lite model",
            f"{name}, which is truncated or damaged ({error})",
            "copy or download the file again",
            code="model-damaged",
            summary=f"{name} is truncated or damaged ({error})",
        ) from None
    if any(integer(buffer, _BUFFER_OFFSET, "Q") > 1 for buffer in tables(model, MODEL_BUFFERS)):
        raise ModelError(
            "a model of less than 2 GB",
            "weights stored outside the FlatBuffer",
            "make the model smaller",
            code="model-too-large",
        )
    return model


def write(model: Table) -> bytes:
    """Return the .tflite file of a model's parts."""
    return build(model, IDENTIFIER)


def tables(table: Table, field: int) -> list[Table]:
    """Return the tables of a vector of tables; none if the field is absent."""
    vector = table.fields.get(field)
    return list(vector.items) if isinstance(vector, Tables) else []


def integers(table: Table, field: int) -> list[int]:
    """Return a vector of int32; empty if the field is absent."""
    vector = table.fields.get(field)
    if not isinstance(vector, Vector):
        return []
    return list(struct.unpack_from(f"<{vector.count}i", vector.data))


def integer(table: Table, field: int, layout: str) -> int:
    """Return a number; ``layout`` is its :mod:`struct` character; 0 if the field is absent."""
    value = table.fields.get(field)
    return int(struct.unpack_from("<" + layout, value.data)[0]) if isinstance(value, Scalar) else 0


class _Copy:
    """Reads each part of a file once, also where several others refer to it."""

    def __init__(self, content: bytes) -> None:
        self._reader = FlatbufferReader(content)
        self._content = memoryview(content)
        self._parts: dict[tuple[int, str], Part] = {}

    def model(self) -> Table:
        return self._table(self._reader.root(), "Model")

    def _table(self, source: FlatbufferTable, kind: str) -> Table:
        offsets = OFFSETS.get(kind, {})
        copied: dict[int, Scalar | Part] = {}
        for field in source.present():
            what = offsets.get(field)
            if what is None:
                copied[field] = Scalar(source.inline(field))
            else:
                copied[field] = self._part(source, field, what)
        return Table(copied)

    def _part(self, source: FlatbufferTable, field: int, what: str) -> Part:
        if what.startswith("|"):
            what = _member(what[1:], source.integer(field - 1, "B"))
        key = source.target(field), what
        if key not in self._parts:
            self._parts[key] = self._read(source, field, what)
        return self._parts[key]

    def _read(self, source: FlatbufferTable, field: int, what: str) -> Part:
        if what.startswith("["):
            return Tables([self._item(item, what[1:-1]) for item in source.tables(field)])
        if what == "text":
            start, count = source.span(field)
            return Vector(bytes(self._content[start : start + count]) + b"\0", count, 1)
        if len(what) == 1:
            start, count = source.span(field, what)
            width = struct.calcsize("<" + what)
            alignment = OCTETS_ALIGNMENT if what == "B" else width
            return Vector(self._content[start : start + count * width], count, alignment)
        table = source.table(field)
        assert table is not None  # the field is present
        return self._table(table, what)

    def _item(self, item: FlatbufferTable, kind: str) -> Table:
        key = item.position, kind
        if key not in self._parts:
            self._parts[key] = self._table(item, kind)
        part = self._parts[key]
        assert isinstance(part, Table)
        return part


def _member(union: str, number: int) -> str:
    last, members = UNIONS[union]
    if number > last:
        raise ModelError(
            f"options of operations up to number {last}",
            f"number {number} of {union}",
            "update the toolkit",
            code="model-too-new",
        )
    return members.get(number, f"{union} {number}")
