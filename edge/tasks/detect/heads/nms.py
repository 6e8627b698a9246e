"""What a detector's head proposes, and which proposals stay."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Proposals of one image.

    ``boxes``: float32 [n, 4], x1 y1 x2 y2 as shares of the model's input; ``scores``: float32 [n],
    0 to 1; ``classes``: int64 [n].
    """

    boxes: Floats
    scores: Floats
    classes: NDArray[np.int64]

    def take(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> "Candidates":
        """Those at ``which``."""
        return Candidates(self.boxes[which], self.scores[which], self.classes[which])


def from_centers(
    centers: Floats, sizes: Floats, scores: Floats, classes: NDArray[np.int64]
) -> Candidates:
    """Candidates of boxes given by center [n, 2] and size [n, 2]."""
    boxes = np.concatenate([centers - sizes / 2, centers + sizes / 2], axis=1)
    return Candidates(boxes.astype(np.float32, copy=False), scores, classes)


def nms(found: Candidates, iou: float, most: int = 100) -> Candidates:
    """Greedy non-maximum suppression within each class, best first, at most ``most`` left."""
    if len(found.scores) == 0:
        return found
    corners = found.boxes
    # Sizes beside corners, scaled up, because OpenCV takes boxes of less than a pixel for empty.
    rectangles = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1) * 1e4
    kept = cv2.dnn.NMSBoxesBatched(
        rectangles.tolist(), found.scores.tolist(), found.classes.tolist(), 0.0, iou
    )
    order = np.asarray(kept, np.int64).reshape(-1)
    order = order[np.argsort(-found.scores[order], kind="stable")]
    return found.take(order[:most])
