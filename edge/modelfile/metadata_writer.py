"""Write TFLite metadata into a model file; see :mod:`edge.modelfile.metadata`."""

import io
import zipfile
from typing import Any

import flatbuffers
import numpy as np
from flatbuffers import number_types

from edge.errors import LabelsError, ModelError
from edge.modelfile import tflite
from edge.modelfile.metadata import (
    ENTRY,
    IDENTIFIER,
    LABELS_FILE,
    NORMALIZATION_OPTIONS,
    PROVENANCE_FILE,
    TENSOR_AXIS_LABELS,
    THRESHOLDING_OPTIONS,
    ModelMetadata,
    files_to_pack,
)
from edge.modelfile.tflite import ModelFile, TensorInfo
from edge.quantities import counted

MIN_PARSER_VERSION = "1.0.0"
ALIGNMENT = 16  # of every buffer, as the model schema's force_align demands
FEATURES, IMAGE, RGB = 1, 2, 1
_EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip's earliest date, so that equal input gives equal bytes


def write_metadata(model: bytes, metadata: ModelMetadata) -> bytes:
    """Return the .tflite file ``model`` with ``metadata`` in place of any that it had.

    The result is a function of the arguments alone. Labels belong to the first output.

    Raises:
        ModelError: the bytes are not a complete TFLite model.
        LabelsError: a label contains a line break.
    """
    for label in metadata.labels or ():
        if len(label.splitlines()) > 1 or label != label.strip("\r\n"):
            raise LabelsError(
                "one line per label", repr(label), "rename the class", code="label-multiline"
            )
    file = tflite.parse(model)
    if not file.inputs or not file.outputs:
        raise ModelError(
            "a model with an input and an output",
            f"{counted(len(file.inputs), 'input')} and {counted(len(file.outputs), 'output')}",
            "convert the model again",
            code="model-without-io",
        )
    content = _pack_model(model, _describe(file, metadata))
    return content + _zip(files_to_pack(metadata), len(content))


# -- the metadata itself ------------------------------------------------------------------------


def _describe(file: ModelFile, metadata: ModelMetadata) -> bytes:
    """Build the FlatBuffer 'M001' for the model of ``file``."""
    fb = _MetadataBuilder()
    inputs = [_image(fb, file.inputs[0], metadata)]
    inputs += [fb.table({0: fb.text(tensor.name)}) for tensor in file.inputs[1:]]
    outputs = [_scores(fb, metadata)]
    outputs += [fb.table({0: fb.text(tensor.name)}) for tensor in file.outputs[1:]]
    graph = fb.table({2: fb.tables(inputs), 3: fb.tables(outputs)})
    fields = {3: fb.tables([graph]), 7: fb.text(MIN_PARSER_VERSION)}
    texts = {
        0: metadata.name, 1: metadata.description, 2: metadata.version, 4: metadata.author,
        5: metadata.license,
    }  # fmt: skip
    fields |= {field: fb.text(value) for field, value in texts.items() if value}
    if metadata.provenance is not None:
        about = "How this model was made."
        fields[6] = fb.tables([_file(fb, PROVENANCE_FILE, about, 0)])
    return fb.finish(fb.table(fields), IDENTIFIER)


def _image(fb: "_MetadataBuilder", tensor: TensorInfo, metadata: ModelMetadata) -> int:
    content = fb.table({1: fb.table({}, {0: RGB})}, {0: IMAGE})
    fields = {
        0: fb.text("image"),
        1: fb.text("The image to classify, resized to the input."),
        3: content,
    }
    if metadata.mean is not None and metadata.std is not None:
        options = fb.table({0: fb.floats(metadata.mean), 1: fb.floats(metadata.std)})
        fields[4] = fb.tables([fb.table({1: options}, {0: NORMALIZATION_OPTIONS})])
        low, high = _input_range(tensor, metadata.mean, metadata.std)
        fields[5] = fb.table({0: fb.floats(high), 1: fb.floats(low)})
    return fb.table(fields)


def _input_range(
    tensor: TensorInfo, mean: tuple[float, ...], std: tuple[float, ...]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the minimum and maximum input: of the codes for uint8 and int8, else normalized."""
    if tensor.dtype in ("uint8", "int8"):
        limits = np.iinfo(tensor.dtype)
        return (float(limits.min),), (float(limits.max),)
    low = tuple((0 - m) / s for m, s in zip(mean, std, strict=True))
    return low, tuple((255 - m) / s for m, s in zip(mean, std, strict=True))


def _scores(fb: "_MetadataBuilder", metadata: ModelMetadata) -> int:
    fields = {
        0: fb.text("probability"),
        1: fb.text("A score from 0 to 1 for each label."),
        3: fb.table({1: fb.table({})}, {0: FEATURES}),
        5: fb.table({0: fb.floats((1.0,)), 1: fb.floats((0.0,))}),
    }
    if metadata.threshold is not None:
        options = fb.table({}, reals={0: metadata.threshold})
        fields[4] = fb.tables([fb.table({1: options}, {0: THRESHOLDING_OPTIONS})])
    if metadata.labels is not None:
        about = "The labels, one per line, in the order of the scores."
        fields[6] = fb.tables([_file(fb, LABELS_FILE, about, TENSOR_AXIS_LABELS)])
    return fb.table(fields)


def _file(fb: "_MetadataBuilder", name: str, description: str, kind: int) -> int:
    return fb.table({0: fb.text(name), 1: fb.text(description)}, {2: kind})


class _MetadataBuilder:
    """FlatBuffer builder; parts are built before the tables that hold them."""

    def __init__(self) -> None:
        self._builder = flatbuffers.Builder(1024)

    def text(self, value: str) -> int:
        """Add a string."""
        return int(self._builder.CreateString(value))

    def floats(self, values: tuple[float, ...]) -> int:
        """Add a vector of float32."""
        return int(self._builder.CreateNumpyVector(np.asarray(values, np.float32)))

    def tables(self, items: list[int]) -> int:
        """Add a vector of tables."""
        self._builder.StartVector(4, len(items), 4)
        for item in reversed(items):
            self._builder.PrependUOffsetTRelative(item)
        return int(self._builder.EndVector())

    def table(
        self,
        parts: dict[int, int],
        codes: dict[int, int] | None = None,
        reals: dict[int, float] | None = None,
    ) -> int:
        """Add a table of parts (strings, vectors, tables), one-byte codes and floats, by field."""
        codes, reals = codes or {}, reals or {}
        self._builder.StartObject(max([*parts, *codes, *reals], default=-1) + 1)
        for field, part in parts.items():
            self._builder.PrependUOffsetTRelativeSlot(field, part, 0)
        for field, code in codes.items():
            self._builder.PrependSlot(number_types.Uint8Flags, field, code, 0)
        for field, real in reals.items():
            self._builder.PrependFloat32Slot(field, real, 0.0)
        return int(self._builder.EndObject())

    def finish(self, root: int, identifier: bytes) -> bytes:
        """Return the finished FlatBuffer."""
        self._builder.Finish(root, file_identifier=identifier)
        return bytes(self._builder.Output())


# -- the model around it ------------------------------------------------------------------------


def _pack_model(model: bytes, description: bytes) -> bytes:
    """Return the model's FlatBuffer with ``description`` in its metadata buffer."""
    from ai_edge_litert import schema_py_generated as schema

    parts = schema.ModelT.InitFromPackedBuf(model)
    for buffer in parts.buffers or []:
        if buffer.offset > 1:
            raise ModelError(
                "a model of less than 2 GB",
                "weights stored outside the FlatBuffer",
                "make the model smaller",
                code="model-too-large",
            )
    _set_buffer(parts, schema, description)
    for buffer in parts.buffers:
        buffer.Pack = _aligned_pack(buffer, schema)
    builder = flatbuffers.Builder(len(model) + len(description) + 4096)
    builder.Finish(parts.Pack(builder), file_identifier=tflite.IDENTIFIER)
    return bytes(builder.Output())


def _set_buffer(parts: Any, schema: Any, description: bytes) -> None:
    parts.buffers = parts.buffers or [schema.BufferT()]  # buffer 0 is the empty one
    parts.metadata = parts.metadata or []
    data = np.frombuffer(description, np.uint8)
    for entry in parts.metadata:
        if entry.name == ENTRY.encode():
            parts.buffers[entry.buffer].data = data
            return
    entry, buffer = schema.MetadataT(), schema.BufferT()
    entry.name, entry.buffer, buffer.data = ENTRY, len(parts.buffers), data
    parts.metadata.append(entry)
    parts.buffers.append(buffer)


def _aligned_pack(buffer: Any, schema: Any) -> Any:
    """Return a ``BufferT.Pack`` with the alignment that the generated Python code forgets."""

    def pack(builder: Any) -> int:
        data = b"" if buffer.data is None else np.asarray(buffer.data, np.uint8).tobytes()
        vector = 0
        if data:
            builder.StartVector(1, len(data), ALIGNMENT)
            builder.head -= len(data)
            builder.Bytes[builder.head : builder.head + len(data)] = data
            vector = builder.EndVector()
        schema.BufferStart(builder)
        if vector:
            schema.BufferAddData(builder, vector)
        return int(schema.BufferEnd(builder))

    return pack


def _zip(files: dict[str, bytes], start: int) -> bytes:
    """Build an uncompressed zip of ``files`` to append at byte ``start``; empty for no files."""
    if not files:
        return b""
    archive = io.BytesIO()
    archive.seek(start)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return archive.getvalue()[start:]
