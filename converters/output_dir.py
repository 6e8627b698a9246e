"""Results appear whole: what is written is written beside its place and renamed into it."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import OutputError, unwritable
from edge.files import atomic_write

REPORT_FILE = "report.json"
"""The file by which an earlier result is known."""


def check(out: Path, dataset: Path, force: bool) -> None:
    """Refuse an output folder that would lose something, before any work is done.

    Raises:
        OutputError: ``out`` exists and may not be replaced, or lies around or in ``dataset``.
    """
    place, photos = out.resolve(), dataset.resolve()
    if place == photos or place in photos.parents or photos in place.parents:
        raise OutputError(
            "an output folder outside the dataset",
            f"{out}, which overlaps with {dataset}",
            "choose another folder with -o",
            code="output-overlaps-input",
        )
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(
            "an output folder",
            f"the file {out}",
            "choose another path with -o",
            code="output-is-file",
        )
    if not any(out.iterdir()):
        return
    if not (out / REPORT_FILE).is_file():
        raise OutputError(
            "a new or empty output folder",
            f"{out}, which contains other files",
            "choose another folder with -o",
            code="output-folder-not-empty",
        )
    if not force:
        raise OutputError(
            "a new or empty output folder",
            f"an earlier result in {out}",
            "add --force to replace it, or choose another folder with -o",
            code="output-exists",
        )


@contextmanager
def atomic_directory(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` to write into; it takes the place of ``out`` when all went well.

    Whatever fails inside leaves ``out`` as it was and nothing beside it.

    Raises:
        OutputError: the place cannot be written, or its disk is full.
    """
    place = out.resolve()  # a link to a folder stays one
    with atomic_write(out):
        place.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(
            tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".partial", dir=place.parent)
        )
    try:
        staging.chmod(0o777 & ~_umask())
        with _writing_into(staging, out):
            yield staging
        with atomic_write(out):
            _replace(staging, place)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _writing_into(staging: Path, out: Path) -> Iterator[None]:
    """Tell of ``out`` where the block cannot write into ``staging``.

    Trouble with other files and disks keeps its own message.
    """
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


def _replace(staging: Path, place: Path) -> None:
    """Put ``staging`` where ``place`` is; an earlier one comes back if that fails."""
    if not place.exists():
        staging.rename(place)
        return
    old = staging.with_suffix(".old")
    try:
        place.rename(old)
        staging.rename(place)
    finally:
        if not place.exists():  # stopped between the two, be it by Ctrl-C
            old.rename(place)
        shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
