"""Text overlays, and the frame next to the image of the most similar pose."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from edge.draw.labels import (
    DARK,
    LIGHT,
    Color,
    Style,
    color_of,
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
from edge.draw.skeleton import poses
from edge.frame import BgrImage, StreamStatus
from edge.image import read_image
from edge.results import Classification, ClassScore, MatchedPoses

_GRAY: Color = (170, 170, 170)
_AMBER: Color = (80, 190, 255)
_MAX_WIDTH = 0.45
"""Maximum width of the classes, as a fraction of the image's."""


def classification(image: BgrImage, result: Classification) -> None:
    """Draw the best classes with bars of their scores into the upper left corner.

    Below the threshold, which is marked on the bars, "unknown" is written above them.
    """
    text_style = style(image)
    pad, letters = text_style.pad, height_of(text_style)
    row = letters + 3 * pad
    width = _panel_width(image, result, text_style)
    lines = len(result.classes) + result.unknown
    panel = image[pad : pad + lines * row + pad, pad : pad + width]
    darken(panel)
    base = pad + letters
    if result.unknown:
        write(panel, "unknown", (pad, base), _AMBER, text_style)
        base += row
    for entry in result.classes:
        _row(panel, entry, base, text_style, result)
        base += row


def status(image: BgrImage, now: StreamStatus) -> None:
    """Draw live statistics into the lower left corner; what does not fit is left out."""
    text_style = style(image)
    room = image.shape[1] - 4 * text_style.pad
    parts = [
        f"{now.fps:.1f} fps",
        f"model {now.invoke_ms:.1f} ms",
        f"{now.delegate}",
        f"latency {now.latency_ms:.0f} ms",
        *([f"{now.dropped} dropped"] if now.dropped else []),
    ]
    while parts and width_of("   ".join(parts), text_style) > room:
        parts.pop()
    if not parts:
        return
    text = "   ".join(parts)
    pad, letters = text_style.pad, height_of(text_style)
    left, bottom = pad, image.shape[0] - pad
    right = left + width_of(text, text_style) + 2 * pad
    darken(image[max(0, bottom - letters - 2 * pad) : bottom, left:right])
    write(image, text, (left + pad, bottom - pad), LIGHT, text_style)


def _panel_width(image: BgrImage, result: Classification, s: Style) -> int:
    longest = max(width_of(f"{to_ascii(entry.label)}  100%", s) for entry in result.classes)
    min_width, max_width = round(0.3 * image.shape[1]), round(_MAX_WIDTH * image.shape[1])
    return min(max(longest + 2 * s.pad, min_width), max(max_width, 1))


def _row(panel: BgrImage, entry: ClassScore, base: int, s: Style, result: Classification) -> None:
    percent = f"{100 * entry.score:.0f}%"
    right = panel.shape[1] - s.pad
    tone = _GRAY if result.unknown else LIGHT
    label = truncate(to_ascii(entry.label), "", s, right - s.pad - width_of("  100%", s))
    write(panel, label, (s.pad, base), tone, s)
    write(panel, percent, (right - width_of(percent, s), base), tone, s)
    top, bottom = base + s.pad, base + s.pad + max(2, s.line)
    share = min(max(entry.score, 0.0), 1.0)
    length = round(share * (right - s.pad))
    cv2.rectangle(panel, (s.pad, top), (right, bottom), (90, 90, 90), cv2.FILLED)
    filled = _GRAY if result.unknown else color_of(entry.index)
    if length:
        cv2.rectangle(panel, (s.pad, top), (s.pad + length, bottom), filled, cv2.FILLED)
    if result.threshold is not None:
        mark = s.pad + round(min(result.threshold, 1.0) * (right - s.pad))
        cv2.line(panel, (mark, top - 1), (mark, bottom + 1), _AMBER, max(1, s.line // 2))


def matched_poses(image: BgrImage, result: MatchedPoses, min_score: float) -> BgrImage:
    """Draw the people in place, and return a wider image with the match next to them.

    A match that is a mirror image is flipped. Keypoints with a score below ``min_score`` are left
    out. The size is the same with and without a match: [height, 2 × width, 3].
    """
    poses(image, result, min_score)
    match = result.match
    if match is None:
        return side_by_side(image, None, "no person detected")
    frame = "" if match.frame is None else f" {match.frame}"
    text = f"{match.name}{frame}  {100 * match.similarity:.0f}%"
    return side_by_side(image, _match_image(match.image, match.mirrored), text)


def side_by_side(image: BgrImage, other: BgrImage | None, text: str) -> BgrImage:
    """Return an image and, in a field of its size to the right, another one with ``text`` on it.

    The other keeps its aspect ratio. Without it the field is dark, so that the size is the same.
    """
    height, width = image.shape[:2]
    wide = cv2.copyMakeBorder(image, 0, 0, 0, width, cv2.BORDER_CONSTANT, value=DARK)
    canvas = np.asarray(wide, np.uint8)
    field = canvas[:, width:]
    if other is not None:
        scale = min(width / other.shape[1], height / other.shape[0])
        size = (max(1, round(other.shape[1] * scale)), max(1, round(other.shape[0] * scale)))
        interpolation = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
        resized = cv2.resize(other, size, interpolation=interpolation).astype(np.uint8, copy=False)
        paste(field, resized, (width - size[0]) // 2, (height - size[1]) // 2)
    text_style = style(image)
    label = truncate(to_ascii(text), "", text_style, width - 4 * text_style.pad)
    paste(field, render_label(label, LIGHT, text_style), text_style.pad, text_style.pad)
    return canvas


@lru_cache(maxsize=32)
def _match_image(path: Path, mirrored: bool) -> BgrImage:
    """Return an image of the index, uint8 BGR, flipped where it is ``mirrored``."""
    image = read_image(path)
    return np.asarray(cv2.flip(image, 1), np.uint8) if mirrored else image
