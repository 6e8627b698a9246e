"""Which pose is closest to another one, wherever and however large the bodies are in the image.

As Google's Move Mirror does it (J. Friedhoff and I. Alvarado, 2018): the keypoints of a body are
moved and scaled to a box of one size, made a vector of length 1, and compared by their cosine, in
which a keypoint counts as much as the pose that is looked for is sure of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.results import Pose
from edge.tasks.pose.keypoints import COCO

GUESSED = 0.1
"""Least score of a keypoint whose place is used: models guess well what they see badly."""

SEEN, LEAST = 0.3, 6
"""A score, and how many keypoints below the head must have it: of less it is no pose."""

_HEAD = 5


def _other(name: str) -> str:
    """The same keypoint of the other side."""
    side, _, joint = name.partition("_")
    return {"left": f"right_{joint}", "right": f"left_{joint}"}.get(side, name)


_OTHER_SIDE = [COCO.index(_other(name)) for name in COCO]

KeypointArray = NDArray[np.float32]
"""The 17 keypoints that all models give: float32 [17, 3], x and y in pixels, and score."""


def keypoint_array(pose: Pose) -> KeypointArray:
    """The keypoints of a pose that are compared, in the order of COCO; score 0 where unknown."""
    known = {point.name: (point.x, point.y, point.score) for point in pose.keypoints}
    return np.array([known.get(name, (0.0, 0.0, 0.0)) for name in COCO], np.float32)


def normalize_pose(one: KeypointArray) -> NDArray[np.float32] | None:
    """A body's keypoints around the middle of its box, as a vector of length 1: float32 [17, 2].

    Unknown keypoints lie in the middle. None where too little of the body is seen.
    """
    if (one[_HEAD:, 2] >= SEEN).sum() < LEAST:
        return None
    known = one[:, 2] >= GUESSED
    places = one[known, :2]
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    moved = np.where(known[:, None], one[:, :2] - middle, 0)
    length = float(np.linalg.norm(moved))
    return None if length == 0 else (moved / length).astype(np.float32)


@dataclass(frozen=True, slots=True)
class NearestPose:
    """The closest pose: its number, the cosine cut off at 0, and whether it is its mirror image."""

    number: int
    similarity: float
    mirrored: bool


@dataclass(frozen=True, slots=True, eq=False)
class PoseDatabase:
    """Poses to be looked for: ``vectors`` float32 [n, 34], and their squares [n, 17] by joint."""

    vectors: NDArray[np.float32]
    squares: NDArray[np.float32]

    def nearest(self, one: KeypointArray) -> NearestPose | None:
        """The pose closest to a body, or to its mirror image; None where too little is seen.

        A mirror image has left and right changed, in the image and in the names of the joints.
        The cosines of all poses with both are two products of matrices.
        """
        vector = normalize_pose(one)
        if vector is None or not len(self.vectors):
            return None
        weights = np.where(one[:, 2] >= GUESSED, one[:, 2], 0).astype(np.float32)
        other = vector[_OTHER_SIDE] * np.array([-1, 1], np.float32)
        sides = np.stack([vector, other])
        counts = np.stack([weights, weights[_OTHER_SIDE]])
        wanted = (sides * counts[..., None]).reshape(2, -1)
        length = np.sqrt(float((weights[:, None] * vector**2).sum()))
        cosines = self.vectors @ wanted.T
        lengths = np.sqrt(self.squares @ counts.T)
        cosines /= np.maximum(lengths * length, 1e-12)
        number, side = divmod(int(cosines.argmax()), 2)
        similarity = float(np.clip(cosines[number, side], 0, 1))
        return NearestPose(number, similarity, side == 1)


def pose_database(vectors: Sequence[NDArray[np.float32]]) -> PoseDatabase:
    """A library of normalized bodies [17, 2], numbered as they come."""
    stacked = np.array(vectors, np.float32).reshape(-1, len(COCO), 2)
    squares = (stacked**2).sum(axis=2)
    return PoseDatabase(stacked.reshape(len(stacked), -1), np.ascontiguousarray(squares))
