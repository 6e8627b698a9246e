"""Class folders: class and split of each image from the names of its folders."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from converters.dataset.listing import SPLIT_ALIASES, LabeledFile, Listing, class_name, file_name
from edge.errors import DatasetError
from edge.image_format import SUFFIXES
from edge.system_files import is_system_name

EXAMPLE = "photos/cat/1.jpg and photos/dog/2.jpg"

_TEACHABLE_SEPARATOR = "-!-"
"""Separator in the image names of a Teachable Machine project: ``CLASS-!-NUMBER.jpg``."""


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A file: its name relative to the data set ('/' between parts, printable) and its path."""

    name: str
    path: Path


def walk(root: Path) -> tuple[list[FolderEntry], list[str]]:
    """List the files below ``root`` that are the user's, and empty folders (names with a '/').

    Links to folders are followed, each folder once.

    Raises:
        PermissionError: a folder cannot be read.
    """
    entries: list[FolderEntry] = []
    empty: list[str] = []
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
        entries += [
            FolderEntry(file_name((relative / name).as_posix()), folder / name) for name in visible
        ]
        if not visible and not subfolders and folder != root:
            empty.append(f"{file_name(relative.as_posix())}/")
    return entries, empty


def is_image(name: str) -> bool:
    """Check for the suffix of an image."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def label_by_folder(
    name: str, location: str, entries: Iterable[FolderEntry], ignored: Iterable[str]
) -> Listing:
    """Label every image by its class folder.

    Folders around the class folders are skipped. The top folders are the classes, or the splits
    where all of them are called train, val (valid, validation) or test and there are at least two;
    then the class folders are below them.

    Args:
        name: of the data set.
        location: its path, for errors.
        entries: all its files.
        ignored: names of files to add to those that are no images or in no class folder.

    Raises:
        DatasetError: there are no images, or no class folders.
    """
    entries = list(entries)
    images = [entry for entry in entries if is_image(entry.name)]
    skipped = [*ignored, *(entry.name for entry in entries if not is_image(entry.name))]
    if not images:
        raise _no_images(location, skipped)
    depth = _wrapping_depth([entry.name.split("/") for entry in images])
    sources = _sources(images, depth, location)
    if not sources:
        raise DatasetError(
            f"one folder per class ({EXAMPLE})",
            f"{len(images)} images in {location}, none of them in a class folder",
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
    """Count the folders around the class (or split) folders, e.g. 1 for photos/photos/cat."""
    depth = 0
    while len({parts[depth] for parts in paths}) == 1:
        if _is_teachable(paths, depth + 1):
            return depth + 1
        if any(len(parts) < depth + 3 for parts in paths):  # images are directly inside: a class
            return depth
        depth += 1
    return depth


def _is_teachable(paths: list[list[str]], depth: int) -> bool:
    return all(len(parts) == depth + 1 and _TEACHABLE_SEPARATOR in parts[depth] for parts in paths)


def _sources(images: list[FolderEntry], depth: int, location: str) -> list[LabeledFile]:
    paths = [entry.name.split("/")[depth:] for entry in images]
    if _is_teachable(paths, 0):
        return [
            LabeledFile(
                entry.path, entry.name, class_name(parts[0].rsplit(_TEACHABLE_SEPARATOR, 1)[0])
            )
            for entry, parts in zip(images, paths, strict=True)
        ]
    tops = {parts[0] for parts in paths if len(parts) > 1}
    splits = {SPLIT_ALIASES[top.lower()] for top in tops if top.lower() in SPLIT_ALIASES}
    if len(splits) < 2:
        return [
            LabeledFile(entry.path, entry.name, class_name(parts[0]))
            for entry, parts in zip(images, paths, strict=True)
            if len(parts) > 1
        ]
    _check_splits(tops, splits, location)
    return [
        LabeledFile(entry.path, entry.name, class_name(parts[1]), SPLIT_ALIASES[parts[0].lower()])
        for entry, parts in zip(images, paths, strict=True)
        if len(parts) > 2
    ]


def _check_splits(tops: set[str], splits: set[str], location: str) -> None:
    others = sorted(top for top in tops if top.lower() not in SPLIT_ALIASES)
    if others:
        raise DatasetError(
            "either class folders, or train/, val/ and test/ folders that contain them",
            f"both in {location}: {', '.join(sorted(tops))}",
            f"move {others[0]}/ elsewhere, or pass the folder that contains the class folders",
            code="class-and-split-folders-mixed",
        )
    if "train" not in splits:
        raise DatasetError(
            "a train/ folder next to val/ and test/",
            f"only {', '.join(sorted(tops))} in {location}",
            "add train/ with one folder per class",
            code="train-split-missing",
        )


def _no_images(location: str, skipped: list[str]) -> DatasetError:
    contents = f"no files in {location}"
    if skipped:
        contents = (
            f"no images among {len(skipped)} files and folders in {location} ({skipped[0]}, …)"
        )
    return DatasetError(
        f"images ({', '.join(sorted(SUFFIXES))}) in one folder per class, such as {EXAMPLE}",
        contents,
        "pass the folder that contains the class folders",
        code="no-images",
    )


def _raise(error: OSError) -> None:
    raise error
