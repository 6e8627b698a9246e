"""Label Studio: its JSON and JSON-MIN exports, and its CSV with JSON in the cells.

Rectangles and polygons are in percent of the image, brushes in the format rle-pack.
"""

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from converters.dataset import label_files
from converters.dataset.annotations import Size, finding
from converters.dataset.entries import FileTree
from converters.dataset.formats import cells
from converters.dataset.formats.label_table import LabeledImage, LabeledObject, LabelTable, Outline
from converters.dataset.formats.outlines import MAX_PIXELS, Brush, Polygons
from converters.dataset.label_files import number
from converters.dataset.listing import class_name

_SHAPES = ("rectanglelabels", "polygonlabels", "brushlabels")
_SIGNS = tuple(shape.encode() for shape in _SHAPES)
_START = 1 << 18
"""Bytes of a file in which a shape is looked for."""

_PERCENT = (100.0, 100.0)
_MAX_BRUSH = 1 << 24
"""Bytes of a brush's data."""


def find(files: FileTree) -> tuple[str, ...]:
    """Return the names of the exports."""
    return tuple(
        sorted(
            name
            for name, path in files.labels.items()
            if PurePosixPath(name).suffix.lower() in (".json", ".csv", ".tsv") and is_export(path)
        )
    )


def is_export(path: Path) -> bool:
    """Check for an export with rectangles, polygons or brushes."""
    start = label_files.peek(path, _START)
    brush = b'"rle"' in start and b'"original_width"' in start  # its class comes after its data
    return brush or any(sign in start for sign in _SIGNS)


def has_masks_only(files: FileTree, names: Sequence[str]) -> bool:
    """Check that exports begin with brushes or polygons, and no rectangles."""
    return all(_SIGNS[0] not in label_files.peek(files.labels[name], _START) for name in names)


def read(files: FileTree, names: Sequence[str]) -> LabelTable:
    """Read exports.

    Raises:
        DatasetError: one is neither JSON nor CSV.
    """
    images: list[LabeledImage] = []
    invalid: list[str] = []
    for name in names:
        for position, task in enumerate(_tasks(files, name), 1):
            image, results = _image(task), _results(task)
            if image is None:
                invalid.append(f"task {position} of {name}")
            elif results is not None:
                objects = [_object(result) for result in results]
                if None in objects:
                    invalid.append(f"task {position} of {name}")
                usable = tuple(thing for thing in objects if thing is not None)
                images.append(LabeledImage(image, name, usable, _size(results), _PERCENT))
    problems = (
        ("labels-invalid", invalid, "{task} with regions without a class or shape"),
    )  # fmt: skip
    return LabelTable(
        tuple(images),
        tuple(sorted({thing.label for image in images for thing in image.objects})),
        frozenset(names),
        tuple(finding(kind, those, text) for kind, those, text in problems if those),
    )


def _tasks(files: FileTree, name: str) -> Iterable[dict[str, Any]]:
    if name.lower().endswith(".json"):
        content = label_files.read_json(files.labels[name], name)
        tasks = content if isinstance(content, list) else [content]
    else:
        tasks = [_parsed(row, name) for row in cells.read_rows(files.labels[name], name)]
    return (task for task in tasks if isinstance(task, dict))


def _parsed(row: dict[str, str], name: str) -> dict[str, Any]:
    """Parse the cells of a row that hold JSON."""
    return {
        key: label_files.parse_json(cell, name) if cell.startswith("[{") else cell
        for key, cell in row.items()
    }


def _image(task: dict[str, Any]) -> str | None:
    """Return the name of a task's image: of any field of its data that names a file."""
    data = task.get("data")
    fields = data if isinstance(data, dict) else task
    keys = ("image", "img", "photo", "picture", "url", *fields)
    values = (fields[key] for key in keys if isinstance(fields.get(key), str))
    for value in values:
        name = _file_name(value)
        if re.search(r"\.[A-Za-z0-9]{2,5}$", name):
            return name
    return None


def _file_name(address: str) -> str:
    """Return the path in an address.

    >>> _file_name("/data/local-files/?d=photos/a%20b.jpg"), _file_name("s3://bucket/c.jpg")
    ('photos/a b.jpg', '/c.jpg')
    """
    try:
        parts = urlsplit(address)
        local = parse_qs(parts.query).get("d", [""])[0]
    except ValueError:
        return address
    return local or unquote(parts.path)


def _results(task: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the regions of a task; None where nobody labeled it."""
    annotations = task.get("annotations", task.get("completions"))
    if isinstance(annotations, list):
        kept = [
            each
            for each in annotations
            if isinstance(each, dict)
            and not each.get("was_cancelled")
            and isinstance(each.get("result"), list)
        ]
        return [r for r in kept[-1]["result"] if isinstance(r, dict)] if kept else None
    regions = [
        region
        for value in task.values()
        if isinstance(value, list)
        for region in value
        if isinstance(region, dict) and any(shape in region for shape in _SHAPES)
    ]
    return regions or None


def _size(results: list[dict[str, Any]]) -> Size | None:
    for result in results:
        width, height = number(result.get("original_width")), number(result.get("original_height"))
        if width and height and min(width, height) >= 1:
            return int(width), int(height)
    return None


def _object(result: dict[str, Any]) -> LabeledObject | None:
    """Read a region; JSON-MIN has its values directly in it."""
    values = result.get("value", result)
    if not isinstance(values, dict) or number(result.get("image_rotation", 0)) != 0:
        return None
    shape = next((shape for shape in _SHAPES if values.get(shape)), None)
    labels = values.get(shape) if shape else None
    if not isinstance(labels, list) or not isinstance(labels[0], str) or not class_name(labels[0]):
        return None
    label = class_name(labels[0])
    if shape == "rectanglelabels":
        return _rectangle(label, values, _size([result]))
    outline = _polygon(values) if shape == "polygonlabels" else _brush(values, _size([result]))
    return None if outline is None else LabeledObject(label, None, outline)


def _rectangle(label: str, values: dict[str, Any], size: Size | None) -> LabeledObject | None:
    """Return a rectangle, or the box around one that was turned about its left top corner."""
    x, y, width, height = (number(values.get(key)) for key in ("x", "y", "width", "height"))
    turned = number(values.get("rotation", 0)) or 0.0
    if x is None or y is None or width is None or height is None:
        return None
    if not turned:
        return LabeledObject(label, (x, y, x + width, y + height))
    across, down = size or (1, 1)
    angle = math.radians(turned)
    sides = np.array(
        [[0, 0], [width * across, 0], [0, height * down], [width * across, height * down]]
    )
    rotation = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    corners = sides @ rotation / (across, down) + (x, y)
    return LabeledObject(
        label,
        (*corners.min(0).tolist(), *corners.max(0).tolist()),
        Polygons((corners[[0, 1, 3, 2]],)),
    )


def _polygon(values: dict[str, Any]) -> Outline | None:
    points = values.get("points")
    if not isinstance(points, list) or len(points) < 3:
        return None
    pairs = [
        (number(point[0]), number(point[1]))
        for point in points
        if isinstance(point, list) and len(point) == 2
    ]
    if len(pairs) < len(points) or any(None in pair for pair in pairs):
        return None
    return Polygons((np.array(pairs, np.float64),))


def _brush(values: dict[str, Any], size: Size | None) -> Outline | None:
    data = values.get("rle")
    if size is None or size[0] * size[1] > MAX_PIXELS // 4 or not isinstance(data, list):
        return None
    if len(data) > _MAX_BRUSH or not all(type(each) is int and 0 <= each < 256 for each in data):
        return None
    return Brush(size[1], size[0], bytes(data))
