"""Skeletons of people, the angles at their joints, and the counts of their exercises."""

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

MIN_KEYPOINT_SCORE = 0.3
"""Minimum score of a keypoint to be drawn, by default."""

LEFT: Color = (60, 170, 255)
RIGHT: Color = (255, 190, 80)
MIDDLE: Color = (225, 225, 225)

_SIDED = (
    ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "index"), ("wrist", "pinky"),
    ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"),
    ("heel", "foot_index"), ("ankle", "foot_index"), ("eye", "ear"),
)  # fmt: skip
_BONES = (
    *((f"{side}_{first}", f"{side}_{second}")
      for first, second in _SIDED for side in ("left", "right")),
    ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"), ("nose", "left_eye"),
    ("nose", "right_eye"), ("mouth_left", "mouth_right"),
)  # fmt: skip
"""Bones of both models; a bone with an end that the model lacks is left out."""

_ARCS = {
    f"{side}_{joint}": (f"{side}_{before}", f"{side}_{after}")
    for before, joint, after in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
    for side in ("left", "right")
}
"""Joints whose angles are drawn, with the ends of their bones."""

_ARC = 0.25
"""Maximum radius of an arc, as a fraction of the shorter bone."""

_STRAIGHT = 0.3
"""Length of the sum of two unit vectors below which they count as opposite."""

_MAX_WIDTH = 0.45
"""Maximum width of the counts, as a fraction of the image's."""

_LARGE = 2.0
"""Factor by which counts are larger than other text: they are read from a distance."""

_Point = NDArray[np.float64]
_Points = Mapping[str, _Point]


def poses(image: BgrImage, result: Poses, min_score: float) -> None:
    """Draw skeletons with the angles of elbows and knees, and the counts of exercises.

    Left limbs are orange, right ones blue. Keypoints with a score below ``min_score`` are left out.
    """
    text_style = style(image)
    for pose in result.poses:
        seen = {
            point.name: np.array((point.x, point.y))
            for point in pose.keypoints
            if point.score >= min_score and abs(point.x) + abs(point.y) < 1e5  # OpenCV's limits
        }
        _bones(image, seen, text_style)
        _angles(image, pose, seen, text_style)
    _counts(image, {name: count for name, count in result.counts.items() if count}, text_style)


def _bones(image: BgrImage, seen: _Points, text_style: Style) -> None:
    known = [(first, second) for first, second in _BONES if first in seen and second in seen]
    for edge in (2, 0):
        for first, second in known:
            tone = DARK if edge else _tone(first, second)
            ends = _pixel(seen[first]), _pixel(seen[second])
            cv2.line(image, *ends, tone, text_style.line + edge, cv2.LINE_AA)
    for name, place in seen.items():
        cv2.circle(image, _pixel(place), text_style.line + 1, DARK, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(
            image, _pixel(place), text_style.line, _tone(name, name), cv2.FILLED, cv2.LINE_AA
        )


def _angles(image: BgrImage, pose: Pose, seen: _Points, text_style: Style) -> None:
    if not seen:
        return
    body = np.mean(list(seen.values()), axis=0)
    for joint, ends in _ARCS.items():
        if joint not in pose.angles or not all(name in seen for name in (joint, *ends)):
            continue
        place = seen[joint]
        first, second = (seen[end] - place for end in ends)
        bone = float(min(np.hypot(*first), np.hypot(*second)))
        if _ARC * bone < 2 * text_style.line:  # too far away to be read
            continue
        inward = _inward(first, second, body - place)
        _arc(image, place, first, inward, min(_ARC * bone, 10 * text_style.line), text_style)
        label = render_label(f"{pose.angles[joint]:.0f}", _tone(joint, joint), text_style)
        high, wide = label.shape[:2]
        x, y = _pixel(place - inward * (wide / 2 + 6 * text_style.line))
        paste(image, label, x - wide // 2, y - high // 2)


def _arc(
    image: BgrImage, place: _Point, first: _Point, inward: _Point, radius: float, text_style: Style
) -> None:
    """Draw the arc at a joint that begins at the bone ``first``, with its middle at ``inward``."""
    start, middle = (float(np.degrees(np.arctan2(y, x))) for x, y in (first, inward))
    half = (middle - start + 180) % 360 - 180
    size = (round(radius), round(radius))
    for edge in (2, 0):
        tone, thick = (
            (DARK, text_style.line // 2 + 2) if edge else (LIGHT, max(1, text_style.line // 2))
        )
        cv2.ellipse(
            image, _pixel(place), size, 0, start, start + 2 * half, tone, thick, cv2.LINE_AA
        )


def _inward(first: _Point, second: _Point, body: _Point) -> _Point:
    """Return the unit vector between two bones; for a straight limb, the first to the body."""
    along = first / np.hypot(*first)
    inward = along + second / np.hypot(*second)
    if np.hypot(*inward) < _STRAIGHT:
        across = np.array((-along[1], along[0]))
        inward = across if across @ body > 0 else -across
    return np.asarray(inward / np.hypot(*inward), np.float64)


def _counts(image: BgrImage, counts: Mapping[str, int], usual: Style) -> None:
    """Draw a panel in the upper left corner with the count of each exercise."""
    if not counts:
        return
    text_style = _larger(usual)
    pad, letters = text_style.pad, height_of(text_style)
    row = letters + 2 * pad
    words = {to_ascii(name.replace("_", " ")): str(count) for name, count in counts.items()}
    longest = max(
        width_of(name, text_style) + width_of(f"  {words[name]}", text_style) for name in words
    )
    width = min(longest + 2 * pad, max(1, round(_MAX_WIDTH * image.shape[1])))
    panel = image[pad : pad + len(words) * row + pad, pad : pad + width]
    darken(panel)
    for number, (name, count) in enumerate(words.items()):
        base, right = 2 * pad + letters + number * row, panel.shape[1] - pad
        room = right - pad - width_of(f"  {count}", text_style)
        write(panel, truncate(name, "", text_style, room), (pad, base), LIGHT, text_style)
        write(panel, count, (right - width_of(count, text_style), base), LEFT, text_style)


def _larger(usual: Style) -> Style:
    return Style(_LARGE * usual.font, round(_LARGE * usual.thickness), usual.line, 2 * usual.pad)


def _tone(first: str, second: str) -> Color:
    sides = {name.partition("_")[0] for name in (first, second)}
    return {"left": LEFT, "right": RIGHT}.get(sides.pop(), MIDDLE) if len(sides) == 1 else MIDDLE


def _pixel(place: _Point) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))
