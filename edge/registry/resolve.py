"""Resolve a model's path or name to a file."""

from collections.abc import Callable
from pathlib import Path

from edge.errors import DelegateError, ModelError, did_you_mean, nearest
from edge.registry.catalog import CatalogEntry, RemoteFile, entries
from edge.registry.result_folder import local_model

_SUFFIXES = (".tflite", ".task")


def resolve_model(model: str | Path, say: Callable[[str], None], delegate: str = "auto") -> Path:
    """Resolve a model to its file: an existing path, a result folder, or a name of the registry.

    A result folder of ``edge convert`` resolves to the model in it. A folder with the name of a
    model of the registry, as after an export, does not hide that model. A name resolves
    to a file in the cache, with its labels next to it; missing files are downloaded. With delegate
    "edgetpu" it is the version compiled for the Edge TPU, with the model for the CPU next to it.

    Args:
        model: Path of a file or result folder, or name.
        say: Receives a sentence before a download.
        delegate: "auto", "cpu" or "edgetpu".

    Raises:
        ModelError: there is neither such a file nor such a name; the fix names the nearest. Or a
            folder contains no model.
        DelegateError: the model has no version for the Edge TPU.
        DownloadError: see :func:`edge.registry.store.pull`.
        OutputError: see :func:`edge.registry.store.pull`.
    """
    entry = entries().get(str(model))
    if Path(model).exists() and not (entry and Path(model).is_dir()):
        return local_model(Path(model), delegate)
    if entry is None:
        raise _unknown(str(model))
    from edge.registry import store  # http is imported only where there may be a download

    chosen, files = _files(entry, delegate)
    if not store.cached(entry, files):
        store.pull(entry, files, say)
    return store.path(entry, chosen)


def _files(entry: CatalogEntry, delegate: str) -> tuple[RemoteFile, tuple[RemoteFile, ...]]:
    """Return the file to open, and all files that belong next to it."""
    if delegate != "edgetpu":
        return entry.model, tuple(file for file in (entry.model, entry.labels) if file)
    if entry.edgetpu is None:
        raise DelegateError(
            "a model with an Edge TPU version",
            f"{entry.name}, which has none",
            "see 'edge models list', or use --delegate cpu",
            code="no-edgetpu-version",
            summary=f"{entry.name} has no version for the Edge TPU",
        )
    return entry.edgetpu, entry.files


def _unknown(model: str) -> ModelError:
    path = Path(model)
    if len(path.parts) > 1 or path.suffix in _SUFFIXES:
        guess = nearest(path.stem if path.suffix in _SUFFIXES else model, entries())
        fix = f"check the path, or use the name {guess}" if guess else "check the path"
        return ModelError(
            "a model file",
            f"{model} (No such file or directory)",
            fix,
            code="model-not-found",
            summary=f"cannot read {model} (No such file or directory)",
        )
    return ModelError(
        "a model file, or a name from 'edge models list'",
        f"'{model}'",
        did_you_mean(model, entries(), "check the path, or see 'edge models list'"),
        code="unknown-model",
    )
