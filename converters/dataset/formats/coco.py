"""COCO JSON: one file for a data set, one for each split, or Roboflow's in each split's folder."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from converters.dataset import label_files
from converters.dataset.annotations import AnnotationFinding, Size, finding
from converters.dataset.entries import FileTree
from converters.dataset.formats.label_table import (
    Box,
    LabeledImage,
    LabeledObject,
    LabelTable,
    Outline,
)
from converters.dataset.formats.outlines import MAX_PIXELS, Polygons, RunLengths
from converters.dataset.label_files import number
from converters.dataset.listing import class_name
from edge.errors import DatasetError

_CERTAIN = re.compile(r"(.*/)?([^/]*\.coco\.json|(instances|person_keypoints)_[^/]*\.json)")
_KEYS = (b'"images"', b'"annotations"', b'"categories"')
_OTHER_LABELS = re.compile(r"(person_keypoints|panoptic|captions|stuff)_[^/]*\.json")

_START = 1 << 20
"""Bytes of a file in which its keys are looked for, at both ends."""


def find(files: FileTree) -> tuple[str, ...]:
    """Return the names of the files of labels in this format."""
    names = [name for name, path in files.labels.items() if _is_coco(name, path)]
    plain = [name for name in names if not _OTHER_LABELS.fullmatch(PurePosixPath(name).name)]
    return tuple(sorted(plain or names))


def is_coco(path: Path) -> bool:
    """Check, by the keys of a JSON file, that it holds COCO's annotations."""
    text = label_files.peek(path, _START, _START)
    # Of a larger file, one of the lists may hide the key of the next one.
    return sum(key in text for key in _KEYS) >= (3 if len(text) < 2 * _START else 2)


def read(files: FileTree, names: Sequence[str]) -> LabelTable:
    """Read files of labels.

    Raises:
        DatasetError: one is no JSON, or not COCO's annotations.
    """
    images: list[LabeledImage] = []
    classes: dict[str, None] = {}
    findings: list[AnnotationFinding] = []
    for name in names:
        reader = _Annotations(name, label_files.read_json(files.labels[name], name))
        images += reader.images()
        classes.update(dict.fromkeys(reader.used_classes()))
        if reader.invalid:
            findings.append(
                finding(
                    "labels-invalid",
                    reader.invalid,
                    "{annotation} without a class, box or image that exists",
                )
            )
    return LabelTable(tuple(images), tuple(classes), frozenset(names), tuple(findings))


def _is_coco(name: str, path: Path) -> bool:
    if PurePosixPath(name).suffix.lower() != ".json":
        return False
    return _CERTAIN.fullmatch(name) is not None or is_coco(path)


class _Annotations:
    """Reads the content of one file; ``invalid``: annotations that cannot be used."""

    def __init__(self, name: str, content: Any) -> None:
        if not isinstance(content, dict) or not all(
            isinstance(content.get(key), list) for key in ("images", "annotations", "categories")
        ):
            raise DatasetError(
                "COCO annotations with the lists images, annotations and categories",
                f"{name} without one of them",
                "export the labels as COCO JSON again",
                code="coco-lists-missing",
            )
        self.name, self.content = name, content
        self.invalid: list[str] = []
        self.categories = dict(self._categories())

    def _categories(self) -> Iterable[tuple[str, str]]:
        for category in _records(self.content["categories"]):
            label = category.get("name")
            if isinstance(label, str) and class_name(label) and "id" in category:
                yield str(category["id"]), class_name(label)

    def used_classes(self) -> list[str]:
        """Return the classes in the order of their ids, without Roboflow's name of the project.

        Roboflow writes it as category 0, as the supercategory of all others, and nothing has it.
        """
        supercategories = {
            record.get("supercategory") for record in _records(self.content["categories"])
        }
        used = {str(record.get("category_id")) for record in _records(self.content["annotations"])}
        ordered = sorted(self.categories.items(), key=lambda item: _order(item[0]))
        return [
            label for key, label in ordered if key in used or key != "0"
            or label not in supercategories
        ]  # fmt: skip

    def images(self) -> list[LabeledImage]:
        """Return the images with their objects."""
        by_image: defaultdict[str, list[LabeledObject]] = defaultdict(list)
        records = {str(image.get("id")): image for image in _records(self.content["images"])}
        for annotation in _records(self.content["annotations"]):
            key = str(annotation.get("image_id"))
            thing = self._object(annotation) if key in records else None
            if thing is None:
                self.invalid.append(f"annotation {str(annotation.get('id'))[:40]}")
            else:
                by_image[key].append(thing)
        split = PurePosixPath(self.name).stem
        return [
            LabeledImage(
                image["file_name"], self.name, tuple(by_image[key]), _size(image), split=split
            )
            for key, image in records.items()
            if isinstance(image.get("file_name"), str)
        ]

    def _object(self, annotation: dict[str, Any]) -> LabeledObject | None:
        label = self.categories.get(str(annotation.get("category_id")))
        box, outline = _box(annotation.get("bbox")), _outline(annotation.get("segmentation"))
        if label is None or (box is None and outline is None):
            return None
        crowd = annotation.get("iscrowd") in (1, True, "1")
        return LabeledObject(label, box, outline, crowd)


def _records(values: list[Any]) -> Iterable[dict[str, Any]]:
    return (value for value in values if isinstance(value, dict))


def _order(key: str) -> tuple[bool, float, str]:
    value = number(key)
    return value is None, value or 0, key


def _size(image: dict[str, Any]) -> Size | None:
    width, height = number(image.get("width")), number(image.get("height"))
    return (int(width), int(height)) if width and height and min(width, height) >= 1 else None


def _box(values: Any) -> Box | None:
    """Return a box of x, y, width and height."""
    if not isinstance(values, list) or len(values) != 4:
        return None
    x, y, width, height = (number(value) for value in values)
    if x is None or y is None or width is None or height is None:
        return None
    return x, y, x + width, y + height


def _outline(value: Any) -> Outline | None:
    if isinstance(value, dict):
        return _run_lengths(value)
    if not isinstance(value, list):
        return None
    is_flat = value and not isinstance(value[0], list)  # one polygon without a list around it
    polygons = (_polygon(part) for part in ([value] if is_flat else value))
    parts = [part for part in polygons if part is not None]
    return Polygons(tuple(parts)) if parts else None


def _polygon(values: Any) -> "np.ndarray[Any, np.dtype[np.float64]] | None":
    if not isinstance(values, list) or len(values) < 6 or len(values) % 2:
        return None
    numbers = [number(value) for value in values]
    if None in numbers:
        return None
    return np.array(numbers, np.float64).reshape(-1, 2)


def _run_lengths(value: dict[str, Any]) -> RunLengths | None:
    size, runs = value.get("size"), value.get("counts")
    if not isinstance(size, list) or len(size) != 2:
        return None
    height, width = (number(side) or 0 for side in size)
    if min(height, width) < 1 or height * width > MAX_PIXELS:
        return None
    if isinstance(runs, list):
        runs = tuple(runs)
    return RunLengths(int(height), int(width), runs) if isinstance(runs, tuple | str) else None
