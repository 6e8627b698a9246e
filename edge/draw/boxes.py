"""Objects, their trails, and the lines and zones that count crossings."""

from collections.abc import Callable, Iterable, Mapping, Sequence

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
from edge.draw.points import points
from edge.frame import BgrImage
from edge.results import Detection

Point = tuple[float, float]
_Room = tuple[int, int, int, int]


def detections(image: BgrImage, objects: Sequence[Detection]) -> None:
    """Draw boxes with label, track id and score, or points; the best are drawn last, on top."""
    if any(detection.point is not None for detection in objects):
        points(image, objects)
    else:
        _named_boxes(image, objects, _number_and_score)


def true_boxes(image: BgrImage, objects: Sequence[Detection]) -> None:
    """Draw boxes that somebody labeled, with their label alone, or points."""
    if any(detection.point is not None for detection in objects):
        points(image, objects)
    else:
        _named_boxes(image, objects, lambda _: "")


def _named_boxes(
    image: BgrImage, objects: Sequence[Detection], rest: Callable[[Detection], str]
) -> None:
    """Draw boxes with their labels, each followed by its ``rest``."""
    text_style = style(image)
    for detection in reversed(objects):
        _box(image, detection.box, _color(detection), text_style.line)
    label = height_of(text_style) + 3 * text_style.pad
    taken = [room for room in map(_room, objects) if room[3] - room[1] < label]  # not to be covered
    for detection in objects:
        _name(image, detection, rest(detection), text_style, taken)


def trails(image: BgrImage, paths: Mapping[int, Sequence[Point]]) -> None:
    """Draw the trails of objects by track id; points are in order, the oldest first."""
    text_style = style(image)
    for track_id, path in paths.items():
        if len(path) > 1:
            _stroke(image, _points(path), color_of(track_id), text_style.line, closed=False)


def line(image: BgrImage, start: Point, end: Point, text: str) -> None:
    """Draw a counting line, an arrow towards its "in" side, and ``text``, its name and counts.

    "in" is from the left to the right, looking from ``start`` to ``end``.
    """
    text_style = style(image)
    _stroke(image, _points((start, end)), LIGHT, text_style.line, closed=False)
    middle = np.add(start, end) / 2
    along = np.subtract(end, start)
    across = np.array([-along[1], along[0]]) / float(np.hypot(*along))
    tip = middle + 8 * text_style.line * across
    for tone, extra in ((DARK, 2), (LIGHT, 0)):
        cv2.arrowedLine(
            image, _pixel(middle), _pixel(tip), tone, text_style.line + extra, cv2.LINE_AA, 0, 0.4
        )
    gap = text_style.pad
    side = render_label("in", LIGHT, text_style)
    _centered(image, side, _beside(side, tip, across, gap))
    label = render_label(to_ascii(text), LIGHT, text_style)
    away = along / float(np.hypot(*along))
    centers = [
        _beside(label, middle, -across, gap),
        _beside(label, np.asarray(start, np.float64), -away, gap),
        _beside(label, np.asarray(end, np.float64), away, gap),
    ]
    fitting = (center for center in centers if _fits(image, label, center))
    _centered(image, label, next(fitting, centers[0]))


def zone(image: BgrImage, corners: Sequence[Point], text: str) -> None:
    """Draw the outline of a zone, and ``text``, its name and counts, at its upper edge."""
    text_style = style(image)
    _stroke(image, _points(corners), LIGHT, text_style.line, closed=True)
    label = render_label(to_ascii(text), LIGHT, text_style)
    xs, ys = zip(*corners, strict=True)
    _centered(image, label, np.array([(min(xs) + max(xs)) / 2, min(ys) + label.shape[0]]))


def _color(detection: Detection) -> Color:
    return color_of(detection.index if detection.track_id is None else detection.track_id)


def _room(detection: Detection) -> _Room:
    left, top, right, bottom = map(round, detection.box)
    return left, top, right, bottom


def _box(image: BgrImage, box: Sequence[float], tone: Color, width: int) -> None:
    """Draw a frame inside the image, in its color with a dark edge on either side."""
    height, length = image.shape[:2]
    left, right = (round(min(max(x, 0), length - 1)) for x in box[::2])
    top, bottom = (round(min(max(y, 0), height - 1)) for y in box[1::2])
    # Nested thin rectangles are faster than a thick detection, and never outside of the box.
    for inset in range(min(width + 2, (right - left) // 2 + 1, (bottom - top) // 2 + 1)):
        edge_tone = DARK if inset in (0, width + 1) else tone
        corner, opposite = (left + inset, top + inset), (right - inset, bottom - inset)
        cv2.rectangle(image, corner, opposite, edge_tone)


def _number_and_score(detection: Detection) -> str:
    number = "" if detection.track_id is None else f" #{detection.track_id}"
    return f"{number} {100 * detection.score:.0f}%"


def _name(
    image: BgrImage, detection: Detection, rest: str, text_style: Style, taken: list[_Room]
) -> None:
    """Draw the label at its box, where it covers no other label if possible."""
    text = truncate(
        to_ascii(detection.label), rest, text_style, image.shape[1] - 2 * text_style.pad
    )
    label = render_label(text, _color(detection), text_style)
    high, wide = label.shape[:2]
    left, top, right, bottom = _room(detection)
    tops = (top - high, top, bottom - high, bottom)  # above, inside, inside below, below
    positions = ((x, y) for x in (left, right - wide) for y in tops)
    rooms = (_inside(image, x, y, wide, high) for x, y in positions)
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
    """Draw a polyline in its color with a dark edge."""
    cv2.polylines(image, [points], closed, DARK, width + 2)
    cv2.polylines(image, [points], closed, tone, width, cv2.LINE_AA)


def _points(path: Sequence[Point]) -> NDArray[np.int32]:
    return np.rint(np.array(path, np.float64)).astype(np.int32)


def _pixel(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _beside(
    label: BgrImage, point: NDArray[np.float64], direction: NDArray[np.float64], gap: float
) -> NDArray[np.float64]:
    """Return the center of a label next to a point, in a direction of length 1."""
    half = np.array([label.shape[1], label.shape[0]]) / 2
    reach = float(np.abs(direction) @ half)  # from the center of the label to its border, at most
    center: NDArray[np.float64] = point + (gap + reach) * direction
    return center


def _fits(image: BgrImage, label: BgrImage, center: NDArray[np.float64]) -> bool:
    half = np.array([label.shape[1], label.shape[0]]) / 2
    room = np.array([image.shape[1], image.shape[0]])
    return bool((center - half >= 0).all() and (center + half <= room).all())


def _centered(image: BgrImage, label: BgrImage, center: NDArray[np.float64]) -> None:
    left, top = _pixel(center - np.array([label.shape[1], label.shape[0]]) / 2)
    paste(image, label, left, top)
