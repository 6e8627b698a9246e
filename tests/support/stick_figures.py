"""People of sticks, whose joints are bent as a test wants them."""

import math

import numpy as np

from edge.results import Keypoint, Pose
from edge.tasks.pose.keypoints import angles

PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


def places(
    *, knee: float = 175, elbow: float = 170, arm: float = 10, lean: float = 0, apart: float = 0
) -> dict[str, tuple[float, float]]:
    """Keypoints of a person 400 pixels tall at (300, 300), by name, seen from the side.

    Degrees: ``knee`` and ``elbow`` as in the angles of a pose; ``arm``: of the upper arm from the
    torso; ``lean``: of the torso from upright; ``apart``: between the legs.
    """
    points_by_name: dict[str, tuple[float, float]] = {"nose": (300, 300)}
    for side, sign in (("left", 1), ("right", -1)):
        hip = (300.0 + 4 * sign, 300.0)
        shoulder = _from(hip, 100, 180 - lean)
        bent, spread = (180 - knee) / 2, sign * apart / 2
        upper = arm - lean
        points = {
            "hip": hip,
            "knee": _from(hip, 80, spread + bent),
            "shoulder": shoulder,
            "elbow": _from(shoulder, 50, upper),
        }
        points["ankle"] = _from(points["knee"], 80, spread - bent)
        points["wrist"] = _from(points["elbow"], 45, upper + 180 - elbow)
        points_by_name |= {f"{side}_{part}": points[part] for part in PARTS}
    return points_by_name


def pose(hidden: tuple[str, ...] = (), shift: float = 0, size: float = 1, **bends: float) -> Pose:
    """The pose with these angles, without those that the keypoints ``hidden`` are needed for."""
    points = {name: (size * x + shift, size * y) for name, (x, y) in places(**bends).items()}
    seen = {name: np.array(place) for name, place in points.items() if name not in hidden}
    keypoints = (
        Keypoint(name, x, y, 0.1 if name in hidden else 0.9) for name, (x, y) in points.items()
    )
    return Pose(0.8, tuple(keypoints), angles(seen))


def _from(start: tuple[float, float], length: float, degrees: float) -> tuple[float, float]:
    """The end of a limb; 0 is straight down, 90 to the right."""
    turn = math.radians(degrees)
    return start[0] + length * math.sin(turn), start[1] + length * math.cos(turn)
