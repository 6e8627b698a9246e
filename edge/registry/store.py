"""Model store: the cache, one folder per model, with its labels and Edge TPU version."""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

from edge import known_models
from edge.errors import DownloadError
from edge.files import cache_folder, git_blob_id, output_errors, sha256, write_atomic
from edge.quantities import size
from edge.registry.catalog import CatalogEntry, RemoteFile
from edge.registry.download import MIRROR, download, failed
from edge.terminal import download_progress

RECORD = "SHA256SUMS"
"""File in each folder with the checksums of the downloads, as ``sha256sum --check`` reads it."""

_MODEL_MARKS = ((4, b"TFL3"), (0, b"PK\x03\x04"))
"""Offset and mark of a .tflite file, and of a .task file, which is a zip."""

Say = Callable[[str], None]


def models() -> Path:
    """Return the folder of all models in the cache.

    Raises:
        OutputError: it cannot be created.
    """
    return cache_folder() / "models"


def path(entry: CatalogEntry, file: RemoteFile) -> Path:
    """Return the path of a file of a model, downloaded or not."""
    return models() / entry.name / file.name


def cached(entry: CatalogEntry, files: Iterable[RemoteFile]) -> bool:
    """Return whether these files of a model are downloaded."""
    return all(path(entry, file).is_file() for file in files)


def pull(entry: CatalogEntry, files: Iterable[RemoteFile], say: Say) -> None:
    """Download the files of a model that are missing or damaged.

    A file gets its name after it was received and checked. Programs that pull the same model at
    the same time wait for one another.

    Args:
        entry: The model.
        files: The files to pull.
        say: Receives a sentence about each download before it starts.

    Raises:
        DownloadError: a file cannot be downloaded, or does not match its checksum.
        OutputError: a file cannot be written.
    """
    folder = models() / entry.name
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder, entry.name, say):
        missing = [file for file in files if not is_valid(entry, file)]
        if missing:
            say(_announcement(entry, missing))
        for file in missing:
            _pull(entry, file, say)


def is_valid(entry: CatalogEntry, file: RemoteFile) -> bool:
    """Return whether a file is downloaded and valid."""
    target = path(entry, file)
    return target.is_file() and validation_error(entry, file) is None


def validation_error(entry: CatalogEntry, file: RemoteFile) -> str | None:
    """Describe what is wrong with a cached file, as a noun phrase; None if it is valid."""
    target = path(entry, file)
    return find_mismatch(target, file, recorded(target.parent).get(file.name))


def find_mismatch(path: Path, file: RemoteFile, recorded: str | None) -> str | None:
    """Describe what is wrong with ``path`` as a copy of ``file``; None if it is right.

    Args:
        path: The copy.
        file: What it should be.
        recorded: The SHA-256 written down when the file was first pulled, if it was.
    """
    if file.blob is not None:
        blob = git_blob_id(path)
        return None if blob == file.blob else f"different content (git blob {blob})"
    if expected := file.sha256 or recorded:
        digest = sha256(path)
        return None if digest == expected else f"different content (SHA-256 {digest})"
    return None if _looks_like_model(path) else "a file that is not a model (perhaps a login page)"


def recorded(folder: Path) -> dict[str, str]:
    """Return the SHA-256 (hex) by file name, as recorded when the files were downloaded."""
    try:
        text = (folder / RECORD).read_text(encoding="utf-8")
    except OSError:
        return {}
    rows = (line.split("  ", 1) for line in text.splitlines())
    return {row[1]: row[0] for row in rows if len(row) == 2}


def _looks_like_model(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(8)
    return any(head[at : at + len(mark)] == mark for at, mark in _MODEL_MARKS)


def _pull(entry: CatalogEntry, file: RemoteFile, say: Say) -> None:
    target = path(entry, file)
    part = target.with_name(f".{file.name}.partial")
    known = recorded(target.parent)
    url = _address(entry, file)
    checkable = bool(file.sha256 or file.blob or known.get(file.name))
    resumed = True
    while resumed:  # a partial file of an earlier pull may be the cause: try once more without it
        with download_progress(file.name) as progress:
            resumed = download(url, part, progress, resume=checkable and part.exists())
        mismatch = find_mismatch(part, file, known.get(file.name))
        if mismatch is None:
            break
        with output_errors(part):
            part.unlink()
        if not resumed:
            raise _mismatch_error(url, mismatch, target) if checkable else failed(url, mismatch)
    digest = sha256(part)
    if file.sha256 or file.blob:
        known_models.remember(digest)
    _record(target.parent, known | {file.name: digest})
    with output_errors(target):
        part.replace(target)
    if not checkable:
        say(
            f"{file.name} could not be verified on this first download. Its SHA-256 is recorded "
            f"and checked from now on: {digest}"
        )


def _address(entry: CatalogEntry, file: RemoteFile) -> str:
    mirror = os.environ.get(MIRROR)
    if not mirror:
        return file.url
    base = mirror if "://" in mirror else Path(mirror).expanduser().resolve().as_uri()
    return f"{base.rstrip('/')}/{quote(entry.name)}/{quote(file.name)}"


def _announcement(entry: CatalogEntry, files: list[RemoteFile]) -> str:
    known = [file.size for file in files if file.size is not None]
    total = f"{size(sum(known))}, " if len(known) == len(files) else ""
    where = urlsplit(_address(entry, files[0]))
    source = where.netloc or where.path.partition(f"/{entry.name}/")[0]
    folder = models() / entry.name
    return f"Downloading {entry.name} ({total}{entry.license}) from {source} to {folder}."


def _mismatch_error(url: str, mismatch: str, target: Path) -> DownloadError:
    return DownloadError(
        f"the model that the registry describes at {url}",
        mismatch,
        "try again; if this persists, the file was changed there: pass a file that you trust "
        f"instead of the name, --model FILE (rm -r {target.parent} forgets earlier downloads)",
        code="download-mismatch",
    )


def _record(folder: Path, known: Mapping[str, str]) -> None:
    lines = (f"{digest}  {name}\n" for name, digest in sorted(known.items()))
    write_atomic(folder / RECORD, "".join(lines))


@contextmanager
def _locked(folder: Path, name: str, say: Say) -> Iterator[None]:
    """Hold the lock of a folder; the system releases it if the program dies."""
    with output_errors(folder):
        lock = (folder / ".lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another program is downloading {name}: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
