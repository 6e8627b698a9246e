"""Objects, their trails, and the lines and zones that count them."""

from collections.abc import Iterable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.draw.labels import (
    DARK,
    LIGHT,
    Color,
    Style,
    color_of,
    height_of,
    paste,
    render_label,
    style,
    to_ascii,
    truncate,
)
from edge.frame import BgrImage
from edge.results import Detection

Point = tuple[float, float]
_Room = tuple[int, int, int, int]


def detections(image: BgrImage, found: Sequence[Detection]) -> None:
    """Draw boxes with label, track id and score; the best are drawn last, on top."""
    wanted = style(image)
    for one in reversed(found):
        _box(image, one.box, _color(one), wanted.line)
    label = height_of(wanted) + 3 * wanted.pad
    taken = [room for room in map(_room, found) if room[3] - room[1] < label]  # not to be hidden
    for one in found:
        _name(image, one, wanted, taken)


def trails(image: BgrImage, ways: Mapping[int, Sequence[Point]]) -> None:
    """Draw by track id where objects have been, oldest place first."""
    wanted = style(image)
    for number, way in ways.items():
        if len(way) > 1:
            _stroke(image, _points(way), color_of(number), wanted.line, closed=False)


def line(image: BgrImage, start: Point, end: Point, text: str) -> None:
    """Draw a line that counts, an arrow towards its "in", and ``text``, its name and counts.

    "in" is from the left to the right of someone who looks from ``start`` to ``end``.
    """
    wanted = style(image)
    _stroke(image, _points((start, end)), LIGHT, wanted.line, closed=False)
    middle = np.add(start, end) / 2
    along = np.subtract(end, start)
    across = np.array([-along[1], along[0]]) / max(1.0, float(np.hypot(*along)))
    tip = middle + 8 * wanted.line * across
    for tone, extra in ((DARK, 2), (LIGHT, 0)):
        cv2.arrowedLine(
            image, _pixel(middle), _pixel(tip), tone, wanted.line + extra, cv2.LINE_AA, 0, 0.4
        )
    label = render_label(to_ascii(text), LIGHT, wanted)
    center = middle - (4 * wanted.line + label.shape[0]) * across
    _centered(image, label, center)


def zone(image: BgrImage, corners: Sequence[Point], text: str) -> None:
    """Draw a zone's outline, and ``text``, its name and counts, at its upper edge."""
    wanted = style(image)
    _stroke(image, _points(corners), LIGHT, wanted.line, closed=True)
    label = render_label(to_ascii(text), LIGHT, wanted)
    xs, ys = zip(*corners, strict=True)
    _centered(image, label, np.array([(min(xs) + max(xs)) / 2, min(ys) + label.shape[0]]))


def _color(one: Detection) -> Color:
    return color_of(one.index if one.track_id is None else one.track_id)


def _room(one: Detection) -> _Room:
    left, top, right, bottom = map(round, one.box)
    return left, top, right, bottom


def _box(image: BgrImage, box: Sequence[float], tone: Color, width: int) -> None:
    """A frame within the image, in its color with a dark edge on either side."""
    height, length = image.shape[:2]
    left, right = (round(min(max(x, 0), length - 1)) for x in box[::2])
    top, bottom = (round(min(max(y, 0), height - 1)) for y in box[1::2])
    # Thin rectangles, one in the other: quicker than a thick one, and never outside of it.
    for inset in range(min(width + 2, (right - left) // 2 + 1, (bottom - top) // 2 + 1)):
        shade = DARK if inset in (0, width + 1) else tone
        corner, opposite = (left + inset, top + inset), (right - inset, bottom - inset)
        cv2.rectangle(image, corner, opposite, shade)


def _name(image: BgrImage, one: Detection, wanted: Style, taken: list[_Room]) -> None:
    """The label at its box, where it covers no other label if there is such a place."""
    number = "" if one.track_id is None else f" #{one.track_id}"
    rest = f"{number} {100 * one.score:.0f}%"
    text = truncate(to_ascii(one.label), rest, wanted, image.shape[1] - 2 * wanted.pad)
    label = render_label(text, _color(one), wanted)
    high, wide = label.shape[:2]
    left, top, right, bottom = _room(one)
    tops = (top - high, top, bottom - high, bottom)  # above, inside, inside below, below
    places = ((x, y) for x in (left, right - wide) for y in tops)
    rooms = (_inside(image, x, y, wide, high) for x, y in places)
    free = (room for room in rooms if not _overlaps(room, taken))
    room = next(free, None) or _inside(image, left, tops[0], wide, high)
    taken.append(room)
    paste(image, label, room[0], room[1])


def _inside(image: BgrImage, left: int, top: int, wide: int, high: int) -> _Room:
    height, width = image.shape[:2]
    left, top = max(0, min(left, width - wide)), max(0, min(top, height - high))
    return left, top, left + wide, top + high


def _overlaps(room: _Room, taken: Iterable[_Room]) -> bool:
    left, top, right, bottom = room
    return any(
        left < right_ and left_ < right and top < bottom_ and top_ < bottom
        for left_, top_, right_, bottom_ in taken
    )


def _stroke(
    image: BgrImage, points: NDArray[np.int32], tone: Color, width: int, *, closed: bool
) -> None:
    """A way in its color with a dark edge."""
    cv2.polylines(image, [points], closed, DARK, width + 2)
    cv2.polylines(image, [points], closed, tone, width, cv2.LINE_AA)


def _points(way: Sequence[Point]) -> NDArray[np.int32]:
    return np.rint(np.array(way, np.float64)).astype(np.int32)


def _pixel(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _centered(image: BgrImage, label: BgrImage, center: NDArray[np.float64]) -> None:
    left, top = _pixel(center - np.array([label.shape[1], label.shape[0]]) / 2)
    paste(image, label, left, top)
