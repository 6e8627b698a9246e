"""Words in the corners: the classes of an image, and the status line."""

import cv2

from edge.draw.labels import (
    LIGHT,
    Color,
    Style,
    color_of,
    darken,
    height_of,
    style,
    to_ascii,
    truncate,
    width_of,
    write,
)
from edge.frame import BgrImage, StreamStatus
from edge.results import Classification, ClassScore

_GRAY: Color = (170, 170, 170)
_AMBER: Color = (80, 190, 255)
_WIDEST = 0.45
"""Share of the image's width that the classes may take."""


def classification(image: BgrImage, said: Classification) -> None:
    """Draw the best classes with bars of their scores into the upper left corner.

    Below the threshold, which is marked on the bars, "unknown" stands above them.
    """
    wanted = style(image)
    pad, letters = wanted.pad, height_of(wanted)
    row = letters + 3 * pad
    width = _panel_width(image, said, wanted)
    lines = len(said.classes) + said.unknown
    panel = image[pad : pad + lines * row + pad, pad : pad + width]
    darken(panel)
    base = pad + letters
    if said.unknown:
        write(panel, "unknown", (pad, base), _AMBER, wanted)
        base += row
    for one in said.classes:
        _row(panel, one, base, wanted, said)
        base += row


def status(image: BgrImage, now: StreamStatus) -> None:
    """Draw live figures into the lower left corner; what does not fit is left out."""
    wanted = style(image)
    room = image.shape[1] - 4 * wanted.pad
    parts = [
        f"{now.fps:.1f} fps",
        f"model {now.invoke_ms:.1f} ms",
        f"{now.delegate}",
        f"latency {now.latency_ms:.0f} ms",
        *([f"{now.dropped} dropped"] if now.dropped else []),
    ]
    while parts and width_of("   ".join(parts), wanted) > room:
        parts.pop()
    if not parts:
        return
    text = "   ".join(parts)
    pad, letters = wanted.pad, height_of(wanted)
    left, bottom = pad, image.shape[0] - pad
    right = left + width_of(text, wanted) + 2 * pad
    darken(image[max(0, bottom - letters - 2 * pad) : bottom, left:right])
    write(image, text, (left + pad, bottom - pad), LIGHT, wanted)


def _panel_width(image: BgrImage, said: Classification, s: Style) -> int:
    longest = max(width_of(f"{to_ascii(one.label)}  100%", s) for one in said.classes)
    least, most = round(0.3 * image.shape[1]), round(_WIDEST * image.shape[1])
    return min(max(longest + 2 * s.pad, least), max(most, 1))


def _row(panel: BgrImage, one: ClassScore, base: int, s: Style, said: Classification) -> None:
    percent = f"{100 * one.score:.0f}%"
    right = panel.shape[1] - s.pad
    tone = _GRAY if said.unknown else LIGHT
    label = truncate(to_ascii(one.label), "", s, right - s.pad - width_of("  100%", s))
    write(panel, label, (s.pad, base), tone, s)
    write(panel, percent, (right - width_of(percent, s), base), tone, s)
    top, bottom = base + s.pad, base + s.pad + max(2, s.line)
    share = min(max(one.score, 0.0), 1.0)
    length = round(share * (right - s.pad))
    cv2.rectangle(panel, (s.pad, top), (right, bottom), (90, 90, 90), cv2.FILLED)
    filled = _GRAY if said.unknown else color_of(one.index)
    if length:
        cv2.rectangle(panel, (s.pad, top), (s.pad + length, bottom), filled, cv2.FILLED)
    if said.threshold is not None:
        mark = s.pad + round(min(said.threshold, 1.0) * (right - s.pad))
        cv2.line(panel, (mark, top - 1), (mark, bottom + 1), _AMBER, max(1, s.line // 2))
