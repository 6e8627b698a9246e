"""Files and folders: atomic writes, checksums and the cache folder."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.errors import OutputError, unwritable


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file under a temporary name and rename it to ``path``; text as UTF-8.

    Raises:
        OutputError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with output_errors(path):
            part.write_bytes(content.encode() if isinstance(content, str) else content)
            part.replace(path)
    finally:
        with suppress(OSError):  # still there only where we were stopped, be it by Ctrl-C
            part.unlink()


@contextmanager
def native_path(path: Path) -> Iterator[str]:
    """Yield the name by which OpenCV opens a file, or creates it, within the block.

    It is absolute, since FFmpeg takes "12:30.mp4" for an address. A name that is not UTF-8, which
    would crash OpenCV, is replaced by that of a link.
    """
    name = str(path.absolute())
    try:
        name.encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory() as folder:
            link = Path(folder, f"file{path.suffix}".encode(errors="replace").decode())
            link.symlink_to(name)
            yield str(link)
    else:
        yield name


@contextmanager
def atomic_directory(out: Path) -> Iterator[Path]:
    """Yield a staging folder next to ``out`` that replaces ``out`` when the block succeeds.

    If the block fails, ``out`` stays as it was and nothing is left next to it. An earlier folder is
    renamed out of the way and removed only after the new one has its name: a crash at any moment
    loses neither.

    Raises:
        OutputError: ``out`` cannot be written, or its disk is full.
    """
    target = out.resolve()  # a link to a folder stays one
    with output_errors(out):
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(
            tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
        )
    try:
        staging.chmod(0o777 & ~_umask())
        with _staging_errors(staging, out):
            yield staging
        with output_errors(out):
            _replace(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Report each OSError of the block as ``path`` not being writable.

    Raises:
        OutputError: the block raised an OSError.
    """
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from None


def check_writable(path: Path) -> None:
    """Check early, as far as possible, that the file ``path`` can be written.

    Raises:
        OutputError: it cannot.
    """
    if path.is_dir():
        raise OutputError(
            f"a file {path}",
            "a directory",
            "choose another name",
            code="output-is-directory",
            summary=f"{path} is a directory",
        )
    if not path.parent.is_dir():
        raise OutputError(
            f"a directory {path.parent}",
            "none",
            f"mkdir -p {path.parent}",
            code="output-directory-missing",
            summary=f"the directory {path.parent} does not exist",
        )
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OutputError(
            f"a writable path {path}",
            "permission denied",
            "choose another directory",
            code="output-not-writable",
        )


def check_result_folder(out: Path, dataset: Path) -> None:
    """Refuse a folder for results that is a file, or that overlaps with the ``dataset``.

    Raises:
        OutputError: it is one, or does.
    """
    output, photos = out.resolve(), dataset.resolve()
    if output == photos or output in photos.parents or photos in output.parents:
        raise OutputError(
            "an output folder outside the dataset",
            f"{out}, which overlaps with {dataset}",
            "choose another folder with -o",
            code="output-overlaps-input",
        )
    if out.exists() and not out.is_dir():
        raise OutputError(
            "an output folder",
            f"the file {out}",
            "choose another path with -o",
            code="output-is-file",
        )


def cache_folder() -> Path:
    """Create and return the cache: ``$EDGE_CACHE``, else ``edge-toolkit`` in the user's cache.

    Raises:
        OutputError: it cannot be created.
    """
    chosen = os.environ.get("EDGE_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(chosen) if chosen else base / "edge-toolkit"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            "a writable cache folder",
            f"{folder} ({error.strerror})",
            "set EDGE_CACHE to a folder that you can write to",
            code="cache-not-writable",
        ) from None
    return folder


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file's content, in hex."""
    return _digest(path, "sha256")


def git_blob_id(path: Path) -> str:
    r"""Compute git's id of a file's content, in hex.

    It is the SHA-1 of "blob SIZE\0" and the content (gitformat-pack, hash-object).
    """
    return _digest(path, "sha1", f"blob {path.stat().st_size}\0".encode())


@contextmanager
def _staging_errors(staging: Path, out: Path) -> Iterator[None]:
    """Report an OSError about ``staging`` as one about ``out``; others keep their message."""
    try:
        yield
    except OSError as error:
        if _concerns(error, staging):
            raise unwritable(out, error) from error
        raise


def _concerns(error: OSError, folder: Path) -> bool:
    if error.filename is None:  # a write into an open file, as it is on a full disk
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return Path(str(error.filename)).is_relative_to(folder)


def _replace(staging: Path, target: Path) -> None:
    """Rename ``staging`` to ``target``; an earlier folder comes back if that fails."""
    if not target.exists():
        staging.rename(target)
        return
    old = staging.with_suffix(".old")
    try:
        target.rename(old)
        staging.rename(target)
    finally:
        if not target.exists():  # stopped between the two renames, be it by Ctrl-C
            old.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _digest(path: Path, method: str, prefix: bytes = b"") -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(
            file, lambda: hashlib.new(method, prefix, usedforsecurity=False)
        )
    return digest.hexdigest()
