"""Tables with a box on each row: CSV of makesense.ai, TensorFlow's, Roboflow's and VoTT's."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from converters.dataset import label_files
from converters.dataset.annotations import Size, finding
from converters.dataset.entries import FileTree
from converters.dataset.formats import cells
from converters.dataset.formats.label_table import (
    Box,
    Extent,
    LabeledImage,
    LabeledObject,
    LabelTable,
)
from converters.dataset.label_files import number
from converters.dataset.listing import class_name
from edge.errors import DatasetError
from edge.image_format import SUFFIXES

_MAKESENSE = (
    "label_name", "bbox_x", "bbox_y", "bbox_width", "bbox_height",
    "image_name", "image_width", "image_height",
)  # fmt: skip
"""Columns of makesense.ai, which writes them without headings; newer versions write these."""

_IMAGE = (
    "filename",
    "file_name",
    "image_name",
    "image",
    "path",
    "file",
    "imagename",
    "image_id",
    "img",
)
_LABEL = ("class", "label", "label_name", "class_name", "name", "category", "classname")
_WIDTH, _HEIGHT = ("width", "image_width", "img_width"), ("height", "image_height", "img_height")
_CORNERS = (
    ("xmin", "ymin", "xmax", "ymax"), ("x_min", "y_min", "x_max", "y_max"),
    ("x1", "y1", "x2", "y2"), ("left", "top", "right", "bottom"),
)  # fmt: skip
_SIZED = (("bbox_x", "bbox_y", "bbox_width", "bbox_height"), ("x", "y", "w", "h"))
_START = 1 << 16


def find(files: FileTree) -> tuple[str, ...]:
    """Return the names of tables of boxes."""
    return tuple(
        sorted(
            name
            for name, path in files.labels.items()
            if PurePosixPath(name).suffix.lower() in (".csv", ".tsv") and is_table(path)
        )
    )


def is_table(path: Path) -> bool:
    """Check for a table of boxes, by its first line."""
    row = _first_row(path)
    headings = {cell.strip().lower() for cell in row}
    return any(headings.issuperset(names) for names in (*_CORNERS, *_SIZED)) or _is_makesense(row)


def _first_row(path: Path) -> list[str]:
    start = label_files.peek(path, _START).decode("utf-8-sig", "replace")
    line = start.split("\n", 1)[0].rstrip("\r")
    try:
        return next(csv.reader([line], delimiter=max(",;\t", key=line.count)), [])
    except csv.Error:
        return []


def _is_makesense(row: Sequence[str]) -> bool:
    if len(row) != len(_MAKESENSE):
        return False
    numbers = (number(row[at]) for at in (1, 2, 3, 4, 6, 7))
    suffix = PurePosixPath(row[5].strip()).suffix.lower()
    return suffix in SUFFIXES and all(value is not None for value in numbers)


def read(files: FileTree, names: Sequence[str]) -> LabelTable:
    """Read tables.

    Raises:
        DatasetError: one is no CSV, or lacks a column.
    """
    images: list[LabeledImage] = []
    invalid: list[str] = []
    for name in names:
        objects: defaultdict[str, list[LabeledObject]] = defaultdict(list)
        sizes: dict[str, Size | None] = {}
        for position, row in enumerate(_rows(files.labels[name], name), 1):
            image, thing = _get(row, _IMAGE), _object(row)
            if not image or (thing is None and _has_box(row)):
                invalid.append(f"box {position} of {name}")
                continue
            sizes.setdefault(image, _size(row))
            objects[image] += [] if thing is None else [thing]
        split, extent = PurePosixPath(name).stem, _extent(objects.values())
        images += [
            LabeledImage(image, name, tuple(objects[image]), size, extent, split)
            for image, size in sizes.items()
        ]
    text = "{row} without an image, class or box"
    return LabelTable(
        tuple(images),
        tuple(sorted({thing.label for image in images for thing in image.objects})),
        frozenset(names),
        (finding("labels-invalid", invalid, text),) if invalid else (),
    )


def _extent(objects: Iterable[list[LabeledObject]]) -> Extent | None:
    """Return 1 x 1 where all boxes of a table are shares of their images, else None."""
    boxes = [thing.box for each in objects for thing in each if thing.box is not None]
    return (1.0, 1.0) if boxes and max(map(max, boxes)) <= 1 else None


def _rows(table: Path, name: str) -> list[dict[str, str]]:
    if _is_makesense(_first_row(table)):
        return cells.read_rows(table, name, _MAKESENSE)
    rows = cells.read_rows(table, name)
    if rows and (_first(rows[0], _IMAGE) is None or _first(rows[0], _LABEL) is None):
        raise DatasetError(
            "columns filename and class beside those of the box",
            f"{', '.join(rows[0])} in {name}",
            "name the columns filename,width,height,class,xmin,ymin,xmax,ymax",
            code="csv-columns-missing",
        )
    return rows


def _first(row: dict[str, str], names: Iterable[str]) -> str | None:
    return next((name for name in names if name in row), None)


def _get(row: dict[str, str], names: Iterable[str]) -> str:
    name = _first(row, names)
    return row[name] if name else ""


def _size(row: dict[str, str]) -> Size | None:
    width, height = number(_get(row, _WIDTH)), number(_get(row, _HEIGHT))
    return (int(width), int(height)) if width and height and min(width, height) >= 1 else None


def _has_box(row: dict[str, str]) -> bool:
    """Check that a row has a box: one with empty cells says that its image has none."""
    return any(row.get(name) for names in (*_CORNERS, *_SIZED) for name in names)


def _object(row: dict[str, str]) -> LabeledObject | None:
    label, box = class_name(_get(row, _LABEL)), _box(row)
    return LabeledObject(label, box) if label and box is not None else None


def _box(row: dict[str, str]) -> Box | None:
    columns = next((names for names in (*_CORNERS, *_SIZED) if names[0] in row), None)
    if columns is None:
        return None
    x, y, across, down = (number(row.get(name, "")) for name in columns)
    if x is None or y is None or across is None or down is None:
        return None
    return (x, y, across, down) if columns in _CORNERS else (x, y, x + across, y + down)
