"""Keypoint names of COCO and MediaPipe, and joint angles computed from keypoints.

Angles describe a pose independent of person, position and size.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

COCO = (
    "nose",
    "left_eye", "right_eye", "left_ear", "right_ear",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""The 17 keypoints of the COCO dataset, as MoveNet outputs them."""

MEDIAPIPE = (
    "nose",
    "left_eye_inner", "left_eye", "left_eye_outer",
    "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_pinky", "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip
"""The 33 keypoints of MediaPipe's pose landmarker."""


Point = NDArray[np.floating[Any]]
"""A point, [2] or [3]; y points down."""

Chain = tuple[str, str, str]
"""Three keypoints; the angle is at the middle one."""

SIDES = ("left", "right")

_CHAINS = {
    "elbow": ("shoulder", "elbow", "wrist"),
    "shoulder": ("elbow", "shoulder", "hip"),
    "hip": ("shoulder", "hip", "knee"),
    "knee": ("hip", "knee", "ankle"),
}

JOINTS: dict[str, Chain] = {
    f"{side}_{joint}": (f"{side}_{before}", f"{side}_{middle}", f"{side}_{after}")
    for joint, (before, middle, after) in _CHAINS.items()
    for side in SIDES
}
"""Joints by name; their angle is 180 where the limb is straight."""

TORSO, LEGS = "torso", "legs"
"""Inclination of the torso, 0 upright and 90 lying; angle between the legs, 0 closed."""

NAMES = (*JOINTS, TORSO, LEGS)

_UP = (0.0, -1.0, 0.0)


def angles(visible: Mapping[str, Point]) -> dict[str, float]:
    """Return the angles in degrees, 0 to 180, of the visible keypoints by name in :data:`NAMES`."""
    known = {
        name: _between(visible[before] - visible[joint], visible[after] - visible[joint])
        for name, (before, joint, after) in JOINTS.items()
        if before in visible and joint in visible and after in visible
    }
    shoulders, hips = _middle(visible, "shoulder"), _middle(visible, "hip")
    if shoulders is not None and hips is not None:
        known[TORSO] = _between(shoulders - hips, np.array(_UP[: len(hips)]))
    if all(f"{side}_{part}" in visible for side in SIDES for part in ("hip", "ankle")):
        left, right = (visible[f"{side}_ankle"] - visible[f"{side}_hip"] for side in SIDES)
        known[LEGS] = _between(left, right)
    return known


def both(known: Mapping[str, float], name: str) -> float | None:
    """Return the angle of that name; for "knee" etc. the mean of the visible sides."""
    if name in known:
        return known[name]
    sides: Sequence[float] = [
        known[f"{side}_{name}"] for side in SIDES if f"{side}_{name}" in known
    ]
    return sum(sides) / len(sides) if sides else None


def _middle(visible: Mapping[str, Point], part: str) -> Point | None:
    sides = [visible[f"{side}_{part}"] for side in SIDES if f"{side}_{part}" in visible]
    return np.mean(sides, axis=0) if sides else None


def _between(first: Point, second: Point) -> float:
    """Return the degrees between two directions; 0 if a direction has no length."""
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    if lengths == 0:
        return 0.0
    return float(np.degrees(np.arccos(np.clip(np.dot(first, second) / lengths, -1, 1))))
