"""Class folders: which file belongs to which class and side, told from the names of folders."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from converters.dataset.listing import SPLIT_WORDS, LabeledFile, Listing, class_name, file_name
from edge.errors import DatasetError
from edge.image import SUFFIXES

EXAMPLE = "photos/cat/1.jpg and photos/dog/2.jpg"

_TEACHABLE_MARK = "-!-"
"""In a Teachable Machine project images lie side by side, named ``CLASS-!-NUMBER.jpg``."""


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A file: its name within the data set ('/' between parts, printable) and where it is."""

    name: str
    path: Path


def walk(root: Path) -> tuple[list[FolderEntry], list[str]]:
    """All files below ``root`` but hidden ones, and the names of empty folders (with a '/').

    Links to folders are followed; a folder that was seen already is not entered again.

    Raises:
        PermissionError: a folder cannot be read.
    """
    entries: list[FolderEntry] = []
    empty: list[str] = []
    seen: set[tuple[int, int]] = set()
    for place, subfolders, files in os.walk(root, followlinks=True, onerror=_raise):
        folder = Path(place)
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders[:] = sorted(name for name in subfolders if not is_hidden(name))
        visible = sorted(name for name in files if not is_hidden(name))
        relative = folder.relative_to(root)
        entries += [
            FolderEntry(file_name((relative / name).as_posix()), folder / name) for name in visible
        ]
        if not visible and not subfolders and folder != root:
            empty.append(f"{file_name(relative.as_posix())}/")
    return entries, empty


def is_hidden(part: str) -> bool:
    """Whether a file or folder is the system's and not the user's."""
    return part.startswith(".") or part == "__MACOSX"


def is_image(name: str) -> bool:
    """Whether a file's ending is that of an image."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def arrange(
    name: str, where: str, entries: Iterable[FolderEntry], ignored: Iterable[str]
) -> Listing:
    """Tell class and side of every image among ``entries`` from its folders.

    Folders around the class folders are passed through. The top folders are the classes, or the
    sides where all of them are called train, val (valid, validation) or test and at least two
    sides are there; the class folders then lie below. ``ignored`` is carried on, with every
    file that is no image or lies in no class folder.

    Raises:
        DatasetError: there are no images, or no class folders.
    """
    entries = list(entries)
    images = [entry for entry in entries if is_image(entry.name)]
    skipped = [*ignored, *(entry.name for entry in entries if not is_image(entry.name))]
    if not images:
        raise _no_images(where, skipped)
    depth = _wrapping_depth([entry.name.split("/") for entry in images])
    sources = _sources(images, depth, where)
    if not sources:
        raise DatasetError(
            f"one folder per class ({EXAMPLE})",
            f"{len(images)} images in {where}, none of them in a class folder",
            "create a folder for each class and move the images into them",
            code="class-folders-missing",
        )
    used = {source.name for source in sources}
    skipped += [entry.name for entry in images if entry.name not in used]
    return Listing(
        name=name,
        sources=tuple(sorted(sources, key=lambda source: source.name)),
        classes=tuple(sorted({source.label for source in sources})),
        ignored=tuple(sorted(skipped)),
    )


def _wrapping_depth(paths: list[list[str]]) -> int:
    """How many folders lie around the class (or split) folders, e.g. 1 for photos/photos/cat."""
    depth = 0
    while len({parts[depth] for parts in paths}) == 1:
        if _is_teachable(paths, depth + 1):
            return depth + 1
        if any(len(parts) < depth + 3 for parts in paths):  # images lie right below: a class
            return depth
        depth += 1
    return depth


def _is_teachable(paths: list[list[str]], depth: int) -> bool:
    return all(len(parts) == depth + 1 and _TEACHABLE_MARK in parts[depth] for parts in paths)


def _sources(images: list[FolderEntry], depth: int, where: str) -> list[LabeledFile]:
    paths = [entry.name.split("/")[depth:] for entry in images]
    if _is_teachable(paths, 0):
        return [
            LabeledFile(entry.path, entry.name, class_name(parts[0].rsplit(_TEACHABLE_MARK, 1)[0]))
            for entry, parts in zip(images, paths, strict=True)
        ]
    tops = {parts[0] for parts in paths if len(parts) > 1}
    sides = {SPLIT_WORDS[top.lower()] for top in tops if top.lower() in SPLIT_WORDS}
    if len(sides) < 2:
        return [
            LabeledFile(entry.path, entry.name, class_name(parts[0]))
            for entry, parts in zip(images, paths, strict=True)
            if len(parts) > 1
        ]
    _check_splits(tops, sides, where)
    return [
        LabeledFile(entry.path, entry.name, class_name(parts[1]), SPLIT_WORDS[parts[0].lower()])
        for entry, parts in zip(images, paths, strict=True)
        if len(parts) > 2
    ]


def _check_splits(tops: set[str], sides: set[str], where: str) -> None:
    strangers = sorted(top for top in tops if top.lower() not in SPLIT_WORDS)
    if strangers:
        raise DatasetError(
            "either class folders, or train/, val/ and test/ folders that contain them",
            f"both in {where}: {', '.join(sorted(tops))}",
            f"move {strangers[0]}/ elsewhere, or pass the folder that contains the class folders",
            code="class-and-split-folders-mixed",
        )
    if "train" not in sides:
        raise DatasetError(
            "a train/ folder next to val/ and test/",
            f"only {', '.join(sorted(tops))} in {where}",
            "add train/ with one folder per class",
            code="train-split-missing",
        )


def _no_images(where: str, skipped: list[str]) -> DatasetError:
    found = f"no files in {where}"
    if skipped:
        found = f"no images among {len(skipped)} files and folders in {where} ({skipped[0]}, …)"
    return DatasetError(
        f"images ({', '.join(sorted(SUFFIXES))}) in one folder per class, such as {EXAMPLE}",
        found,
        "pass the folder that contains the class folders",
        code="no-images",
    )


def _raise(error: OSError) -> None:
    raise error
