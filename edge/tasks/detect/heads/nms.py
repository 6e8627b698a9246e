"""Non-maximum suppression: the candidates of a detection head, and those to keep."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidate detections of one image.

    Attributes:
        boxes: float32 [n, 4], x1, y1, x2, y2 as fractions of the model's input.
        scores: float32 [n], 0 to 1.
        classes: int64 [n].
    """

    boxes: Floats
    scores: Floats
    classes: NDArray[np.int64]

    def select(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Candidates":
        """Return the candidates of these rows: indices, or a mask [n]."""
        return Candidates(self.boxes[rows], self.scores[rows], self.classes[rows])


def from_centers(
    centers: Floats, sizes: Floats, scores: Floats, classes: NDArray[np.int64]
) -> Candidates:
    """Return the candidates of boxes given by center [n, 2] and size [n, 2]."""
    boxes = np.concatenate([centers - sizes / 2, centers + sizes / 2], axis=1)
    return Candidates(boxes.astype(np.float32, copy=False), scores, classes)


def nms(candidates: Candidates, iou: float, max_count: int = 100) -> Candidates:
    """Suppress overlapping boxes greedily within each class; best first, at most ``max_count``."""
    if len(candidates.scores) == 0:
        return candidates
    corners = candidates.boxes
    # Sizes beside corners, scaled up, because OpenCV takes boxes of less than a pixel for empty.
    rectangles = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1) * 1e4
    kept = cv2.dnn.NMSBoxesBatched(
        rectangles.tolist(), candidates.scores.tolist(), candidates.classes.tolist(), 0.0, iou
    )
    order = np.asarray(kept, np.int64).reshape(-1)
    order = order[np.argsort(-candidates.scores[order], kind="stable")]
    return candidates.select(order[:max_count])
