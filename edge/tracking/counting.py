"""Counting objects that cross a line or enter and leave a zone.

The position of an object is the middle of its box's bottom edge. Boxes jitter, so an object
changes sides only once its distance from the boundary exceeds a tenth of its height: an object on
a line is not counted repeatedly. An object that is first seen inside a zone has not come in.
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
"""Distance from a boundary, as a fraction of the box's height, within which the side is unsure."""

_LINE = "use a line such as door:100,200,540,200"
_ZONE = "use a zone such as shop:0,200,400,200,400,480,0,480"
_MAX_AGE = 1000
"""Updates after which a track that is not seen any more is dropped."""


class Boundary(Protocol):
    """A boundary that objects cross: a :class:`Line` or a :class:`Zone`."""

    @property
    def kind(self) -> str:
        """Kind of its events: "line" or "zone"."""

    @property
    def name(self) -> str:
        """Name of the boundary in events."""

    def signed_distance(self, point: Point) -> float:
        """Return the distance of a point in pixels, positive on the side that is "in"."""

    def is_crossed(self, before: Point, after: Point) -> bool:
        """Return True if the straight line between the points crosses the boundary."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line from ``start`` to ``end``, in pixels of the frame.

    "in" is from the left to the right, looking from ``start`` to ``end``: downwards in the image
    for a line drawn from left to right.
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

    def signed_distance(self, point: Point) -> float:
        """Return the distance of a point in pixels, positive on the right-hand side."""
        length = hypot(self.end[0] - self.start[0], self.end[1] - self.start[1])
        return _turn(self.start, self.end, point) / length

    def is_crossed(self, before: Point, after: Point) -> bool:
        """Return True if the straight line between the points meets this line."""
        return _turn(before, after, self.start) * _turn(before, after, self.end) <= 0


@dataclass(frozen=True, slots=True)
class Zone:
    """An area within ``corners``, in pixels of the frame; "in" is into it."""

    name: str
    corners: tuple[Point, ...]
    kind: str = "zone"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a zone, ``[NAME:]X1,Y1,X2,Y2,X3,Y3…``, in pixels; the default name is the text.

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

    def signed_distance(self, point: Point) -> float:
        """Return the distance of a point from the outline in pixels, positive inside."""
        return cv2.pointPolygonTest(self._outline(), point, measureDist=True)

    def is_crossed(self, before: Point, after: Point) -> bool:
        """Return True: points inside and outside are always apart."""
        return True

    def _outline(self) -> NDArray[np.float32]:
        return np.array(self.corners, np.float32)


@dataclass(slots=True)
class _LastSide:
    """Side and position of a track when the side was last sure; update in which it was seen."""

    inside: bool
    position: Point
    update: int


class CrossingCounter:
    """Counts tracked objects that cross boundaries; their ids come from one tracker."""

    def __init__(self, boundaries: Sequence[Boundary]) -> None:
        names = [boundary.name for boundary in boundaries]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise UsageError(
                "a unique name for each line and zone",
                f"'{repeated.pop()}' twice",
                "rename one of them",
                code="duplicate-name",
            )
        self.boundaries = tuple(boundaries)
        self._totals = {boundary.name: {"in": 0, "out": 0} for boundary in boundaries}
        self._inside = {boundary.name: 0 for boundary in boundaries}
        self._seen: dict[str, dict[int, _LastSide]] = {boundary.name: {} for boundary in boundaries}
        self._update = 0

    @property
    def totals(self) -> dict[str, dict[str, int]]:
        """Counts of crossings so far, by name of line or zone: ``{"in": …, "out": …}``."""
        return {name: dict(counts) for name, counts in self._totals.items()}

    @property
    def inside(self) -> dict[str, int]:
        """Counts of the objects that were inside in the last update, by name of zone."""
        return {
            zone.name: self._inside[zone.name] for zone in self.boundaries if zone.kind == "zone"
        }

    def update(self, detections: Iterable[Detection]) -> tuple[Event, ...]:
        """Return the crossings since the last update, of detections that have a ``track_id``."""
        self._update += 1
        tracked = [detection for detection in detections if detection.track_id is not None]
        events = tuple(
            event for boundary in self.boundaries for event in self._crossings(boundary, tracked)
        )
        for event in events:
            self._totals[event.name][event.direction] += 1
        if self._update % _MAX_AGE == 0:
            self._drop_old()
        return events

    def _crossings(self, boundary: Boundary, tracked: list[Detection]) -> Iterable[Event]:
        seen = self._seen[boundary.name]
        inside = 0
        for detection in tracked:
            track_id = detection.track_id
            assert track_id is not None
            before = seen.get(track_id)
            now = self._side(boundary, detection, before)
            seen[track_id] = now
            inside += now.inside
            if before is None or before.inside == now.inside:
                continue
            if boundary.is_crossed(before.position, now.position):
                direction = "in" if now.inside else "out"
                yield Event(boundary.kind, boundary.name, direction, track_id, detection.label)
        self._inside[boundary.name] = inside

    def _side(
        self, boundary: Boundary, detection: Detection, before: _LastSide | None
    ) -> _LastSide:
        x1, y1, x2, y2 = detection.box
        position = ((x1 + x2) / 2, y2)
        distance = boundary.signed_distance(position)
        if before is not None and abs(distance) < MARGIN * (y2 - y1):
            before.update = self._update
            return before
        return _LastSide(distance > 0, position, self._update)

    def _drop_old(self) -> None:
        oldest = self._update - _MAX_AGE
        for name, seen in self._seen.items():
            self._seen[name] = {key: side for key, side in seen.items() if side.update > oldest}


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
    """Return the cross product: positive where ``point`` is to the right of ``start`` → ``end``."""
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])
