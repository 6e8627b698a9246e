"""What a map of middles and its offsets are to be for an image.

The cell that has the middle of an object is to be 1, others less, the farther they are from it
(Zhou et al., "Objects as Points", 2019). Offsets are learned by the cells around it, too, so that
it does not matter much which of two cells on either side of a middle is higher.
"""

import numpy as np
from numpy.typing import NDArray

from converters.tasks.detect.augmentation import BoxedImage
from converters.tasks.detect.centers.network import STRIDE

IGNORED = -1.0
"""Value of the map where nothing is known."""

_SPREAD, _LEAST_SPREAD = 0.12, 0.6
"""Standard deviation of the map around a middle, in sides of the object, and in cells at least."""

_REACH = 1
"""Cells around that of a middle that learn its offset."""


def targets_of(image: BoxedImage, classes: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the map, float32 [h, w, classes], and the offsets, [h, w, 3]: x, y and their weight.

    Offsets are in cells from the middle of the cell.
    """
    height, width = (side // STRIDE for side in image.pixels.shape[:2])
    heat = np.zeros((height, width, classes), np.float32)
    offsets = np.zeros((height, width, 3), np.float32)
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
    for box, label in zip(image.boxes / STRIDE, image.labels.tolist(), strict=True):
        across, down = (box[0] + box[2]) / 2 - x, (box[1] + box[3]) / 2 - y
        side = float(np.sqrt((box[2] - box[0]) * (box[3] - box[1])))
        spread = max(_SPREAD * side, _LEAST_SPREAD)
        near = np.exp(-(across**2 + down**2) / (2 * spread**2))
        nearest = np.unravel_index(near.argmax(), near.shape)
        near[nearest] = 1
        heat[..., label] = np.maximum(heat[..., label], near)
        # Of several objects around a cell the nearest one counts.
        around = np.maximum(np.abs(x - x[nearest]), np.abs(y - y[nearest])) <= _REACH
        closer = around & (near > offsets[..., 2])
        offsets[closer] = np.stack([across, down, near], axis=2)[closer]
    _ignore(heat, image, x, y)
    return heat, offsets


def _ignore(
    heat: NDArray[np.float32],
    image: BoxedImage,
    x: NDArray[np.float32],
    y: NDArray[np.float32],
) -> None:
    """Mark the cells in areas where nothing is known, but for those that have an object."""
    for left, top, right, bottom in (image.ignored / STRIDE).tolist():
        inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
        heat[inside & (heat < 1).all(axis=2)] = IGNORED
