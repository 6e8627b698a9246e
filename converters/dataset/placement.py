"""Where labels lie in the upright image.

Labels refer to the upright image, unless the size in the file of labels is that of the image as it
is stored, with its EXIF orientation not applied; then they are turned with it. Where the size is
neither, but of the same shape, they are scaled; of another shape, they belong to another image.
Images of 180°, mirrored ones and squares tell nothing by their size and are taken as upright.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.dataset.annotations import Size
from converters.dataset.formats.label_table import Extent, LabeledImage, Outline
from converters.dataset.image_sizes import ImageSize
from edge.image import turn_upright

_TOLERANCE = 0.01
"""Difference in shape that rounding to whole pixels explains."""

_MIRRORED_X, _MIRRORED_Y = (2, 3, 6, 7), (3, 4, 7, 8)
"""EXIF orientations whose columns, or rows, run backwards, after both are swapped from 5 on."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How labels become pixels of the upright image.

    ``extent``: width and height of the image in their units; ``frame``: in pixels, as the labels
    refer to it; ``orientation``: EXIF's, that turns it upright; ``scaled``: the labels have
    another size than the image.
    """

    extent: Extent
    frame: Size
    orientation: int
    scaled: bool

    def boxes(self, boxes: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return boxes, [n, 4] left, top, right, bottom, in pixels of the upright image."""
        corners = boxes.reshape(-1, 2, 2) * np.divide(self.frame, self.extent)
        size = np.array(self.frame, np.float64)
        if self.orientation >= 5:
            corners, size = corners[..., ::-1], size[::-1]
        if self.orientation in _MIRRORED_X:
            corners = np.stack([size[0] - corners[..., 0], corners[..., 1]], -1)
        if self.orientation in _MIRRORED_Y:
            corners = np.stack([corners[..., 0], size[1] - corners[..., 1]], -1)
        ordered = np.concatenate([corners.min(1), corners.max(1)], 1)
        return np.asarray(ordered, np.float32)

    def mask(self, outline: Outline) -> NDArray[np.bool_]:
        """Return an outline as bool [height, width] of the upright image.

        Raises:
            DatasetError: it does not fit the image.
        """
        filled = outline.fill(self.extent, self.frame)
        return turn_upright(filled.astype(np.uint8), self.orientation) > 0


def place(labels: LabeledImage, image: ImageSize) -> Placement | None:
    """Return how the labels of an image are placed; None where they are of another shape."""
    claimed, upright = labels.size, image.upright
    if claimed is None or claimed == upright:
        return Placement(labels.extent or upright, upright, 1, scaled=False)
    extent = labels.extent or claimed
    if image.orientation >= 5 and _is_alike(claimed, image.stored):
        scaled = claimed != image.stored
        return Placement(extent, image.stored, image.orientation, scaled)
    if _is_alike(claimed, upright):
        return Placement(extent, upright, 1, scaled=True)
    return None


def _is_alike(size: Size, other: Size) -> bool:
    across, down = size[0] * other[1], size[1] * other[0]
    return abs(across - down) <= _TOLERANCE * max(across, down)
