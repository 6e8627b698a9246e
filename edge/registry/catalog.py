"""Model catalog: the models of the registry, read from ``models.toml``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from edge import toml_config
from edge.errors import ModelError, UsageError, did_you_mean
from edge.installation import install_command
from edge.task_kinds import model_tasks

SHIPPED = Path(__file__).with_name("models.toml")

LABELS = "labels.txt"
"""Name of the labels file, which :func:`edge.modelfile.labels.find_labels` finds."""

_FILE_KEYS = {"file": str, "bytes": int, "sha256": str, "blob": str}


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to download.

    Attributes:
        name: Name of the file in the cache.
        url: Its URL, at a pinned commit or version.
        size: Bytes; None if not known.
        sha256: Expected SHA-256, in hex.
        blob: Expected git id of the content, in hex; with neither, the file is unverified until
            its first download.
    """

    name: str
    url: str
    size: int | None = None
    sha256: str | None = None
    blob: str | None = None

    @property
    def checked(self) -> str:
        """Kind of check: "sha256", "git" or "first pull"."""
        return "sha256" if self.sha256 else "git" if self.blob else "first pull"


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model of the registry.

    Attributes:
        name: Name of the model.
        task: One of :func:`edge.task_kinds.model_tasks`.
        about: Origin of the model, in a sentence.
        license: License of the model.
        input: Input size, "WIDTHxHEIGHT" in pixels.
        model: The .tflite or .task file.
        edgetpu: The same model compiled for the Edge TPU; None if there is none.
        labels: None for a model that contains its labels or needs none.
    """

    name: str
    task: str
    about: str
    license: str
    input: str
    model: RemoteFile
    edgetpu: RemoteFile | None = None
    labels: RemoteFile | None = None

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """All files of the model."""
        return tuple(file for file in (self.model, self.labels, self.edgetpu) if file is not None)


@cache
def entries() -> Mapping[str, CatalogEntry]:
    """Return the models of the registry, by name.

    Raises:
        ModelError: the registry is damaged.
    """
    return read(SHIPPED)


def find(name: str) -> CatalogEntry:
    """Return the model of that name.

    Raises:
        ModelError: there is none; the fix names the nearest.
    """
    known = entries()
    if name in known:
        return known[name]
    raise ModelError(
        "the name of a model",
        f"'{name}'",
        did_you_mean(name, known, "see 'edge models list'"),
        code="unknown-model",
        summary=f"unknown model '{name}'",
    )


def read(path: Path) -> dict[str, CatalogEntry]:
    """Read a registry.

    Raises:
        ModelError: it cannot be read; a key is missing, unknown, or of another type.
    """
    try:
        table = toml_config.table(path)
        _check(table, {"origins": dict, "models": dict}, "the file", required=("models",))
        origins = table.get("origins", {})
        return {name: _entry(name, values, origins) for name, values in table["models"].items()}
    except UsageError as error:
        raise _damaged(error.found) from error
    except ValueError as error:
        raise _damaged(f"{path} ({error})") from None


def _entry(name: str, values: Any, origins: dict[str, Any]) -> CatalogEntry:
    files: dict[str, type] = dict.fromkeys(("model", "edgetpu", "labels"), dict)
    texts: dict[str, type] = {"task": str, "origin": str, "input": str}
    _check(values, texts | files, name, required=(*texts, "model"))
    if values["task"] not in model_tasks():
        choices = ", ".join(model_tasks())
        raise ValueError(f"{name}: task is '{values['task']}', not one of {choices}")
    if values["origin"] not in origins:
        raise ValueError(f"{name}: no origin '{values['origin']}'")
    origin = origins[values["origin"]]
    keys = {"about": str, "url": str, "licence": str}
    _check(origin, keys, f"origin {values['origin']}", required=tuple(keys))
    remote = {key: _remote(values[key], origin["url"], name, key) for key in files if key in values}
    return CatalogEntry(
        name, values["task"], origin["about"], origin["licence"], values["input"], **remote
    )


def _remote(values: Any, base: str, name: str, key: str) -> RemoteFile:
    _check(values, _FILE_KEYS, f"{name}.{key}", required=("file",))
    for kind, digits in (("sha256", 64), ("blob", 40)):
        given = values.get(kind)
        if given is not None and (len(given) != digits or set(given) - set("0123456789abcdef")):
            raise ValueError(f"{name}.{key}: {kind} is not {digits} hexadecimal digits")
    local = LABELS if key == "labels" else PurePosixPath(values["file"]).name
    return RemoteFile(
        local,
        base + quote(values["file"]),
        values.get("bytes"),
        values.get("sha256"),
        values.get("blob"),
    )


def _check(
    values: Any, types: Mapping[str, type], where: str, *, required: tuple[str, ...]
) -> None:
    if not isinstance(values, dict):
        raise ValueError(f"{where} is not a table")
    for key, value in values.items():
        if key not in types:
            raise ValueError(f"{where}: unknown key '{key}'")
        if type(value) is not types[key]:
            raise ValueError(f"{where}: {key} is {value!r}")
    if missing := [key for key in required if key not in values]:
        raise ValueError(f"{where}: no {missing[0]}")


def _damaged(reason: str) -> ModelError:
    fix = f"install the toolkit again: {install_command()}"
    return ModelError("a valid model registry", reason, fix, code="registry-damaged")
