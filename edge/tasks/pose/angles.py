"""Angles of the body, which say what a pose is, whoever strikes it and wherever it stands."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Point = NDArray[np.floating[Any]]
"""A place, [2] or [3]; y goes down."""

Chain = tuple[str, str, str]
"""Three keypoints; the angle is that at the one in the middle."""

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
"""How far the torso leans, 0 upright and 90 lying; and how far the legs are apart, 0 closed."""

NAMES = (*JOINTS, TORSO, LEGS)

_UP = (0.0, -1.0, 0.0)


def angles(seen: Mapping[str, Point]) -> dict[str, float]:
    """All angles in degrees, 0 to 180, that the keypoints ``seen`` allow; see :data:`NAMES`."""
    found = {
        name: _between(seen[before] - seen[joint], seen[after] - seen[joint])
        for name, (before, joint, after) in JOINTS.items()
        if before in seen and joint in seen and after in seen
    }
    shoulders, hips = _middle(seen, "shoulder"), _middle(seen, "hip")
    if shoulders is not None and hips is not None:
        found[TORSO] = _between(shoulders - hips, np.array(_UP[: len(hips)]))
    if all(f"{side}_{part}" in seen for side in SIDES for part in ("hip", "ankle")):
        left, right = (seen[f"{side}_ankle"] - seen[f"{side}_hip"] for side in SIDES)
        found[LEGS] = _between(left, right)
    return found


def both(found: Mapping[str, float], name: str) -> float | None:
    """The angle of that name; of "knee" and the like, the mean of the sides that are seen."""
    if name in found:
        return found[name]
    sides: Sequence[float] = [
        found[f"{side}_{name}"] for side in SIDES if f"{side}_{name}" in found
    ]
    return sum(sides) / len(sides) if sides else None


def _middle(seen: Mapping[str, Point], part: str) -> Point | None:
    sides = [seen[f"{side}_{part}"] for side in SIDES if f"{side}_{part}" in seen]
    return np.mean(sides, axis=0) if sides else None


def _between(one: Point, other: Point) -> float:
    """Degrees between two directions; 0 where one of them has no length."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    if lengths == 0:
        return 0.0
    return float(np.degrees(np.arccos(np.clip(np.dot(one, other) / lengths, -1, 1))))
