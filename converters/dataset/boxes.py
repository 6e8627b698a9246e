"""Images of a data set with the boxes of their objects."""

import numpy as np

from converters.dataset.annotations import BoxedFile, BoxListing, finding
from converters.dataset.entries import FileTree
from converters.dataset.formats.label_table import Box, LabeledObject, LabelTable
from converters.dataset.matching import MatchedImage, match
from edge.errors import DatasetError


def list_boxes(name: str, location: str, files: FileTree, table: LabelTable) -> BoxListing:
    """List images with their boxes; an outline without a box has the one around it.

    Boxes may reach beyond their image or be empty: :mod:`converters.dataset.box_audit` clips and
    removes them.

    Args:
        name: of the data set.
        location: its path, for errors.
        files: of the data set.
        table: its labels.

    Raises:
        DatasetError: there is no image with labels, or no box at all.
    """
    matches = match(location, files, table)
    indices = {label: index for index, label in enumerate(table.classes)}
    broken: list[str] = []
    images = tuple(_boxed(image, indices, broken) for image in matches.images)
    if not any(len(image.boxes) for image in images):
        raise DatasetError(
            "boxes of objects",
            f"none in {location}",
            "label some objects, or export the labels again",
            code="no-boxes",
        )
    findings = list(matches.findings)
    if broken:
        findings.append(finding("outlines-invalid", broken, "{image} with broken outlines"))
    return BoxListing(name, images, table.classes, matches.ignored, tuple(findings))


def _boxed(image: MatchedImage, indices: dict[str, int], broken: list[str]) -> BoxedFile:
    parts = []
    labels: list[int] = []
    ignored: list[bool] = []
    for labeled, placement in image.labels:
        boxes: list[Box] = []
        for thing in labeled.objects:
            box = _box(thing)
            if box is None:
                broken.append(image.entry.name)
            else:
                boxes.append(box)
                labels.append(indices[thing.label])
                ignored.append(thing.ignored)
        parts.append(placement.boxes(np.array(boxes, np.float64).reshape(-1, 4)))
    return BoxedFile(
        image.entry.path,
        image.entry.name,
        image.split,
        np.concatenate(parts),
        np.array(labels, np.int64),
        np.array(ignored, np.bool_),
        image.size.upright,
    )


def _box(thing: LabeledObject) -> Box | None:
    if thing.box is not None:
        return thing.box
    try:
        return None if thing.outline is None else thing.outline.bounds()
    except DatasetError:
        return None
