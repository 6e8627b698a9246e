"""The smart crop: MoveNet looks closely at where the person was in the frame before.

The region and its sizes are those that MoveNet's authors describe in
https://www.tensorflow.org/hub/tutorials/movenet ("cropping algorithm"). Looked at as a whole, a
person far away covers a few pixels of the model's small input.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tasks.pose.keypoints import COCO

SEEN = 0.2
"""Least score of a keypoint that the region is made from."""

_TORSO, _BODY = 1.9, 1.2
"""Half a side of the region, in greatest distances of a torso's and of any keypoint from the hips'
middle."""

_SHOULDERS = [COCO.index("left_shoulder"), COCO.index("right_shoulder")]
_HIPS = [COCO.index("left_hip"), COCO.index("right_hip")]


@dataclass(frozen=True, slots=True)
class Region:
    """A square in pixels of the frame; it may reach beyond the frame, where all is black."""

    left: float
    top: float
    side: float


def whole(width: int, height: int) -> Region:
    """The smallest square around a frame."""
    side = float(max(width, height))
    return Region((width - side) / 2, (height - side) / 2, side)


def around(
    places: NDArray[np.floating[Any]], scores: NDArray[np.floating[Any]], width: int, height: int
) -> Region:
    """Where to look in the next frame.

    Args:
        places: float [17, 2], x and y in pixels of a frame of that width and height.
        scores: float [17].

    Returns:
        A square around the hips' middle that holds the body; the whole frame where no hip or no
        shoulder is seen, or the body is as large as the frame.
    """
    seen = scores >= SEEN
    if not (seen[_HIPS].any() and seen[_SHOULDERS].any()):
        return whole(width, height)
    middle = places[_HIPS].mean(axis=0)
    away = np.abs(places - middle)
    torso = [*_HIPS, *_SHOULDERS]
    reach = max(_TORSO * away[torso].max(), _BODY * away[seen].max())
    x, y = map(float, middle)
    half = min(float(reach), max(x, width - x, y, height - y))
    if half <= 0 or half > max(width, height) / 2:
        return whole(width, height)
    return Region(x - half, y - half, 2 * half)
