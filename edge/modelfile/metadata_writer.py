"""Write TFLite metadata into a model file; see :mod:`edge.modelfile.metadata`."""

import io
import zipfile

import numpy as np

from edge.errors import LabelsError, ModelError
from edge.modelfile import schema, tflite
from edge.modelfile.flatbuffer_writer import (
    Part,
    Scalar,
    Table,
    Tables,
    build,
    numbers,
    octets,
    scalar,
    text,
)
from edge.modelfile.metadata import (
    ENTRY,
    IDENTIFIER,
    NORMALIZATION_OPTIONS,
    PROVENANCE_FILE,
    ModelMetadata,
    files_to_pack,
)
from edge.modelfile.output_metadata import describe_outputs, file_entry, value_range
from edge.modelfile.tflite import ModelFile, TensorInfo
from edge.quantities import counted

MIN_PARSER_VERSION = "1.0.0"
IMAGE, RGB = 2, 1
_EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip's earliest date, so that equal input gives equal bytes


def write_metadata(model: bytes, metadata: ModelMetadata) -> bytes:
    """Return the .tflite file ``model`` with ``metadata`` in place of any that it had.

    The result is a function of the arguments alone. Labels belong to the outputs of scores, by the
    task of the metadata.

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
    content = _pack_model(file, _describe(file, metadata))
    return content + _zip(files_to_pack(metadata), len(content))


# -- the metadata itself ------------------------------------------------------------------------


def _describe(file: ModelFile, metadata: ModelMetadata) -> bytes:
    """Build the FlatBuffer 'M001' for the model of ``file``."""
    inputs = [_image(file.inputs[0], metadata)]
    inputs += [Table({0: text(tensor.name)}) for tensor in file.inputs[1:]]
    graph = Table({2: Tables(inputs), 3: Tables(describe_outputs(file, metadata))})
    fields: dict[int, Scalar | Part] = {3: Tables([graph]), 7: text(MIN_PARSER_VERSION)}
    texts = {
        0: metadata.name, 1: metadata.description, 2: metadata.version, 4: metadata.author,
        5: metadata.license,
    }  # fmt: skip
    fields |= {field: text(value) for field, value in texts.items() if value}
    if metadata.provenance is not None:
        fields[6] = Tables([file_entry(PROVENANCE_FILE, "How this model was made.")])
    return build(Table(fields), IDENTIFIER)


def _image(tensor: TensorInfo, metadata: ModelMetadata) -> Table:
    image = Table({0: scalar("B", RGB)})
    fields: dict[int, Scalar | Part] = {
        0: text("image"),
        1: text("The image, resized to the input."),
        3: Table({0: scalar("B", IMAGE), 1: image}),
    }
    if metadata.mean is not None and metadata.std is not None:
        options = Table({0: numbers("f", metadata.mean), 1: numbers("f", metadata.std)})
        fields[4] = Tables([Table({0: scalar("B", NORMALIZATION_OPTIONS), 1: options})])
        fields[5] = value_range(*_input_range(tensor, metadata.mean, metadata.std))
    return Table(fields)


def _input_range(
    tensor: TensorInfo, mean: tuple[float, ...], std: tuple[float, ...]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the minimum and maximum input: of the codes for uint8 and int8, else normalized."""
    if tensor.dtype in ("uint8", "int8"):
        limits = np.iinfo(tensor.dtype)
        return (float(limits.min),), (float(limits.max),)
    low = tuple((0 - m) / s for m, s in zip(mean, std, strict=True))
    return low, tuple((255 - m) / s for m, s in zip(mean, std, strict=True))


# -- the model around it ------------------------------------------------------------------------


def _pack_model(file: ModelFile, description: bytes) -> bytes:
    """Return the model's FlatBuffer with ``description`` in its metadata buffer."""
    model = schema.read(file.content)
    buffers = schema.tables(model, schema.MODEL_BUFFERS) or [Table()]  # number 0 is empty
    entries = schema.tables(model, schema.MODEL_METADATA)
    if ENTRY not in file.metadata:
        entries.append(Table({0: text(ENTRY), 1: scalar("I", len(buffers))}))
        buffers.append(Table())
    buffers[file.metadata.get(ENTRY, -1)] = Table({0: octets(description)})
    lists = {schema.MODEL_BUFFERS: Tables(buffers), schema.MODEL_METADATA: Tables(entries)}
    return schema.write(Table(model.fields | lists))


def _zip(files: dict[str, bytes], start: int) -> bytes:
    """Build an uncompressed zip of ``files`` to append at byte ``start``; empty for no files."""
    if not files:
        return b""
    archive = _Tail(start)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return archive.getvalue()


class _Tail(io.BytesIO):
    """What is written to a file from the byte ``start`` on."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self._start = start

    def tell(self) -> int:
        """Return the position in the file."""
        return self._start + super().tell()

    def seek(self, position: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a position in the file, and return it."""
        before = self._start if whence == io.SEEK_SET else 0
        return self._start + super().seek(position - before, whence)
