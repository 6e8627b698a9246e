"""People's skeletons, the angles at their joints, and what they did how often."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.draw.plates import (
    DARK,
    LIGHT,
    Colour,
    Style,
    dim,
    height_of,
    plain,
    plate,
    put,
    shortened,
    style,
    width_of,
    write,
)
from edge.frame import Picture
from edge.results import Pose, Poses

_LEFT: Colour = (60, 170, 255)
_RIGHT: Colour = (255, 190, 80)
_MIDDLE: Colour = (225, 225, 225)

_SIDED = (
    ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "index"), ("wrist", "pinky"),
    ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"),
    ("heel", "foot_index"), ("ankle", "foot_index"), ("eye", "ear"),
)  # fmt: skip
_BONES = (
    *((f"{side}_{one}", f"{side}_{other}") for one, other in _SIDED for side in ("left", "right")),
    ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"), ("nose", "left_eye"),
    ("nose", "right_eye"), ("mouth_left", "mouth_right"),
)  # fmt: skip
"""Of both models; those whose ends one does not know are left out."""

_ARCS = {
    f"{side}_{joint}": (f"{side}_{before}", f"{side}_{after}")
    for before, joint, after in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
    for side in ("left", "right")
}
"""Joints whose angles are drawn, with the ends of their bones."""

_ARC = 0.3
"""Radius of an arc, in lengths of the shorter bone."""

_WIDEST = 0.45
"""Share of the picture's width that the counts may take."""

_Places = Mapping[str, NDArray[np.float64]]


def poses(picture: Picture, said: Poses, least: float) -> None:
    """Draw skeletons with the angles of elbows and knees, and the counts of exercises.

    Left limbs are orange, right ones blue. Keypoints with a score below ``least`` are left out.
    """
    wanted = style(picture)
    for pose in said.poses:
        seen = {
            point.name: np.array((point.x, point.y))
            for point in pose.keypoints
            if point.score >= least and abs(point.x) + abs(point.y) < 1e5  # OpenCV's limits
        }
        _bones(picture, seen, wanted)
        _angles(picture, pose, seen, wanted)
    _counts(picture, {name: count for name, count in said.counts.items() if count}, wanted)


def _bones(picture: Picture, seen: _Places, wanted: Style) -> None:
    known = [(one, other) for one, other in _BONES if one in seen and other in seen]
    for edge in (2, 0):
        for one, other in known:
            tone = DARK if edge else _tone(one, other)
            ends = _pixel(seen[one]), _pixel(seen[other])
            cv2.line(picture, *ends, tone, wanted.line + edge, cv2.LINE_AA)
    for name, place in seen.items():
        cv2.circle(picture, _pixel(place), wanted.line + 1, DARK, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(picture, _pixel(place), wanted.line, _tone(name, name), cv2.FILLED, cv2.LINE_AA)


def _angles(picture: Picture, pose: Pose, seen: _Places, wanted: Style) -> None:
    for joint, ends in _ARCS.items():
        if joint not in pose.angles or not all(name in seen for name in (joint, *ends)):
            continue
        one, other = (seen[end] - seen[joint] for end in ends)
        radius = _ARC * float(min(np.hypot(*one), np.hypot(*other)))
        if radius < 2 * wanted.line:
            continue
        start, stop = (float(np.degrees(np.arctan2(y, x))) for x, y in (one, other))
        turn = (stop - start + 180) % 360 - 180
        size = (round(radius), round(radius))
        for edge in (2, 0):
            tone = DARK if edge else LIGHT
            cv2.ellipse(
                picture, _pixel(seen[joint]), size, 0, start, start + turn, tone,
                wanted.line // 2 + edge, cv2.LINE_AA,
            )  # fmt: skip
        label = plate(f"{pose.angles[joint]:.0f}", _tone(joint, joint), wanted)
        high, wide = label.shape[:2]
        x, y = _pixel(seen[joint] + _away(one, other) * (wide + 2 * wanted.line))
        put(picture, label, x - wide // 2, y - high // 2)


def _away(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """The direction from a joint out of its angle, of length 1."""
    inward = one / np.hypot(*one) + other / np.hypot(*other)
    if np.hypot(*inward) < 0.1:  # straight: to the side
        inward = np.array((-one[1], one[0]))
    return np.asarray(-inward / np.hypot(*inward), np.float64)


def _counts(picture: Picture, counts: Mapping[str, int], wanted: Style) -> None:
    """A panel in the upper left corner: each exercise that was done, and how often."""
    if not counts:
        return
    pad, letters = wanted.pad, height_of(wanted)
    row = letters + 2 * pad
    words = {plain(name.replace("_", " ")): str(count) for name, count in counts.items()}
    longest = max(width_of(f"{name}  {count}", wanted) for name, count in words.items())
    width = min(longest + 2 * pad, max(1, round(_WIDEST * picture.shape[1])))
    panel = picture[pad : pad + len(words) * row + pad, pad : pad + width]
    dim(panel)
    for number, (name, count) in enumerate(words.items()):
        base, right = pad + letters + number * row, panel.shape[1] - pad
        room = right - pad - width_of(f"  {count}", wanted)
        write(panel, shortened(name, "", wanted, room), (pad, base), LIGHT, wanted)
        write(panel, count, (right - width_of(count, wanted), base), _LEFT, wanted)


def _tone(one: str, other: str) -> Colour:
    sides = {name.partition("_")[0] for name in (one, other)}
    return (
        {"left": _LEFT, "right": _RIGHT}.get(sides.pop(), _MIDDLE) if len(sides) == 1 else _MIDDLE
    )


def _pixel(place: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))
