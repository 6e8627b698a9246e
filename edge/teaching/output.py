"""The folder of a taught model: where it is, and what may be in it before."""

from collections.abc import Sequence
from pathlib import Path

from edge.errors import EdgeError, OutputError
from edge.files import check_result_folder, write_atomic
from edge.known_models import trust_model
from edge.modelfile.labels import read_labels
from edge.teaching.examples import EXAMPLES_FILE

MODEL_FILE, LABELS_FILE = "model.tflite", "labels.txt"

_REPORT_FILE = "report.json"
"""File of a result of ``edge convert``, which describes the model next to it."""


def default_output(folder: Path) -> Path:
    """Return the folder of the model of a folder of images: next to it, named after it."""
    return beside(folder, "model")


def beside(folder: Path, ending: str) -> Path:
    """Return a path next to a folder, with its name and an ending: photos-model."""
    name = f"{folder.resolve().name}-{ending}"
    return folder / ".." / name if folder.name in ("", "..") else folder.with_name(name)


def check_output(folder: Path, out: Path) -> None:
    """Reject an output folder that overlaps with the images, or that holds something else.

    Raises:
        OutputError: it does.
    """
    check_result_folder(out, folder)
    if not out.exists():
        return
    if any(out.iterdir()) and not (out / EXAMPLES_FILE).is_file():
        result = (out / _REPORT_FILE).is_file()
        raise OutputError(
            "a new or empty output folder, or one of 'edge teach'",
            f"a result of 'edge convert' in {out}" if result else f"{out}, which has other files",
            "choose another folder with -o",
            code="output-folder-not-empty",
        )


def write_model(path: Path, content: bytes) -> Path:
    """Write a model that was made here, which needs no trial; return its path.

    Raises:
        OutputError: it cannot be written.
    """
    trust_model(content)
    write_atomic(path, content)
    return path


def earlier_order(out: Path) -> Sequence[str]:
    """Return the labels in an output folder; none where they cannot be read."""
    path = out / LABELS_FILE
    try:
        return read_labels(path) if path.is_file() else ()
    except EdgeError:  # somebody edited it: the order of the classes is all that is lost
        return ()
