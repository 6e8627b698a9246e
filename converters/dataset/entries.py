"""Files of a data set: which are images, by name and content."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from converters.dataset.listing import file_name
from edge.image_format import START, SUFFIXES, UNREADABLE_SUFFIXES, ImageFormat, format_of
from edge.system_files import is_system_name

ARCHIVE_SUFFIXES = frozenset({".zip", ".tm", ".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz"})
"""Suffixes of archives; ``.tm`` is a Teachable Machine project, which is a zip."""

OTHER_ARCHIVES = frozenset({".7z", ".rar", ".zst", ".zipx"})
"""Suffixes of archives that are not read."""


LABEL_SUFFIXES = frozenset({
    ".json", ".xml", ".txt", ".csv", ".tsv", ".yaml", ".yml", ".names", ".labels",
})  # fmt: skip
"""Suffixes of files that may hold labels or names of classes."""


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """An image file: its name relative to the data set ('/' between parts, printable) and its path.

    ``unreadable``: the format, if its suffix or content is of one that is not read.
    """

    name: str
    path: Path
    unreadable: ImageFormat | None = None


@dataclass(frozen=True, slots=True)
class FileTree:
    """All files of a data set.

    ``others``: names of the other files, and of empty folders with a '/' at the end; ``labels``:
    paths of those that may hold labels, by name.
    """

    images: list[ImageEntry]
    others: list[str]
    labels: dict[str, Path]


def is_label_file(name: str) -> bool:
    """Check, by its suffix, whether a file may hold labels."""
    return PurePosixPath(name).suffix.lower() in LABEL_SUFFIXES


def image_entry(name: str, path: Path, start: Callable[[], bytes]) -> ImageEntry | None:
    """Return the entry of an image, or None for another file.

    A file without an image's suffix is one if its content is: ``start`` returns its first bytes.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in SUFFIXES:
        return ImageEntry(name, path)
    kind = format_of(start()) or UNREADABLE_SUFFIXES.get(suffix)
    return None if kind is None else ImageEntry(name, path, None if kind.readable else kind)


def stem(dataset: Path) -> str:
    """Return the name of a data set: a folder's whole name, a file's without its suffixes.

    >>> stem(Path("photos.v1.tar.gz"))
    'photos.v1'
    """
    if dataset.is_dir():
        return dataset.name
    return dataset.stem.removesuffix(".tar")


def walk(root: Path) -> FileTree:
    """List the images below ``root``, and the other files and empty folders.

    Hidden files and a system's own are left out. Names of empty folders, and of links that lead
    nowhere, end with a '/'. Links to folders are followed, each folder once.

    Raises:
        PermissionError: a folder cannot be read.
    """
    images: list[ImageEntry] = []
    others: list[str] = []
    labels: dict[str, Path] = {}
    seen: set[tuple[int, int]] = set()
    for path, subfolders, files in os.walk(root, followlinks=True, onerror=_raise):
        folder = Path(path)
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders[:] = sorted(name for name in subfolders if not is_system_name(name))
        visible = sorted(name for name in files if not is_system_name(name))
        relative = folder.relative_to(root)
        for name in visible:
            own, file = file_name((relative / name).as_posix()), folder / name
            image = image_entry(own, file, lambda file=file: _start(file))  # type: ignore[misc]
            if image is not None:
                images.append(image)
            else:
                others.append(own if file.exists() else f"{own}/")
                if is_label_file(own):
                    labels[own] = file
        if not visible and not subfolders and folder != root:
            others.append(f"{file_name(relative.as_posix())}/")
    return FileTree(images, others, labels)


def _start(path: Path) -> bytes:
    with suppress(OSError):
        if path.is_file():  # and no pipe, which would wait
            with path.open("rb") as file:
                return file.read(START)
    return b""


def _raise(error: OSError) -> None:
    raise error
