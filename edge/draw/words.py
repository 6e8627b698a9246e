"""Words in the corners: the classes of a picture, and the status line."""

import cv2

from edge.draw.plates import (
    LIGHT,
    Colour,
    Style,
    colour,
    dim,
    height_of,
    plain,
    shortened,
    style,
    width_of,
    write,
)
from edge.frame import Picture, Status
from edge.results import Classification, ClassScore

_GREY: Colour = (170, 170, 170)
_AMBER: Colour = (80, 190, 255)
_WIDEST = 0.45
"""Share of the picture's width that the classes may take."""


def classification(picture: Picture, said: Classification) -> None:
    """Draw the best classes with bars of their scores into the upper left corner.

    Below the threshold, which is marked on the bars, "unknown" stands above them.
    """
    wanted = style(picture)
    pad, letters = wanted.pad, height_of(wanted)
    row = letters + 3 * pad
    width = _panel_width(picture, said, wanted)
    lines = len(said.classes) + said.unknown
    panel = picture[pad : pad + lines * row + pad, pad : pad + width]
    dim(panel)
    base = pad + letters
    if said.unknown:
        write(panel, "unknown", (pad, base), _AMBER, wanted)
        base += row
    for one in said.classes:
        _row(panel, one, base, wanted, said)
        base += row


def status(picture: Picture, now: Status) -> None:
    """Draw live figures into the lower left corner; what does not fit is left out."""
    wanted = style(picture)
    room = picture.shape[1] - 4 * wanted.pad
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
    left, bottom = pad, picture.shape[0] - pad
    right = left + width_of(text, wanted) + 2 * pad
    dim(picture[max(0, bottom - letters - 2 * pad) : bottom, left:right])
    write(picture, text, (left + pad, bottom - pad), LIGHT, wanted)


def _panel_width(picture: Picture, said: Classification, s: Style) -> int:
    longest = max(width_of(f"{plain(one.label)}  100%", s) for one in said.classes)
    least, most = round(0.3 * picture.shape[1]), round(_WIDEST * picture.shape[1])
    return min(max(longest + 2 * s.pad, least), max(most, 1))


def _row(panel: Picture, one: ClassScore, base: int, s: Style, said: Classification) -> None:
    percent = f"{100 * one.score:.0f}%"
    right = panel.shape[1] - s.pad
    tone = _GREY if said.unknown else LIGHT
    label = shortened(plain(one.label), "", s, right - s.pad - width_of("  100%", s))
    write(panel, label, (s.pad, base), tone, s)
    write(panel, percent, (right - width_of(percent, s), base), tone, s)
    top, bottom = base + s.pad, base + s.pad + max(2, s.line)
    share = min(max(one.score, 0.0), 1.0)
    length = round(share * (right - s.pad))
    cv2.rectangle(panel, (s.pad, top), (right, bottom), (90, 90, 90), cv2.FILLED)
    filled = _GREY if said.unknown else colour(one.index)
    if length:
        cv2.rectangle(panel, (s.pad, top), (s.pad + length, bottom), filled, cv2.FILLED)
    if said.threshold is not None:
        mark = s.pad + round(min(said.threshold, 1.0) * (right - s.pad))
        cv2.line(panel, (mark, top - 1), (mark, bottom + 1), _AMBER, max(1, s.line // 2))
