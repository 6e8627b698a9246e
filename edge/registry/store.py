"""The models that are kept here: one folder each, with the model, its twin and its labels."""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

from edge.errors import DownloadError
from edge.files import cache_folder, git_blob_id, output_errors, sha256, write_atomic
from edge.registry.catalog import CatalogEntry, RemoteFile
from edge.registry.download import MIRROR, download, failed
from edge.terminal.progress import download_progress

RECORD = "SHA256SUMS"
"""In each folder: what was pulled, as ``sha256sum --check`` reads it."""

_MODEL_MARKS = ((4, b"TFL3"), (0, b"PK\x03\x04"))
"""Offset and mark of a .tflite file, and of a .task file, which is a zip."""

Say = Callable[[str], None]


def models() -> Path:
    """The folder of all models in the cache.

    Raises:
        OutputError: it cannot be created.
    """
    return cache_folder() / "models"


def path(entry: CatalogEntry, file: RemoteFile) -> Path:
    """Where a file of a model is, or will be."""
    return models() / entry.name / file.name


def cached(entry: CatalogEntry, files: Iterable[RemoteFile]) -> bool:
    """Whether these files of a model are here."""
    return all(path(entry, file).is_file() for file in files)


def pull(entry: CatalogEntry, files: Iterable[RemoteFile], say: Say) -> None:
    """Download what is missing of a model, or is here and damaged.

    A file comes to its place when it was received and checked. Programs that pull the same model
    at the same time wait for one another.

    Args:
        entry: the model.
        files: which of its files.
        say: told in a sentence what is about to be downloaded.

    Raises:
        DownloadError: a file cannot be had, or is not what it should be.
        OutputError: it cannot be written.
    """
    place = models() / entry.name
    with output_errors(place):
        place.mkdir(parents=True, exist_ok=True)
    with _locked(place, entry.name, say):
        missing = [file for file in files if not is_valid(entry, file)]
        if missing:
            say(_announcement(entry, missing))
        for file in missing:
            _pull(entry, file, say)


def is_valid(entry: CatalogEntry, file: RemoteFile) -> bool:
    """Whether a file is here and is what it should be."""
    here = path(entry, file)
    return here.is_file() and validation_error(entry, file) is None


def validation_error(entry: CatalogEntry, file: RemoteFile) -> str | None:
    """Describe what is wrong with a cached file, as a noun phrase; None if it is valid."""
    here = path(entry, file)
    return find_mismatch(here, file, recorded(here.parent).get(file.name))


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


def recorded(place: Path) -> dict[str, str]:
    """File name → SHA-256 in hex, as written down when the files of a folder were pulled."""
    try:
        text = (place / RECORD).read_text(encoding="utf-8")
    except OSError:
        return {}
    rows = (line.split("  ", 1) for line in text.splitlines())
    return {row[1]: row[0] for row in rows if len(row) == 2}


def _looks_like_model(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(8)
    return any(head[at : at + len(mark)] == mark for at, mark in _MODEL_MARKS)


def _pull(entry: CatalogEntry, file: RemoteFile, say: Say) -> None:
    here = path(entry, file)
    part = here.with_name(f".{file.name}.partial")
    known = recorded(here.parent)
    url = _address(entry, file)
    checkable = bool(file.sha256 or file.blob or known.get(file.name))
    continued = True
    while continued:  # what was left of an earlier pull may be what is wrong: once more without it
        with download_progress(file.name) as progress:
            continued = download(url, part, progress, resume=checkable and part.exists())
        wrong = find_mismatch(part, file, known.get(file.name))
        if wrong is None:
            break
        with output_errors(part):
            part.unlink()
        if not continued:
            raise _mismatch(url, wrong, here) if checkable else failed(url, wrong)
    digest = sha256(part)
    _record(here.parent, known | {file.name: digest})
    with output_errors(here):
        part.replace(here)
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
    sizes = [file.size for file in files]
    known = [size for size in sizes if size is not None]
    size = f"{sum(known) / 1e6:.1f} MB, " if len(known) == len(sizes) else ""
    where = urlsplit(_address(entry, files[0]))
    source = where.netloc or where.path.partition(f"/{entry.name}/")[0]
    place = models() / entry.name
    return f"Downloading {entry.name} ({size}{entry.license}) from {source} to {place}."


def _mismatch(url: str, found: str, here: Path) -> DownloadError:
    return DownloadError(
        f"the model that the registry describes at {url}",
        found,
        "try again; if this persists, the file was changed there: pass a file that you trust "
        f"instead of the name, --model FILE (rm -r {here.parent} forgets earlier downloads)",
        code="download-mismatch",
    )


def _record(place: Path, known: Mapping[str, str]) -> None:
    lines = (f"{digest}  {name}\n" for name, digest in sorted(known.items()))
    write_atomic(place / RECORD, "".join(lines))


@contextmanager
def _locked(place: Path, name: str, say: Say) -> Iterator[None]:
    """Hold the lock of a folder. The system lets go of it if the program dies."""
    with output_errors(place):
        lock = (place / ".lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another program is downloading {name}: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
