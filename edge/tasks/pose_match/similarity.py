"""Similarity of poses, independent of position and size of the bodies in the image.

As in Google's Move Mirror (J. Friedhoff and I. Alvarado, 2018): the keypoints of a body are moved
and scaled to a box of one size, normalized to a vector of length 1, and compared by their cosine,
in which keypoints are weighted by their scores in the pose that is searched for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.results import Pose
from edge.tasks.pose.keypoints import COCO

MIN_SCORE = 0.1
"""Minimum score of a keypoint that is used: models often predict hidden keypoints well."""

VISIBLE_SCORE, MIN_VISIBLE = 0.3, 6
"""A score, and the minimum number of keypoints below the head that must have it."""

_HEAD = 5


def _other(name: str) -> str:
    """Return the same keypoint of the other side."""
    side, _, joint = name.partition("_")
    return {"left": f"right_{joint}", "right": f"left_{joint}"}.get(side, name)


_OTHER_SIDE = [COCO.index(_other(name)) for name in COCO]

KeypointArray = NDArray[np.float32]
"""The 17 keypoints that all models have: float32 [17, 3], x and y in pixels, and score."""


def keypoint_array(pose: Pose) -> KeypointArray:
    """Return the keypoints that are compared, in the order of COCO; score 0 if unknown."""
    known = {point.name: (point.x, point.y, point.score) for point in pose.keypoints}
    return np.array([known.get(name, (0.0, 0.0, 0.0)) for name in COCO], np.float32)


def normalize_pose(body: KeypointArray) -> NDArray[np.float32] | None:
    """Return keypoints around the middle of their box, as a vector of length 1: float32 [17, 2].

    Unknown keypoints are in the middle. None if too little of the body is visible.
    """
    if (body[_HEAD:, 2] >= VISIBLE_SCORE).sum() < MIN_VISIBLE:
        return None
    known = body[:, 2] >= MIN_SCORE
    points = body[known, :2]
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    moved = np.where(known[:, None], body[:, :2] - middle, 0)
    length = float(np.linalg.norm(moved))
    return None if length == 0 else (moved / length).astype(np.float32)


@dataclass(frozen=True, slots=True)
class NearestPose:
    """Most similar pose: its number, the cosine clipped at 0; ``mirrored``: by its mirror image."""

    number: int
    similarity: float
    mirrored: bool


@dataclass(frozen=True, slots=True, eq=False)
class PoseDatabase:
    """Poses to search: ``vectors`` float32 [n, 34], and ``squares`` [n, 17] by keypoint."""

    vectors: NDArray[np.float32]
    squares: NDArray[np.float32]

    def nearest(self, body: KeypointArray) -> NearestPose | None:
        """Return the pose most similar to a body or its mirror image; None for too few keypoints.

        A mirror image has left and right swapped, in the image and in the names of the keypoints.
        The cosines of all poses with both are two matrix products.
        """
        vector = normalize_pose(body)
        if vector is None or not len(self.vectors):
            return None
        weights = np.where(body[:, 2] >= MIN_SCORE, body[:, 2], 0).astype(np.float32)
        mirrored = vector[_OTHER_SIDE] * np.array([-1, 1], np.float32)
        sides = np.stack([vector, mirrored])
        side_weights = np.stack([weights, weights[_OTHER_SIDE]])
        queries = (sides * side_weights[..., None]).reshape(2, -1)
        length = np.sqrt(float((weights[:, None] * vector**2).sum()))
        cosines = self.vectors @ queries.T
        lengths = np.sqrt(self.squares @ side_weights.T)
        cosines /= np.maximum(lengths * length, 1e-12)
        number, side = divmod(int(cosines.argmax()), 2)
        similarity = float(np.clip(cosines[number, side], 0, 1))
        return NearestPose(number, similarity, side == 1)


def pose_database(vectors: Sequence[NDArray[np.float32]]) -> PoseDatabase:
    """Return the database of normalized bodies [17, 2], numbered in their order."""
    stacked = np.array(vectors, np.float32).reshape(-1, len(COCO), 2)
    squares = (stacked**2).sum(axis=2)
    return PoseDatabase(stacked.reshape(len(stacked), -1), np.ascontiguousarray(squares))
