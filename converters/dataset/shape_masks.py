"""Masks of images from the outlines of their objects."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.dataset.annotations import VOID, MaskedFile, MaskListing, Size
from converters.dataset.entries import FileTree
from converters.dataset.formats.label_table import LabeledObject, LabelTable
from converters.dataset.matching import MatchedImage, match
from converters.dataset.placement import Placement
from edge.errors import DatasetError
from edge.quantities import counted

BACKGROUND = "background"


@dataclass(frozen=True, slots=True)
class ShapeMask:
    """A mask from outlines: each object with the index of its class, and where it lies.

    Smaller objects cover larger ones. Of an object without an outline, its box is void.
    """

    shapes: tuple[tuple[LabeledObject, int, Placement], ...]

    def read(self, size: Size) -> NDArray[np.uint8]:
        """Return the mask as uint8 [height, width].

        Raises:
            DatasetError: an outline does not fit the image.
        """
        mask = np.zeros(size[::-1], np.uint8)
        for thing, index, placement in self._largest_first():
            if thing.outline is not None:
                mask[placement.mask(thing.outline)] = index
            elif thing.box is not None:
                (box,) = placement.boxes(np.array([thing.box], np.float64))
                left, top, right, bottom = np.rint(np.clip(box, 0, [*size, *size])).astype(int)
                mask[top:bottom, left:right] = VOID
        return mask

    def _largest_first(self) -> list[tuple[LabeledObject, int, Placement]]:
        if len({index for _, index, _ in self.shapes}) < 2:
            return list(self.shapes)
        areas = [
            np.inf if thing.outline is None else thing.outline.area() / np.prod(placement.extent)
            for thing, _, placement in self.shapes
        ]
        order = sorted(range(len(areas)), key=lambda at: -areas[at])
        return [self.shapes[at] for at in order]


def list_masks(name: str, location: str, files: FileTree, table: LabelTable) -> MaskListing:
    """List images with the masks that the outlines of their objects make.

    Args:
        name: of the data set.
        location: its path, for errors.
        files: of the data set.
        table: its labels.

    Raises:
        DatasetError: there is no image with labels, no outline at all, or too many classes.
    """
    matches = match(location, files, table)
    others = [label for label in table.classes if label.casefold() != BACKGROUND]
    classes = (BACKGROUND, *others)
    if len(classes) >= VOID:
        raise DatasetError(
            f"masks of at most {counted(VOID - 1, 'class')}",
            f"{counted(len(classes), 'class')} in {location}",
            "leave out classes",
            code="too-many-mask-classes",
        )
    indices = {label: index for index, label in enumerate(others, 1)}
    images = tuple(_masked(image, indices) for image in matches.images)
    shapes = [shape for image in images for shape in image.mask.shapes]  # type: ignore[attr-defined]
    if not any(thing.outline is not None for thing, _, _ in shapes):
        raise DatasetError(
            "outlines of objects (polygons, run lengths or brushes)",
            f"none in {location}",
            "export the labels with segmentation, or train a detector on the boxes",
            code="no-outlines",
        )
    return MaskListing(name, images, classes, matches.ignored, matches.findings)


def _masked(image: MatchedImage, indices: dict[str, int]) -> MaskedFile:
    shapes = tuple(
        (thing, indices.get(thing.label, 0), placement)
        for labels, placement in image.labels
        for thing in labels.objects
    )
    return MaskedFile(
        image.entry.path, image.entry.name, image.split, ShapeMask(shapes), image.size.upright
    )
