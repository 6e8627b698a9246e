"""Opening a model for a task: its runtime, and the twin for the CPU where there is no Edge TPU."""

from dataclasses import dataclass
from pathlib import Path

from edge import interpreter, metadata, tflite
from edge.errors import DelegateError
from edge.interpreter import Runtime
from edge.labels import find_labels, read_labels
from edge.metadata import Metadata


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that runs. ``labels``: as found, None where there are none; ``source``: where."""

    path: Path
    runtime: Runtime
    about: Metadata | None
    labels: tuple[str, ...] | None
    source: str
    notes: tuple[str, ...]


def open_runtime(path: Path, *, labels: Path | None, delegate: str, threads: int | None) -> Opened:
    """Open a .tflite file of any task.

    Labels come from ``labels``, else from the model's metadata, else from a file beside it. With
    delegate "auto", a model compiled for the Edge TPU falls back to its twin for the CPU beside it
    (the name without ``_edgetpu``), and a note says so.

    Raises:
        ModelError: no usable model.
        LabelsError: the labels cannot be read.
        DelegateError: no interpreter, or no Edge TPU for a model that needs one.
    """
    note: tuple[str, ...] = ()
    chosen = path
    try:
        runtime = _load(path, delegate, threads)
    except DelegateError as error:
        chosen = twin(path)
        if delegate != "auto" or chosen == path or not chosen.is_file():
            raise
        note = (f"no Edge TPU ({error.found}): {chosen.name} runs on the CPU instead",)
        runtime = _load(chosen, "cpu", threads)
    about = metadata.of(runtime.file, str(chosen))
    names, source = _labels(path, about, labels)
    return Opened(chosen, runtime, about, names, source, (*note, *runtime.notes))


def twin(path: Path) -> Path:
    """The file for the CPU that a file for the Edge TPU was compiled from, by its name."""
    return path.with_name(path.name.replace("_edgetpu", ""))


def _load(path: Path, delegate: str, threads: int | None) -> Runtime:
    content = tflite.read_file(path)
    return interpreter.load(content, name=str(path), delegate=delegate, threads=threads)


def _labels(
    path: Path, about: Metadata | None, given: Path | None
) -> tuple[tuple[str, ...] | None, str]:
    if given is not None:
        return read_labels(given), str(given)
    if about is not None and about.labels is not None:
        return about.labels, f"the metadata of {path}"
    beside = find_labels(path)
    return (None, "") if beside is None else (read_labels(beside), str(beside))
