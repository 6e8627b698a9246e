"""Counting objects that cross a line or enter and leave a zone.

An object stands where the middle of its box's lower side is. Boxes tremble, so an object changes
sides only once it is farther from the border than a tenth of its height: who stands on a line is
not counted again and again. Who is first seen inside a zone has not come in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError
from edge.results import Detection, Event

Point = tuple[float, float]

MARGIN = 0.1
"""Distance from a border, as a share of the box's height, up to which the side is unsure."""

_LINE = "use a line such as door:100,200,540,200"
_ZONE = "use a zone such as shop:0,200,400,200,400,480,0,480"
_FORGET = 1000
"""Updates after which a track that is not seen any more is forgotten."""


class Boundary(Protocol):
    """What can be crossed: a :class:`Line` or a :class:`Zone`."""

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str: ...

    def depth(self, point: Point) -> float:
        """Distance of a point in pixels: above 0 on the side that is "in"."""

    def between(self, before: Point, after: Point) -> bool:
        """Whether the straight way from one point to the other leads through here."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line from ``start`` to ``end``, in pixels of the frame.

    "in" is from the left to the right of someone who looks from ``start`` to ``end``: downwards
    in the image for a line drawn from left to right.
    """

    name: str
    start: Point
    end: Point
    kind: str = "line"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the line of ``[NAME:]X1,Y1,X2,Y2``, in pixels; by default named by its text.

        >>> Line.parse("door:100,200,540,200").end
        (540.0, 200.0)

        Raises:
            UsageError: the text is no line.
        """
        name, points = _parse(text, "a line NAME:X1,Y1,X2,Y2", _LINE, "invalid-line")
        if len(points) != 2:
            raise UsageError(
                "a line of two points", f"{len(points)} in '{text}'", _LINE, code="invalid-line"
            )
        return cls(name, points[0], points[1])

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise UsageError(
                "a line between two points",
                f"a single point in '{self.name}'",
                "use two different points, such as door:100,200,540,200",
                code="invalid-line",
            )

    def depth(self, point: Point) -> float:
        length = hypot(self.end[0] - self.start[0], self.end[1] - self.start[1])
        return _turn(self.start, self.end, point) / length

    def between(self, before: Point, after: Point) -> bool:
        return _turn(before, after, self.start) * _turn(before, after, self.end) <= 0


@dataclass(frozen=True, slots=True)
class Zone:
    """An area within ``corners``, in pixels of the frame; "in" is into it."""

    name: str
    corners: tuple[Point, ...]
    kind: str = "zone"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the zone of ``[NAME:]X1,Y1,X2,Y2,X3,Y3…``, in pixels; by default named by its text.

        >>> Zone.parse("shop:0,200,400,200,400,480").corners
        ((0.0, 200.0), (400.0, 200.0), (400.0, 480.0))

        Raises:
            UsageError: the text is no zone, or the zone has no area.
        """
        return cls(*_parse(text, "a zone NAME:X1,Y1,X2,Y2,X3,Y3,…", _ZONE, "invalid-zone"))

    def __post_init__(self) -> None:
        if len(self.corners) < 3 or cv2.contourArea(self._outline()) == 0:
            raise UsageError(
                "a zone with at least three corners",
                f"no area in '{self.name}'",
                "list its corners, such as shop:0,200,400,200,400,480,0,480",
                code="invalid-zone",
            )

    def depth(self, point: Point) -> float:
        return cv2.pointPolygonTest(self._outline(), point, measureDist=True)

    def between(self, before: Point, after: Point) -> bool:
        return True

    def _outline(self) -> NDArray[np.float32]:
        return np.array(self.corners, np.float32)


@dataclass(slots=True)
class _Sight:
    """Where a track was last surely on one side, and the update it was last seen in."""

    inside: bool
    place: Point
    update: int


class CrossingCounter:
    """Counts tracked objects at ``borders``; ids are those of one tracker."""

    def __init__(self, borders: Sequence[Boundary]) -> None:
        names = [border.name for border in borders]
        if twice := {name for name in names if names.count(name) > 1}:
            raise UsageError(
                "a unique name for each line and zone",
                f"'{twice.pop()}' twice",
                "rename one of them",
                code="duplicate-name",
            )
        self.borders = tuple(borders)
        self._totals = {border.name: {"in": 0, "out": 0} for border in borders}
        self._inside = {border.name: 0 for border in borders}
        self._seen: dict[str, dict[int, _Sight]] = {border.name: {} for border in borders}
        self._update = 0

    @property
    def totals(self) -> dict[str, dict[str, int]]:
        """By name of line or zone, how many crossed so far: ``{"in": …, "out": …}``."""
        return {name: dict(counts) for name, counts in self._totals.items()}

    @property
    def inside(self) -> dict[str, int]:
        """By name of zone, how many of the last update's objects are in it."""
        return {zone.name: self._inside[zone.name] for zone in self.borders if zone.kind == "zone"}

    def update(self, detections: Iterable[Detection]) -> tuple[Event, ...]:
        """The crossings since the last update, by the detections that have a ``track_id``."""
        self._update += 1
        tracked = [found for found in detections if found.track_id is not None]
        events = tuple(event for border in self.borders for event in self._at(border, tracked))
        for event in events:
            self._totals[event.name][event.direction] += 1
        if self._update % _FORGET == 0:
            self._forget()
        return events

    def _at(self, border: Boundary, tracked: list[Detection]) -> Iterable[Event]:
        seen = self._seen[border.name]
        inside = 0
        for found in tracked:
            assert found.track_id is not None
            before = seen.get(found.track_id)
            now = self._look(border, found, before)
            seen[found.track_id] = now
            inside += now.inside
            if before is None or before.inside == now.inside:
                continue
            if border.between(before.place, now.place):
                direction = "in" if now.inside else "out"
                yield Event(border.kind, border.name, direction, found.track_id, found.label)
        self._inside[border.name] = inside

    def _look(self, border: Boundary, found: Detection, before: _Sight | None) -> _Sight:
        x1, y1, x2, y2 = found.box
        place = ((x1 + x2) / 2, y2)
        depth = border.depth(place)
        if before is not None and abs(depth) < MARGIN * (y2 - y1):
            before.update = self._update
            return before
        return _Sight(depth > 0, place, self._update)

    def _forget(self) -> None:
        oldest = self._update - _FORGET
        for name, seen in self._seen.items():
            self._seen[name] = {i: sight for i, sight in seen.items() if sight.update > oldest}


def _parse(text: str, expected: str, fix: str, code: str) -> tuple[str, tuple[Point, ...]]:
    name, colon, numbers = text.rpartition(":")
    try:
        values = [float(word) for word in numbers.split(",")]
    except ValueError:
        values = []
    if not values or len(values) % 2 or not np.isfinite(values).all() or (colon and not name):
        raise UsageError(expected, f"'{text}'", fix, code=code)
    return name or text, tuple(zip(values[::2], values[1::2], strict=True))


def _turn(start: Point, end: Point, point: Point) -> float:
    """Cross product: above 0 where ``point`` is right of the way from ``start`` to ``end``."""
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])
