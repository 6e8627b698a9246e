"""Recognition of data sets for other tasks: boxes or masks instead of one class for each image.

They are recognized by the files that their tools write, before a class is guessed from a folder
that is called ``images`` or ``train2017``.
"""

import re
from collections.abc import Iterable, Sequence, Set
from pathlib import Path, PurePosixPath

from converters.dataset import split_names
from edge.errors import DatasetError

_COCO_NAMES = re.compile(
    r"(.*/)?("
    r"[^/]*\.coco\.json"  # Roboflow
    r"|(instances|person_keypoints|panoptic|captions)_[^/]*\.json"  # cocodataset.org
    r"|annotations/[^/]*\.json"
    r")"
)
_COCO_KEYS = (b'"images"', b'"annotations"', b'"categories"')
_YOLO_LISTS = frozenset({"data.yaml", "classes.txt", "obj.names", "_darknet.labels"})
_BOX_COLUMNS = frozenset({"xmin", "ymin", "xmax", "ymax"})
_PICTURES = re.compile(r"(^|/)(images|JPEGImages)/")
_MASKS = re.compile(r"(^|/)(masks?|SegmentationClass)/")

_START = 1 << 20
"""Bytes of a JSON file in which its keys are looked for, at both ends."""


def check_names(location: str, images: Iterable[str], others: Iterable[str]) -> None:
    """Check that the files of a data set are not those of one for another task.

    Args:
        location: its path, for errors.
        images: names of its images, relative, with '/'.
        others: names of its other files.

    Raises:
        DatasetError: it is a detection data set in the format of COCO, YOLO or Pascal VOC, or has
            masks for segmentation.
    """
    pictures, files = list(images), set(others)
    sorted_by_class = _has_class_folders(pictures)
    for kind, sign in (
        ("detection data set in COCO format", _coco(files, sorted_by_class)),
        ("detection data set in YOLO format", _yolo(pictures, files, sorted_by_class)),
        ("detection data set in Pascal VOC format", _voc(pictures, files, sorted_by_class)),
        ("segmentation data set", _masks(pictures)),
    ):
        if sign is not None:
            raise _other_task(location, f"a {kind} ({sign})")


def check_json(path: Path) -> None:
    """Check that a file is not the annotations of a COCO data set.

    Raises:
        DatasetError: it is.
    """
    with path.open("rb") as file:
        text = file.read(_START)
        file.seek(max(0, path.stat().st_size - _START))
        text += file.read()
    if all(key in text for key in _COCO_KEYS):
        raise _other_task(str(path), "a detection data set in COCO format")


def check_columns(location: str, headings: Iterable[str]) -> None:
    """Check that a table does not list boxes.

    Raises:
        DatasetError: it has columns for the corners of a box.
    """
    if _BOX_COLUMNS.issubset(headings):
        raise _other_task(location, "a detection data set (columns xmin, ymin, xmax, ymax)")


def _has_class_folders(images: Sequence[str]) -> bool:
    """Return True if a folder around an image may be a class: no split, and not called images."""
    folders = {part for image in images for part in PurePosixPath(image).parent.parts}
    return not all(split_names.parse(name) or split_names.is_filler(name) for name in folders)


def _coco(files: Set[str], sorted_by_class: bool) -> str | None:
    certain = min(filter(_COCO_NAMES.fullmatch, files), default=None)
    if certain is not None or sorted_by_class:
        return certain
    lists = (name for name in files if re.search(r"(annotations?|labels)[^/]*\.json$", name))
    return min(lists, default=None)


def _yolo(images: Sequence[str], files: Set[str], sorted_by_class: bool) -> str | None:
    """Return a file of boxes: in ``labels/`` beside ``images/``, or next to its image."""
    beside = not sorted_by_class or any(PurePosixPath(name).name in _YOLO_LISTS for name in files)
    for image in images:
        boxes = PurePosixPath(image).with_suffix(".txt").as_posix()
        parallel = _PICTURES.sub(r"\1labels/", boxes)
        if parallel != boxes and parallel in files:
            return parallel
        if beside and boxes in files:
            return boxes
    return None


def _voc(images: Sequence[str], files: Set[str], sorted_by_class: bool) -> str | None:
    for image in images:
        boxes = PurePosixPath(image).with_suffix(".xml").as_posix()
        parallel = boxes.replace("JPEGImages/", "Annotations/")
        if parallel in files and (parallel != boxes or not sorted_by_class):
            return parallel
    return None


def _masks(images: Sequence[str]) -> str | None:
    """Return a mask: an image in ``masks/`` named after one in ``images/``."""
    masks = {
        _MASKS.sub(r"\1images/", PurePosixPath(name).with_suffix("").as_posix()): name
        for name in images
        if _MASKS.search(name)
    }
    pictures = (_PICTURES.sub(r"\1images/", image) for image in images if _PICTURES.search(image))
    stems = (PurePosixPath(image).with_suffix("").as_posix() for image in pictures)
    return next((masks[stem] for stem in stems if stem in masks), None)


def _other_task(location: str, kind: str) -> DatasetError:
    return DatasetError(
        "one class for each image, by a folder per class or a CSV path,label",
        f"{location}, {kind}",
        "sort the images, or crops of their objects, into a folder per class; "
        "boxes and masks are neither read nor cropped here",
        code="dataset-for-another-task",
        summary=f"{location} is {kind}, and convert trains classifiers",
    )
