"""Boundaries that objects cross: lines and zones, in pixels of the frame."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError

Point = tuple[float, float]

_LINE = "use a line such as door:100,200,540,200"
_ZONE = "use a zone such as shop:0,200,400,200,400,480,0,480"


class Boundary(Protocol):
    """A boundary that objects cross: a :class:`Line` or a :class:`Zone`."""

    @property
    def kind(self) -> str:
        """Kind of its events: "line" or "zone"."""

    @property
    def name(self) -> str:
        """Name of the boundary in events."""

    @property
    def points(self) -> tuple[Point, ...]:
        """The ends of a line or the corners of a zone, in pixels of the frame."""

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

    @property
    def points(self) -> tuple[Point, Point]:
        """Start and end, in pixels of the frame."""
        return self.start, self.end

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

    @property
    def points(self) -> tuple[Point, ...]:
        """The corners, in pixels of the frame."""
        return self.corners

    def signed_distance(self, point: Point) -> float:
        """Return the distance of a point from the outline in pixels, positive inside."""
        return cv2.pointPolygonTest(self._outline(), point, measureDist=True)

    def is_crossed(self, before: Point, after: Point) -> bool:
        """Return True: points inside and outside are always apart."""
        return True

    def _outline(self) -> NDArray[np.float32]:
        return np.array(self.corners, np.float32)


def check_names(boundaries: Sequence[Boundary]) -> None:
    """Check that each boundary has a name of its own, by which it is counted.

    Raises:
        UsageError: two have the same.
    """
    names = [boundary.name for boundary in boundaries]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise UsageError(
            "a unique name for each line and zone",
            f"'{repeated.pop()}' twice",
            "rename one of them",
            code="duplicate-name",
        )


def check_in_frame(boundary: Boundary, size: tuple[int, int]) -> None:
    """Check that objects in a frame of ``size``, width and height, can reach a boundary.

    Raises:
        UsageError: all of it is beyond one edge of the frame.
    """
    for side, values in zip(size, zip(*boundary.points, strict=True), strict=True):
        if max(values) < 0 or min(values) > side:
            width, height = size
            raise UsageError(
                f"a {boundary.kind} within the frame of {width} × {height} pixels",
                f"'{to_text(boundary)}'",
                f"use coordinates from 0,0 to {width},{height}, or draw it on the page of "
                "--sink web",
                code="boundary-outside-frame",
                summary=f"all of the {boundary.kind} '{boundary.name}' is outside the frame of "
                f"{width} × {height} pixels",
            )


def overhang(boundary: Boundary, size: tuple[int, int]) -> str:
    """Return a sentence about a boundary that is partly outside a frame of ``size``; else ""."""
    width, height = size
    if all(0 <= x <= width and 0 <= y <= height for x, y in boundary.points):
        return ""
    return (
        f"{boundary.kind} '{boundary.name}' reaches outside the frame, which is "
        f"{width} × {height} pixels: {to_text(boundary)}"
    )


def to_text(boundary: Boundary) -> str:
    """Return the text that :meth:`Line.parse` and :meth:`Zone.parse` read.

    >>> to_text(Line("door", (100, 200), (540.5, 200)))
    'door:100,200,540.5,200'
    """
    numbers = (f"{value:.10g}" for point in boundary.points for value in point)
    return f"{boundary.name}:{','.join(numbers)}"


def to_option(boundary: Boundary) -> str:
    """Return the option of ``edge demo track`` for a boundary, quoted for a shell.

    >>> to_option(Line("front door", (100, 200), (540, 200)))
    "--line 'front door:100,200,540,200'"
    """
    return f"--{boundary.kind} {shlex.quote(to_text(boundary))}"


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
