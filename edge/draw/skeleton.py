"""People's skeletons, the angles at their joints, and what they did how often."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.draw.labels import (
    DARK,
    LIGHT,
    Color,
    Style,
    darken,
    height_of,
    paste,
    render_label,
    style,
    to_ascii,
    truncate,
    width_of,
    write,
)
from edge.frame import BgrImage
from edge.results import Pose, Poses

LEFT: Color = (60, 170, 255)
RIGHT: Color = (255, 190, 80)
MIDDLE: Color = (225, 225, 225)

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

_ARC = 0.25
"""Greatest radius of an arc, in lengths of the shorter bone."""

_STRAIGHT = 0.3
"""Length of the sum of two directions, below which they are taken for opposite."""

_WIDEST = 0.45
"""Share of the image's width that the counts may take."""

_LARGE = 2.0
"""Counts are read from where one exercises: so much larger than other words."""

_Place = NDArray[np.float64]
_Places = Mapping[str, _Place]


def poses(image: BgrImage, said: Poses, least: float) -> None:
    """Draw skeletons with the angles of elbows and knees, and the counts of exercises.

    Left limbs are orange, right ones blue. Keypoints with a score below ``least`` are left out.
    """
    wanted = style(image)
    for pose in said.poses:
        seen = {
            point.name: np.array((point.x, point.y))
            for point in pose.keypoints
            if point.score >= least and abs(point.x) + abs(point.y) < 1e5  # OpenCV's limits
        }
        _bones(image, seen, wanted)
        _angles(image, pose, seen, wanted)
    _counts(image, {name: count for name, count in said.counts.items() if count}, wanted)


def _bones(image: BgrImage, seen: _Places, wanted: Style) -> None:
    known = [(one, other) for one, other in _BONES if one in seen and other in seen]
    for edge in (2, 0):
        for one, other in known:
            tone = DARK if edge else _tone(one, other)
            ends = _pixel(seen[one]), _pixel(seen[other])
            cv2.line(image, *ends, tone, wanted.line + edge, cv2.LINE_AA)
    for name, place in seen.items():
        cv2.circle(image, _pixel(place), wanted.line + 1, DARK, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(image, _pixel(place), wanted.line, _tone(name, name), cv2.FILLED, cv2.LINE_AA)


def _angles(image: BgrImage, pose: Pose, seen: _Places, wanted: Style) -> None:
    if not seen:
        return
    body = np.mean(list(seen.values()), axis=0)
    for joint, ends in _ARCS.items():
        if joint not in pose.angles or not all(name in seen for name in (joint, *ends)):
            continue
        place = seen[joint]
        one, other = (seen[end] - place for end in ends)
        bone = float(min(np.hypot(*one), np.hypot(*other)))
        if _ARC * bone < 2 * wanted.line:  # too far away to be read
            continue
        inward = _inward(one, other, body - place)
        _arc(image, place, one, inward, min(_ARC * bone, 10 * wanted.line), wanted)
        label = render_label(f"{pose.angles[joint]:.0f}", _tone(joint, joint), wanted)
        high, wide = label.shape[:2]
        x, y = _pixel(place - inward * (wide / 2 + 6 * wanted.line))
        paste(image, label, x - wide // 2, y - high // 2)


def _arc(
    image: BgrImage, place: _Place, one: _Place, inward: _Place, radius: float, wanted: Style
) -> None:
    """The arc at a joint that begins at the bone ``one`` and has its middle at ``inward``."""
    start, middle = (float(np.degrees(np.arctan2(y, x))) for x, y in (one, inward))
    half = (middle - start + 180) % 360 - 180
    size = (round(radius), round(radius))
    for edge in (2, 0):
        tone, thick = (DARK, wanted.line // 2 + 2) if edge else (LIGHT, max(1, wanted.line // 2))
        cv2.ellipse(
            image, _pixel(place), size, 0, start, start + 2 * half, tone, thick, cv2.LINE_AA
        )


def _inward(one: _Place, other: _Place, body: _Place) -> _Place:
    """The direction between two bones, of length 1; of a straight limb, that to the body."""
    along = one / np.hypot(*one)
    inward = along + other / np.hypot(*other)
    if np.hypot(*inward) < _STRAIGHT:
        across = np.array((-along[1], along[0]))
        inward = across if across @ body > 0 else -across
    return np.asarray(inward / np.hypot(*inward), np.float64)


def _counts(image: BgrImage, counts: Mapping[str, int], usual: Style) -> None:
    """A panel in the upper left corner: each exercise that was done, and how often."""
    if not counts:
        return
    wanted = _larger(usual)
    pad, letters = wanted.pad, height_of(wanted)
    row = letters + 2 * pad
    words = {to_ascii(name.replace("_", " ")): str(count) for name, count in counts.items()}
    longest = max(width_of(name, wanted) + width_of(f"  {words[name]}", wanted) for name in words)
    width = min(longest + 2 * pad, max(1, round(_WIDEST * image.shape[1])))
    panel = image[pad : pad + len(words) * row + pad, pad : pad + width]
    darken(panel)
    for number, (name, count) in enumerate(words.items()):
        base, right = 2 * pad + letters + number * row, panel.shape[1] - pad
        room = right - pad - width_of(f"  {count}", wanted)
        write(panel, truncate(name, "", wanted, room), (pad, base), LIGHT, wanted)
        write(panel, count, (right - width_of(count, wanted), base), LEFT, wanted)


def _larger(usual: Style) -> Style:
    return Style(_LARGE * usual.font, round(_LARGE * usual.thickness), usual.line, 2 * usual.pad)


def _tone(one: str, other: str) -> Color:
    sides = {name.partition("_")[0] for name in (one, other)}
    return {"left": LEFT, "right": RIGHT}.get(sides.pop(), MIDDLE) if len(sides) == 1 else MIDDLE


def _pixel(place: _Place) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))
