"""YOLO: a text file for each image, in labels/ beside images/, or next to the image.

A line is a class's number and the box's center and size as shares of the image, or the corners of
a polygon. An image without a file has no objects, as Ultralytics reads it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from converters.dataset import label_files
from converters.dataset.annotations import AnnotationFinding, finding
from converters.dataset.entries import FileTree
from converters.dataset.formats import yolo_names
from converters.dataset.formats.label_table import LabeledImage, LabeledObject, LabelTable
from converters.dataset.formats.outlines import Polygons
from converters.dataset.formats.yolo_names import YoloNames
from converters.dataset.label_files import number
from edge.errors import DatasetError
from edge.quantities import counted

_LABELS = ("labels", "Labels", "LABELS", "label", "annotations", "Annotations")
_IMAGES = frozenset({"images", "jpegimages"})
"""Folders of images, in lower case, beside which there is one of labels."""

_NO_SHARE = 2.0
"""Coordinates above it are no shares of the image, not even of one that is cut off."""

_SAMPLE, _START = 20, 4096
"""Files of which one has to hold numbers, and bytes of each that are read for it."""


def find(files: FileTree) -> tuple[str, ...]:
    """Return the names of the files of labels of images."""
    names = tuple(sorted({name for name in _pairs(files).values() if name is not None}))
    starts = (label_files.peek(files.labels[name], _START) for name in names[:_SAMPLE])
    lines = (start.decode("utf-8-sig", "replace").lstrip().split("\n")[0] for start in starts)
    samples = [line for line in lines if line]
    if samples:
        return names if any(_numbers(line) for line in samples) else ()
    return names if yolo_names.find(files) else ()


def read(files: FileTree, names: Sequence[str]) -> LabelTable:
    """Read files of labels.

    Raises:
        DatasetError: there are no names of the classes, or not of all; boxes are in pixels.
    """
    listed = yolo_names.read(files)
    contents = _Contents()
    for image, name in _pairs(files).items():
        contents.add(files, image, name, listed.has_keypoints)
    contents.check(listed)
    return LabelTable(
        tuple(
            LabeledImage(
                image,
                name or image,
                tuple(line.labeled(listed.classes) for line in lines),
                extent=(1.0, 1.0),
                split=listed.splits.get(image),
            )
            for image, (name, lines) in contents.lines.items()
        ),
        tuple(dict.fromkeys(listed.classes)),
        frozenset(names) | listed.used,
        contents.findings(),
    )


class _Contents:
    """The lines of all files, and what was wrong with others.

    ``lines``: by image, with the name of the file; None where there is no file.
    """

    def __init__(self) -> None:
        self.lines: dict[str, tuple[str | None, list[_Line]]] = {}
        self.broken: list[str] = []
        self.invalid: list[str] = []
        self.in_pixels: list[str] = []

    def add(self, files: FileTree, image: str, name: str | None, boxes_only: bool) -> None:
        """Read the file of an image."""
        if name is None:
            self.lines[image] = None, []
            return
        try:
            text = _text(files, name)
        except DatasetError:
            self.broken.append(name)
            return
        rows = [(row, line) for row, line in enumerate(text.splitlines(), 1) if line.strip()]
        parsed = [_line(line, name, row, boxes_only) for row, line in rows]
        lines = [line for line in parsed if line is not None]
        if len(lines) < len(parsed):
            self.invalid.append(name)
        if any(line.in_pixels for line in lines):
            self.in_pixels.append(image)
        else:
            self.lines[image] = name, lines

    def check(self, listed: YoloNames) -> None:
        """Check that most boxes are shares of their images, and all classes have names.

        Raises:
            DatasetError: they are not, or have none.
        """
        labeled = sum(bool(lines) for _, lines in self.lines.values())
        if len(self.in_pixels) > labeled:
            raise DatasetError(
                "YOLO boxes as shares of the image, from 0 to 1",
                f"boxes in pixels in {counted(len(self.in_pixels), 'image')}, such as "
                f"{self.in_pixels[0]}",
                "export the labels as YOLO again, or as COCO JSON, whose boxes are in pixels",
                code="yolo-boxes-in-pixels",
            )
        every = [line for _, lines in self.lines.values() for line in lines]
        unnamed = [line for line in every if line.number >= len(listed.classes)]
        if unnamed:
            raise DatasetError(
                f"names of at least {counted(max(each.number for each in unnamed) + 1, 'class')} "
                f"in {listed.source}",
                f"{counted(len(listed.classes), 'name')}, and class {unnamed[0].number} on line "
                f"{unnamed[0].row} of {unnamed[0].name}",
                f"add the missing names to {listed.source}",
                code="yolo-class-unnamed",
            )

    def findings(self) -> tuple[AnnotationFinding, ...]:
        """Return what was left out, and which images count as empty."""
        empty = [image for image, (name, _) in self.lines.items() if name is None]
        problems = (
            ("labels-unreadable", self.broken,
             "Left out the images of {label file} that cannot be read"),
            ("labels-invalid", self.invalid, "{label file} with lines that are no boxes"),
            ("boxes-in-pixels", self.in_pixels,
             "Left out {image} with boxes in pixels, not shares of the image"),
            ("labels-missing", empty, "Took {image} without a label file as empty"),
        )  # fmt: skip
        return tuple(finding(kind, names, text) for kind, names, text in problems if names)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a file of labels: its class and its coordinates as shares of the image."""

    name: str
    row: int
    number: int
    values: tuple[float, ...]

    @property
    def in_pixels(self) -> bool:
        return max(self.values) > _NO_SHARE

    def labeled(self, classes: Sequence[str]) -> LabeledObject:
        """Return the object, with the name of its class."""
        label = classes[self.number]
        if len(self.values) > 4:
            points = np.array(self.values, np.float64).reshape(-1, 2)
            return LabeledObject(label, None, Polygons((points,)))
        x, y, width, height = self.values
        return LabeledObject(label, (x - width / 2, y - height / 2, x + width / 2, y + height / 2))


def _line(line: str, name: str, row: int, boxes_only: bool) -> _Line | None:
    """Parse a line; a fifth coordinate is the confidence of a prediction."""
    values = _numbers(line)
    if values is None or not values[0].is_integer() or values[0] < 0:
        return None
    coordinates = values[1:]
    if boxes_only or len(coordinates) == 5:
        coordinates = coordinates[:4]
    if len(coordinates) != 4 and (len(coordinates) < 6 or len(coordinates) % 2):
        return None
    return _Line(name, row, int(values[0]), tuple(coordinates))


def _numbers(line: str) -> list[float] | None:
    """Return the numbers of a line, at least five; None where it has others."""
    values = [number(word) for word in line.split()]
    numbers = [value for value in values if value is not None]
    return numbers if len(numbers) == len(values) >= 5 else None


def _text(files: FileTree, name: str) -> str:
    return label_files.read_text(files.labels[name], name, label_files.MAX_OF_IMAGE)


def _pairs(files: FileTree) -> dict[str, str | None]:
    """Return the file of labels of each image, None where it has none."""
    return {image.name: _label_file(files, image.name) for image in files.images}


def _label_file(files: FileTree, image: str) -> str | None:
    *folders, last = image.split("/")
    own = f"{PurePosixPath(last).stem}.txt"
    places = [folders]
    innermost = [at for at, folder in enumerate(folders) if folder.lower() in _IMAGES][-1:]
    for at in innermost:
        places = [[*folders[:at], labels, *folders[at + 1 :]] for labels in _LABELS] + places
    names = ("/".join([*place, own]) for place in places)
    return next((name for name in names if name in files.labels), None)
