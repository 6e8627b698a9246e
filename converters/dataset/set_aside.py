"""Setting aside images of a data set: moved to a folder, with a record that brings them back."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edge.errors import OutputError, UsageError
from edge.files import check_result_folder, output_errors, write_atomic
from edge.quantities import counted

RECORD = "moved.json"
"""Name of the file that says where the images of its folder come from."""


@dataclass(frozen=True, slots=True)
class MovedImage:
    """An image of a data set: its ``name`` there, with '/' between parts, and its ``path``."""

    name: str
    path: Path


def check_folder(folder: Path, dataset: Path) -> None:
    """Check that images of a data set can be moved to ``folder``.

    Raises:
        UsageError: the data set is no folder, so that nothing can be moved out of it.
        OutputError: ``folder`` overlaps with it, is a file, or is not empty.
    """
    if not dataset.is_dir():
        raise UsageError(
            "a folder of images, to move some of them", f"the file {dataset}",
            "unpack it and pass the folder, or leave out --move", code="dataset-not-a-folder",
        )  # fmt: skip
    check_result_folder(folder, dataset)
    if folder.is_dir() and any(folder.iterdir()):
        raise OutputError(
            "a new or empty folder", f"{folder}, which has files", "choose another with --move",
            code="output-not-empty",
        )  # fmt: skip


def set_aside(images: Sequence[MovedImage], folder: Path, dataset: Path) -> None:
    """Move images to ``folder``, below which they keep their names; nothing is deleted.

    The record is written first, so that an interrupted move can be undone, too.

    Raises:
        UsageError: the data set is no folder.
        OutputError: the folder cannot be used, or a file cannot be moved.
    """
    check_folder(folder, dataset)
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    origins = {image.name: str(image.path.resolve()) for image in images}
    record = {"dataset": str(dataset.resolve()), "moved": origins}
    write_atomic(folder / RECORD, json.dumps(record, indent=2) + "\n")
    for image in images:
        _move(image.path, _inside(folder, image.name))


def bring_back(folder: Path) -> int:
    """Move the images of a folder of :func:`set_aside` back to where they were; return how many.

    Nothing is overwritten: where an image has another one in its place, none is moved.

    Raises:
        UsageError: the folder has no record, or a damaged one.
        OutputError: a place is taken, or a file cannot be moved.
    """
    moved = _read(folder)
    waiting = {path: origin for path, origin in moved.items() if path.exists()}
    taken = [origin for origin in waiting.values() if origin.exists()]
    if taken:
        raise OutputError(
            "no file where an image was",
            f"{taken[0]}" + (f" and {counted(len(taken) - 1, 'more file')}" if taken[1:] else ""),
            "move it away, then try again",
            code="output-exists",
        )
    for path, origin in waiting.items():
        _move(path, origin)
    (folder / RECORD).unlink()
    _remove_empty(folder)
    return len(waiting)


def _read(folder: Path) -> dict[Path, Path]:
    """Return where each image of the folder was."""
    path = folder / RECORD
    try:
        moved = json.loads(path.read_bytes())["moved"]
        return {_inside(folder, name): Path(origin) for name, origin in moved.items()}
    except OSError:
        actual = f"no {RECORD} in {folder}"
    except (ValueError, KeyError, TypeError, AttributeError):
        actual = f"a damaged {path}"
    raise UsageError(
        "a folder that 'edge dataset suspects --move' wrote", actual, "pass that folder",
        code="moved-record-missing",
    )  # fmt: skip


def _inside(folder: Path, name: str) -> Path:
    """Return the path of a name below the folder."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute():
        raise ValueError(name)
    return folder.joinpath(*parts)


def _move(source: Path, target: Path) -> None:
    with output_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source, target)


def _remove_empty(folder: Path) -> None:
    """Remove the folder and those below it that have become empty."""
    for inner, _, _ in os.walk(folder, topdown=False):
        if not any(Path(inner).iterdir()):
            Path(inner).rmdir()
