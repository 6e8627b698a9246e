"""Smart crop: MoveNet gets the region of the person in the frame before.

The region and its sizes are those that MoveNet's authors describe in
https://www.tensorflow.org/hub/tutorials/movenet ("cropping algorithm"). In the whole frame, a
person far away covers few pixels of the model's small input.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tasks.pose.keypoints import COCO

MIN_SCORE = 0.2
"""Minimum score of a keypoint that the region is computed from."""

_TORSO, _BODY = 1.9, 1.2
"""Half a side of the region in maximum distances of torso and body keypoints from the hips."""

_SHOULDERS = [COCO.index("left_shoulder"), COCO.index("right_shoulder")]
_HIPS = [COCO.index("left_hip"), COCO.index("right_hip")]


@dataclass(frozen=True, slots=True)
class Region:
    """A square in pixels of the frame; it may exceed the frame, where it is black."""

    left: float
    top: float
    side: float


def full_frame(width: int, height: int) -> Region:
    """Return the smallest square around a frame."""
    side = float(max(width, height))
    return Region((width - side) / 2, (height - side) / 2, side)


def person_region(
    points: NDArray[np.floating[Any]], scores: NDArray[np.floating[Any]], width: int, height: int
) -> Region:
    """Return the region of the next frame to look at.

    Args:
        points: float [17, 2], x and y in pixels.
        scores: float [17].
        width: Of the frame in pixels.
        height: Of the frame in pixels.

    Returns:
        A square around the middle of the hips that contains the body; the frame if no hip or no
        shoulder is visible, or the body is as large as the frame.
    """
    visible = scores >= MIN_SCORE
    if not (visible[_HIPS].any() and visible[_SHOULDERS].any()):
        return full_frame(width, height)
    middle = points[_HIPS].mean(axis=0)
    distances = np.abs(points - middle)
    torso = [*_HIPS, *_SHOULDERS]
    reach = max(_TORSO * distances[torso].max(), _BODY * distances[visible].max())
    x, y = map(float, middle)
    half = min(float(reach), max(x, width - x, y, height - y))
    if half <= 0 or half > max(width, height) / 2:
        return full_frame(width, height)
    return Region(x - half, y - half, 2 * half)
