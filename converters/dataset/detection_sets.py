"""Recognition of detection data sets, whose images have boxes instead of one class each.

They are recognized by the files that their tools write, before a class is guessed from a folder
that is called ``images`` or ``train2017``.
"""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

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
_VOC_FOLDERS = ("JPEGImages", "Annotations")
_BOX_COLUMNS = frozenset({"xmin", "ymin", "xmax", "ymax"})

_START = 1 << 20
"""Bytes of a JSON file in which its keys are looked for, at both ends."""


def check_names(location: str, images: Iterable[str], others: Iterable[str]) -> None:
    """Check that the files of a data set are not those of a detection data set.

    Args:
        location: its path, for errors.
        images: names of its images, relative, with '/'.
        others: names of its other files.

    Raises:
        DatasetError: it is one in the format of COCO, YOLO or Pascal VOC.
    """
    pictures, files = list(images), set(others)
    for kind, sign in (
        ("COCO", _coco(files)),
        ("YOLO", _yolo(pictures, files)),
        ("Pascal VOC", _voc(pictures, files)),
    ):
        if sign is not None:
            raise _detection_set(location, f"{kind} format ({sign})")


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
        raise _detection_set(str(path), "COCO format")


def check_columns(location: str, headings: Iterable[str]) -> None:
    """Check that a table does not list boxes.

    Raises:
        DatasetError: it has columns for the corners of a box.
    """
    if _BOX_COLUMNS.issubset(headings):
        raise _detection_set(location, "a table of boxes (xmin, ymin, xmax, ymax)")


def _coco(files: set[str]) -> str | None:
    return min(filter(_COCO_NAMES.fullmatch, files), default=None)


def _yolo(images: list[str], files: set[str]) -> str | None:
    """Return a file of boxes: in ``labels/`` beside ``images/``, or next to its image."""
    listed = any(PurePosixPath(name).name in _YOLO_LISTS for name in files)
    for image in images:
        labels = PurePosixPath(image).with_suffix(".txt").as_posix()
        parallel = re.sub(r"(^|/)images/", r"\1labels/", labels)
        if parallel != labels and parallel in files:
            return parallel
        if listed and labels in files:
            return labels
    return None


def _voc(images: list[str], files: set[str]) -> str | None:
    pictures, boxes = _VOC_FOLDERS
    for image in images:
        labels = PurePosixPath(image).with_suffix(".xml").as_posix().replace(pictures, boxes)
        if f"{pictures}/" in image and labels in files:
            return labels
    return None


def _detection_set(location: str, kind: str) -> DatasetError:
    return DatasetError(
        "one class for each image, by a folder per class or a CSV path,label",
        f"{location}, a detection data set: {kind}",
        "sort the images, or crops of their objects, into a folder per class; "
        "boxes are neither read nor cropped here",
        code="detection-dataset",
        summary=f"{location} is a detection data set, {kind}, and convert trains classifiers",
    )
