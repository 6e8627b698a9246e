"""Results appear whole: what is written is written beside its place and renamed into it."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import OutputError

MARK = "report.json"
"""The file by which an earlier result is known."""


def check(out: Path, dataset: Path, force: bool) -> None:
    """Refuse an output folder that would lose something, before any work is done.

    Raises:
        OutputError: ``out`` exists and may not be replaced, or lies around or in ``dataset``.
    """
    place, photos = out.resolve(), dataset.resolve()
    if place == photos or place in photos.parents or photos in place.parents:
        raise OutputError(
            "an output folder apart from the data set",
            f"{out}, which overlaps with {dataset}",
            "choose another folder with -o",
        )
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError("a folder for the result", f"the file {out}", "choose another with -o")
    if not any(out.iterdir()):
        return
    if not (out / MARK).is_file():
        raise OutputError(
            "a new folder for the result",
            f"{out}, which holds files that are no earlier result",
            "choose another folder with -o",
        )
    if not force:
        raise OutputError(
            "a new folder for the result",
            f"an earlier result in {out}",
            "add --force to replace it, or choose another folder with -o",
        )


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` to write into; it takes the place of ``out`` when all went well.

    Whatever fails inside leaves ``out`` as it was and nothing beside it.

    Raises:
        OutputError: the place cannot be written, or its disk is full.
    """
    staging: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
        staging.chmod(0o777 & ~_umask())
        yield staging
        _replace(staging, out)
    except OSError as error:
        # Only trouble in writing here is ours to explain; the rest keeps its own message.
        if staging is not None and not _concerns(error, staging, out):
            raise
        raise OutputError(
            f"a place to write {out}", _plainly(error, out.parent), _remedy(error)
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside ``path`` and rename it there, so that it is never there in part.

    Raises:
        OutputError: the place cannot be written, or its disk is full.
    """
    staging: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            prefix=f".{path.name}.", suffix=".partial", dir=path.parent, delete=False
        ) as file:
            staging = Path(file.name)
            file.write(data)
        staging.chmod(0o666 & ~_umask())
        staging.replace(path)
    except OSError as error:
        raise OutputError(
            f"a place to write {path}", _plainly(error, path.parent), _remedy(error)
        ) from error
    finally:
        if staging is not None:
            staging.unlink(missing_ok=True)


def _replace(staging: Path, out: Path) -> None:
    """Put ``staging`` where ``out`` is; an earlier ``out`` comes back if that fails."""
    if not out.exists():
        staging.rename(out)
        return
    old = staging.with_suffix(".old")
    out.rename(old)
    try:
        staging.rename(out)
    except OSError:
        old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _concerns(error: OSError, staging: Path, out: Path) -> bool:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS):
        return True
    named = str(error.filename or "")
    return named.startswith((str(staging), str(out)))


def _plainly(error: OSError, folder: Path) -> str:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return f"{folder}: {reason.lower()}"


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "free some space, or choose another disk"
    return "choose a folder that you may write to"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
