"""Loading a model for a task: its runtime, its labels, and its CPU fallback."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from edge import interpreter
from edge.errors import DelegateError, ModelError
from edge.interpreter import Runtime
from edge.modelfile import metadata, tflite
from edge.modelfile.labels import find_labels, read_labels
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.normalization import Normalization
from edge.tasks.model_config import ModelConfig, cpu_path, find_config, read_model_config


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A loaded model.

    Attributes:
        name: Its name in errors, usually its path.
        runtime: Runs the model.
        about: Its metadata, None where it has none.
        labels: Its labels, None where there are none.
        source: Where the labels come from.
        notes: Sentences for the user about what fell back.
        config: What the TOML file next to it says.
        normalization: The user's, else that of the TOML file; None: that of the metadata counts.
    """

    name: str
    runtime: Runtime
    about: ModelMetadata | None
    labels: tuple[str, ...] | None
    source: str
    notes: tuple[str, ...]
    config: ModelConfig = field(default_factory=ModelConfig)
    normalization: Normalization | None = None


def load_file(
    path: Path,
    *,
    labels: str | Path | None,
    delegate: str,
    threads: int | None,
    normalization: Normalization | None = None,
    config: str | Path | None = None,
) -> LoadedModel:
    """Load a .tflite file of any task.

    The description of the model is read from ``config``, else from the TOML file next to it (see
    :mod:`edge.tasks.model_config`); a given ``normalization`` counts more than that.

    Labels come from ``labels``, else from the model's metadata, else from a file next to it. With
    delegate "auto", a model compiled for the Edge TPU falls back to the CPU model next to it (the
    name without ``_edgetpu``), and a note mentions it.

    Raises:
        ModelError: no usable model.
        LabelsError: the labels cannot be read.
        UsageError: the TOML file cannot be read, or has unknown keys or values.
        DelegateError: no interpreter, or no Edge TPU for a model that needs one.
    """
    content = tflite.read_file(path)
    description = find_config(path) if config is None else Path(config)
    described = ModelConfig() if description is None else read_model_config(description)
    loaded = _load_or_fall_back(content, path, labels, delegate, threads)
    chosen = normalization or described.normalization
    return replace(loaded, config=described, normalization=chosen)


def _load_or_fall_back(
    content: bytes, path: Path, labels: str | Path | None, delegate: str, threads: int | None
) -> LoadedModel:
    default = find_labels(path)
    try:
        return load_content(content, str(path), labels, delegate, threads, default_labels=default)
    except DelegateError as error:
        other = cpu_path(path)
        if delegate != "auto" or other == path or not other.is_file():
            raise
        note = f"no Edge TPU ({error.found}): running {other.name} on the CPU instead"
    content = tflite.read_file(other)
    return load_content(
        content, str(other), labels, "cpu", threads, default_labels=default, notes=(note,)
    )


def load_content(
    content: bytes,
    name: str,
    labels: str | Path | None,
    delegate: str,
    threads: int | None,
    *,
    default_labels: Path | None = None,
    notes: tuple[str, ...] = (),
    trusted: bool = False,
) -> LoadedModel:
    """Load the content of a .tflite file; ``default_labels``: file to use if it has none."""
    runtime = interpreter.load(
        content, name=name, delegate=delegate, threads=threads, trusted=trusted
    )
    about = metadata.of(runtime.file, name)
    names, source = _labels(name, about, labels, default_labels)
    return LoadedModel(name, runtime, about, names, source, (*notes, *runtime.notes))


_INSTEAD = {
    "classify": "use 'edge classify' or 'edge demo classify'",
    "detect": "use 'edge demo detect'",
    "segment": "instance masks of YOLO are not read yet: use a model such as deeplabv3_pascal",
    "pose": "poses of YOLO are not read yet: use 'edge demo pose' with movenet_lightning",
    "obb": "rotated boxes are not read: export a model of upright boxes",
}
"""Task in a model's metadata → fix where it is opened for another one."""


def check_task(loaded: LoadedModel, task: str) -> None:
    """Check that a model is for ``task``, if its metadata contains its task.

    Raises:
        ModelError: it is for another one.
    """
    other = "" if loaded.about is None else loaded.about.task
    if other not in ("", task):
        raise ModelError(
            f"a model for {task}",
            f"{loaded.name}, whose metadata says that it is for {other}",
            _INSTEAD[other],
            code="model-wrong-task",
        )


def cpu_fallback_path(path: Path) -> Path:
    """Return the path of the CPU model that an Edge TPU model was compiled from, next to it.

    Raises:
        DelegateError: there is none.
    """
    other = cpu_path(path)
    if other == path or not other.is_file():
        raise DelegateError(
            "a CPU model next to the Edge TPU model",
            f"no {other}" if other != path else f"a file name without _edgetpu ({path})",
            "copy the model that it was compiled from there",
            code="cpu-model-missing",
        )
    return other


def open_cpu_fallback(path: Path, threads: int | None) -> tuple[Path, Runtime]:
    """Load the CPU model of an Edge TPU model on the CPU; return its path and its runtime.

    Raises:
        ModelError: it is no usable model.
        DelegateError: there is none.
    """
    other = cpu_fallback_path(path)
    content = tflite.read_file(other)
    return other, interpreter.load(content, name=str(other), delegate="cpu", threads=threads)


def _labels(
    name: str, about: ModelMetadata | None, given: str | Path | None, default: Path | None
) -> tuple[tuple[str, ...] | None, str]:
    if given is not None:
        return read_labels(given), str(given)
    if about is not None and about.labels is not None:
        return about.labels, f"the metadata of {name}"
    return (None, "") if default is None else (read_labels(default), str(default))
