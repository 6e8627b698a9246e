"""The registry: which models there are, read from ``models.toml`` and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from edge import toml_config
from edge.errors import ModelError, UsageError, did_you_mean
from edge.installation import install_command

SHIPPED = Path(__file__).with_name("models.toml")

TASKS = ("classify", "detect", "segment", "pose")

LABELS = "labels.txt"
"""What labels are called here, where :func:`edge.modelfile.labels.find_labels` finds them."""

_FILE_KEYS = {"file": str, "bytes": int, "sha256": str, "blob": str}


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to download.

    ``name``: of the file here; ``url``: where it is, at a commit or version; ``size``: bytes, None
    where it is not known; ``sha256``, or ``blob`` (git's id of the content), in hex, is what it is
    checked with; with neither it is unverified until it was first pulled.
    """

    name: str
    url: str
    size: int | None = None
    sha256: str | None = None
    blob: str | None = None

    @property
    def checked(self) -> str:
        """How it is checked: "sha256", "git" or "first pull"."""
        return "sha256" if self.sha256 else "git" if self.blob else "first pull"


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model: what it is for, under which license, the image's "width x height" in pixels, and
    its files. ``edgetpu``: the same, compiled for the Edge TPU; ``labels``: None for a model that
    holds its labels or needs none.
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
        """All of its files."""
        return tuple(file for file in (self.model, self.labels, self.edgetpu) if file is not None)


@cache
def entries() -> Mapping[str, CatalogEntry]:
    """The models that the toolkit knows, by name.

    Raises:
        ModelError: the registry is damaged.
    """
    return read(SHIPPED)


def find(name: str) -> CatalogEntry:
    """The model of that name.

    Raises:
        ModelError: there is none; the error names what is nearest.
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
    if values["task"] not in TASKS:
        raise ValueError(f"{name}: task is '{values['task']}', not one of {', '.join(TASKS)}")
    if values["origin"] not in origins:
        raise ValueError(f"{name}: no origin '{values['origin']}'")
    origin = origins[values["origin"]]
    keys = {"about": str, "url": str, "licence": str}
    _check(origin, keys, f"origin {values['origin']}", required=tuple(keys))
    made = {key: _remote(values[key], origin["url"], name, key) for key in files if key in values}
    return CatalogEntry(
        name, values["task"], origin["about"], origin["licence"], values["input"], **made
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


def _damaged(found: str) -> ModelError:
    fix = f"install the toolkit again: {install_command()}"
    return ModelError("a valid model registry", found, fix, code="registry-damaged")
