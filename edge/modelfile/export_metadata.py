"""What exporters of YOLO pack behind a model: its task, the names of its classes, its input.

Ultralytics adds ``metadata.json`` to the .tflite file, as a zip behind it; earlier versions add the
same as ``temp_meta.txt`` or ``meta.txt``, in Python's notation, and folders have it as YAML.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edge.modelfile import small_yaml
from edge.modelfile.label_formats import from_value
from edge.modelfile.label_lines import LabelFormatError, Labels
from edge.modelfile.small_yaml import YamlError

TASKS = ("detect", "segment", "classify", "pose", "obb")
"""Words for the task of a model; others are not theirs, and ignored."""

MAX_BYTES = 1 << 20
"""Size of such a file; a larger one is something else."""


@dataclass(frozen=True, slots=True)
class ExportMetadata:
    """Metadata of an exporter.

    Attributes:
        task: One of ``TASKS``; "" where the file does not contain it.
        labels: Names of the classes, None where there are none.
    """

    task: str
    labels: Labels | None


def read(packed: Mapping[str, bytes]) -> ExportMetadata | None:
    """Return the exporter's metadata among the files behind a model, None where there is none."""
    for name, read_file in FILES.items():
        content = packed.get(name, b"")
        if content and len(content) <= MAX_BYTES:
            try:
                values = read_file(content.decode("utf-8-sig"))
            except (ValueError, RecursionError, YamlError):
                continue
            if isinstance(values, Mapping) and (
                "task" in values or {"names", "stride"} <= {*values}
            ):
                task = values.get("task")
                return ExportMetadata(task if task in TASKS else "", _names(values.get("names")))
    return None


def _json(text: str) -> Any:
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


def _yaml(text: str) -> Any:
    nodes = small_yaml.read_keys(text)
    return {key: nodes[key].read() for key in ("task", "names", "stride") if key in nodes}


FILES: dict[str, Callable[[str], Any]] = {
    "metadata.json": _json,
    "metadata.yaml": _yaml,
    "temp_meta.txt": small_yaml.read_collection,
    "meta.txt": small_yaml.read_collection,
}
"""Name of the file → its reader."""

TASK_FILE = "metadata.json"


def _names(value: Any) -> Labels | None:
    try:
        return from_value(value)
    except LabelFormatError:
        return None
