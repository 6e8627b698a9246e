"""Boxes of an image: x1, y1, x2, y2 in pixels; areas, intersection over union, clipping."""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatT = TypeVar("FloatT", np.float32, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class TrueBoxes:
    """The true boxes of an image.

    ``boxes``: float [n, 4]; ``classes``: int64 [n]; ``ignored``: bool [n], those that are neither
    right nor wrong where they are detected, as COCO's crowds; ``areas``: float [n] in pixels where
    they are not those of the boxes, as COCO's are those of the outlines; else None.
    """

    boxes: NDArray[np.floating[Any]]
    classes: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    areas: NDArray[np.floating[Any]] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DetectedBoxes:
    """What a model detected in an image.

    ``boxes``: float [n, 4]; ``scores``: float [n]; ``classes``: int64 [n]; in any order.
    """

    boxes: NDArray[np.floating[Any]]
    scores: NDArray[np.floating[Any]]
    classes: NDArray[np.int64]

    def of_class(self, index: int) -> "DetectedBoxes":
        """Return the detections of one class."""
        rows = self.classes == index
        return DetectedBoxes(self.boxes[rows], self.scores[rows], self.classes[rows])

    def above(self, score: float) -> "DetectedBoxes":
        """Return the detections with a score of at least ``score``."""
        rows = self.scores >= score
        return DetectedBoxes(self.boxes[rows], self.scores[rows], self.classes[rows])


def areas(boxes: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Compute the areas, float64 [n], of boxes, float [n, 4]; 0 where a side is negative."""
    sides = np.maximum(boxes[:, 2:].astype(np.float64) - boxes[:, :2], 0)
    result: NDArray[np.float64] = sides[:, 0] * sides[:, 1]
    return result


def clip(boxes: NDArray[FloatT], width: float, height: float) -> NDArray[FloatT]:
    """Clip boxes, float [n, 4], to a picture: TFLite_Detection_PostProcess does not.

    >>> clip(np.array([[-3.0, 2.0, 50.0, 9.0]]), 40, 30).tolist()
    [[0.0, 2.0, 40.0, 9.0]]
    """
    limits = np.array([width, height, width, height], boxes.dtype)
    return np.clip(boxes, 0, limits)


def box_ious(
    detected: NDArray[np.floating[Any]],
    true: NDArray[np.floating[Any]],
    crowds: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Compute the intersection over union of each pair of boxes.

    Args:
        detected: float [n, 4].
        true: float [m, 4].
        crowds: bool [m]; for these the intersection is divided by the detection's area, as in
            COCO, since a detection of one in a crowd is inside of it.

    Returns:
        float64 [n, m], 0 to 1.
    """
    first, second = detected.astype(np.float64)[:, None], true.astype(np.float64)[None]
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(
        first[..., :2], second[..., :2]
    )
    shared = np.maximum(sides, 0).prod(axis=2)
    own = areas(detected)[:, None]
    union = own + areas(true)[None] - shared
    if crowds is not None:
        union = np.where(crowds[None], own, union)
    ious: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ious
