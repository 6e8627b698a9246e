"""Counting objects that cross a line or enter and leave a zone.

The position of an object is the middle of its box's bottom edge, or its point. Boxes jitter, so an
object changes sides only once its distance from the boundary exceeds a tenth of its height: an
object on a line is not counted repeatedly. An object that is first seen inside a zone has not come
in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edge.results import Detection, Event
from edge.tracking.boundaries import Boundary, Point, check_names

MARGIN = 0.1
"""Distance from a boundary, as a fraction of the box's height, within which the side is unsure."""

_MAX_AGE = 1000
"""Updates after which a track that is not seen any more is dropped."""


@dataclass(slots=True)
class _LastSide:
    """Side and position of a track when the side was last sure; update in which it was seen."""

    inside: bool
    position: Point
    update: int


@dataclass(slots=True)
class _Tally:
    """What was counted at a boundary: crossings, objects inside, and the last side by track."""

    crossings: dict[str, int] = field(default_factory=lambda: {"in": 0, "out": 0})
    inside: int = 0
    seen: dict[int, _LastSide] = field(default_factory=dict)


class CrossingCounter:
    """Counts tracked objects that cross boundaries; their ids come from one tracker."""

    def __init__(self, boundaries: Sequence[Boundary] = ()) -> None:
        self._boundaries: tuple[Boundary, ...] = ()
        self._tallies: dict[str, _Tally] = {}
        self._update = 0
        self.watch(boundaries)

    def watch(self, boundaries: Sequence[Boundary]) -> None:
        """Count at these boundaries from now on.

        One that stays where it is keeps its counts, also under another name; one that was moved
        starts again.

        Raises:
            UsageError: two have the same name.
        """
        check_names(boundaries)
        known = {_place(boundary): self._tallies[boundary.name] for boundary in self._boundaries}
        self._boundaries = tuple(boundaries)
        self._tallies = {
            boundary.name: known.get(_place(boundary)) or _Tally() for boundary in boundaries
        }

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Crossings so far by name: ``{"in": …, "out": …}``; of a zone ``"inside"``, too.

        "inside" are the objects that were inside in the last update.
        """
        return {boundary.name: self._count(boundary) for boundary in self._boundaries}

    def update(self, detections: Iterable[Detection]) -> tuple[Event, ...]:
        """Return the crossings since the last update, of detections that have a ``track_id``."""
        self._update += 1
        tracked = [detection for detection in detections if detection.track_id is not None]
        events = []
        for boundary in self._boundaries:
            tally = self._tallies[boundary.name]
            for event in self._crossings(boundary, tally, tracked):
                tally.crossings[event.direction] += 1
                events.append(event)
        if self._update % _MAX_AGE == 0:
            self._drop_old()
        return tuple(events)

    def _count(self, boundary: Boundary) -> dict[str, int]:
        tally = self._tallies[boundary.name]
        inside = {"inside": tally.inside} if boundary.kind == "zone" else {}
        return tally.crossings | inside

    def _crossings(
        self, boundary: Boundary, tally: _Tally, tracked: list[Detection]
    ) -> Iterable[Event]:
        inside = 0
        for detection in tracked:
            track_id = detection.track_id
            assert track_id is not None
            before = tally.seen.get(track_id)
            now = self._side(boundary, detection, before)
            tally.seen[track_id] = now
            inside += now.inside
            if before is None or before.inside == now.inside:
                continue
            if boundary.is_crossed(before.position, now.position):
                direction = "in" if now.inside else "out"
                yield Event(boundary.kind, boundary.name, direction, track_id, detection.label)
        tally.inside = inside

    def _side(
        self, boundary: Boundary, detection: Detection, before: _LastSide | None
    ) -> _LastSide:
        _, top, _, bottom = detection.box
        position = detection.position
        distance = boundary.signed_distance(position)
        if before is not None and abs(distance) < MARGIN * (bottom - top):
            before.update = self._update
            return before
        return _LastSide(distance > 0, position, self._update)

    def _drop_old(self) -> None:
        oldest = self._update - _MAX_AGE
        for tally in self._tallies.values():
            tally.seen = {key: side for key, side in tally.seen.items() if side.update > oldest}


def _place(boundary: Boundary) -> tuple[str, tuple[Point, ...]]:
    return boundary.kind, tuple((x, y) for x, y in boundary.points)
