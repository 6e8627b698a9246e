"""Standard TFLite metadata: labels, normalization, threshold and provenance of a model file.

A FlatBuffer (identifier M001) in the model's buffer named TFLITE_METADATA describes inputs and
outputs; the files that it names (labels, provenance) are a zip behind the model. MediaPipe, Android
and others read it. Specification: https://ai.google.dev/edge/litert/models/metadata; field numbers
are those of ``metadata_schema.fbs``, schema version 1. What exporters of YOLO pack there
(:mod:`edge.modelfile.export_metadata`) is read as well.
"""

import io
import json
import math
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, TypeVar

from edge.errors import ModelError
from edge.modelfile import export_metadata, tflite
from edge.modelfile.export_metadata import ExportMetadata
from edge.modelfile.flatbuffer import FlatbufferError, FlatbufferReader, FlatbufferTable
from edge.modelfile.tflite import ModelFile

T = TypeVar("T")

ENTRY = "TFLITE_METADATA"
IDENTIFIER = b"M001"
LABELS_FILE = "labels.txt"
PROVENANCE_FILE = "provenance.json"
HEAD_FILE = "head.json"

MAX_PACKED_BYTES = 16 * 1024 * 1024
"""Unpacked bytes that are read of all files behind a model together."""

MAX_JSON_BYTES, MAX_JSON_DEPTH = 1 << 20, 32
"""Of the JSON files behind a model; larger or deeper ones are something else."""

TENSOR_AXIS_LABELS = 2
NORMALIZATION_OPTIONS, THRESHOLDING_OPTIONS = 1, 3
TENSOR_VALUE_LABELS = 3
_LABEL_TYPES = (TENSOR_AXIS_LABELS, TENSOR_VALUE_LABELS)


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """Metadata of a model file.

    Attributes:
        name: Name of the model.
        description: A sentence or more.
        labels: Names of the classes, in the order of the output.
        mean: One value, or one per channel: a pixel p (0–255) is fed as (p − mean) / std.
        std: As ``mean``.
        threshold: Best score below which the prediction is "unknown", in (0, 1].
        provenance: JSON object about the model's conversion.
        author: Author of the model.
        license: License of the model.
        version: Version of the model.
        missing: Files that the metadata names and that are not packed with the model.
        task: Task of the model, such as "detect" or "pose", "" where the file does not contain it.
        head: JSON object that the head of a detector needs (:mod:`edge.tasks.detect.heads`).
    """

    name: str = ""
    description: str = ""
    labels: tuple[str, ...] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    threshold: float | None = None
    provenance: dict[str, Any] | None = None
    author: str = ""
    license: str = ""
    version: str = ""
    missing: tuple[str, ...] = ()
    task: str = ""
    head: dict[str, Any] | None = None


def read(model: bytes) -> ModelMetadata | None:
    """Read the metadata of a .tflite file's bytes; None if it has none.

    Raises:
        ModelError: the bytes are not a complete TFLite model, or its metadata is damaged.
    """
    return of(tflite.parse(model))


def of(file: ModelFile, name: str = "the model") -> ModelMetadata | None:
    """Read the metadata of a parsed file; see :func:`read`."""
    try:
        packed = packed_files(file.content, file.end)
        export = export_metadata.read(packed)
        if ENTRY not in file.metadata:
            return None if export is None else _with_export(ModelMetadata(), export)
        data = file.buffer(file.metadata[ENTRY])
        if data[4:8] != IDENTIFIER:
            raise _damaged(name, "unknown format")
        about = _read(FlatbufferReader(data).root(), packed)
    except FlatbufferError as error:
        raise _damaged(name, str(error)) from None
    return about if export is None else _with_export(about, export)


def _with_export(about: ModelMetadata, export: ExportMetadata) -> ModelMetadata:
    """Return the metadata with an exporter's, whose models take pixels of 0 to 1."""
    unit = about.mean is None
    return replace(
        about,
        labels=export.labels or about.labels,
        mean=(0.0,) if unit else about.mean,
        std=(255.0,) if unit else about.std,
        task=export.task,
    )


def files_to_pack(metadata: ModelMetadata) -> dict[str, bytes]:
    """Return the files to pack behind the model, by name."""
    files: dict[str, bytes] = {}
    if metadata.labels is not None:
        files[LABELS_FILE] = "".join(f"{label}\n" for label in metadata.labels).encode()
    if metadata.provenance is not None:
        files[PROVENANCE_FILE] = json.dumps(metadata.provenance, indent=2).encode()
    if metadata.head is not None:
        files[HEAD_FILE] = json.dumps(metadata.head).encode()
    if metadata.task:
        files[export_metadata.TASK_FILE] = json.dumps({"task": metadata.task}).encode()
    return files


def packed_files(content: bytes, end: int) -> dict[str, bytes]:
    """Read the zip behind a model, by the last part of the file names; empty without a zip.

    ``end`` is the end of the model's FlatBuffer in ``content``. Files that do not fit into
    ``MAX_PACKED_BYTES`` with those before them are left out.

    Raises:
        FlatbufferError: the zip cannot be read.
    """
    if content.find(b"PK\x03\x04", end) < 0:
        return {}
    files: dict[str, bytes] = {}
    left = MAX_PACKED_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for item in archive.infolist():
                if item.file_size <= left:
                    left -= item.file_size
                    files[PurePosixPath(item.filename).name] = archive.read(item)
    except Exception as error:  # zipfile and its codecs raise various errors on damage
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise FlatbufferError(f"in the zip archive after the model: {reason}") from None
    return files


def _read(root: FlatbufferTable, packed: dict[str, bytes]) -> ModelMetadata:
    graph = next(root.tables(3), None)
    image = next(graph.tables(2), None) if graph else None
    outputs = [*graph.tables(3)] if graph else []
    mean, std = _normalization(image) if image else (None, None)
    named = [*root.tables(6)]
    for table, field in ((graph, 4), (image, 6), *((output, 6) for output in outputs)):
        named += [*table.tables(field)] if table else []
    names = [PurePosixPath(entry.text(0)).name for entry in named]
    return ModelMetadata(
        name=root.text(0),
        description=root.text(1),
        labels=_first(_labels(output, packed) for output in outputs),
        mean=mean,
        std=std,
        threshold=_first(_threshold(output) for output in outputs),
        provenance=_json_object(packed, PROVENANCE_FILE),
        head=_json_object(packed, HEAD_FILE),
        author=root.text(4),
        license=root.text(5),
        version=root.text(2),
        missing=tuple(name for name in names if name not in packed),
    )


def _first(values: Iterable[T | None]) -> T | None:
    """Return the first value that is there: detectors describe several outputs."""
    return next((value for value in values if value is not None), None)


def _normalization(
    tensor: FlatbufferTable,
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    for options in _process_units(tensor, NORMALIZATION_OPTIONS):
        mean, std = options.floats(0), options.floats(1)
        if mean and std and 0 not in std and all(map(math.isfinite, (*mean, *std))):
            return mean, std
    return None, None


def _threshold(scores: FlatbufferTable) -> float | None:
    """Read the global score threshold; some writers store 0 or less for none."""
    for options in _process_units(scores, THRESHOLDING_OPTIONS):
        value = options.real(0)
        if 0 < value <= 1:
            return value
    return None


def _process_units(tensor: FlatbufferTable, kind: int) -> Iterator[FlatbufferTable]:
    """Yield the options of a tensor's process units of one ``kind``."""
    for unit in tensor.tables(4):
        options = unit.table(1)
        if options is not None and unit.integer(0, "B") == kind:
            yield options


def _labels(scores: FlatbufferTable, packed: dict[str, bytes]) -> tuple[str, ...] | None:
    """Read the output's labels: the file without a locale, else English, else the first."""
    files = [entry for entry in scores.tables(6) if entry.integer(2, "b") in _LABEL_TYPES]
    files.sort(key=lambda entry: (bool(entry.text(3)), not entry.text(3).startswith("en")))
    for entry in files:
        name = PurePosixPath(entry.text(0)).name
        data = packed.get(name)
        if data is not None and name not in export_metadata.FILES:
            lines = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n")
            return tuple(lines[:-1] if lines[-1] == "" else lines)
    return None


def _json_object(packed: dict[str, bytes], name: str) -> dict[str, Any] | None:
    """Read a file with a JSON object; numbers that JSON lacks become null.

    None for another program's file of that name.
    """
    data = packed.get(name, b"null")
    if len(data) > MAX_JSON_BYTES:
        return None
    try:
        value = json.loads(data, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and _depth(value) <= MAX_JSON_DEPTH else None


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None


def _depth(value: object) -> int:
    """Count the levels of lists and objects in a JSON value, without recursion."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [
            part for item in level for part in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def _damaged(name: str, why: str) -> ModelError:
    return ModelError(
        "valid TFLite metadata",
        f"{name}, whose metadata is damaged ({why})",
        "copy the file again, or convert the model again",
        code="metadata-damaged",
        summary=f"the metadata of {name} is damaged ({why})",
    )
