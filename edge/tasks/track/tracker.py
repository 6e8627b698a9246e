"""Tracking: which object is which from frame to frame, and who crosses a line."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Self

import numpy as np

from edge import draw
from edge.frame import BgrImage, Frame
from edge.interpreter import Array, Runtime
from edge.results import Detection, TrackedDetections
from edge.tasks.detect.detector import Detector
from edge.tasks.settings import TaskSettings, check_score
from edge.tracking.counting import Boundary, CrossingCounter, Line, Zone
from edge.tracking.parameters import TrackerParameters
from edge.tracking.tracker import MultiObjectTracker

LEAST = 0.1
"""Least score of a detection that the tracker gets: doubtful ones help it to follow."""

_PARAMETERS = TrackerParameters()

_TRAIL = 40
"""Places in a trail."""

_OBJECTS = 1000
"""Objects whose best score is remembered."""

_SLOWEST = 10.0
"""Steps that a gap between frames may count for at most."""


@dataclass
class _Memory:
    """What is remembered from frame to frame."""

    tracker: MultiObjectTracker
    counter: CrossingCounter
    trails: dict[int, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    best: dict[int, float] = field(default_factory=dict)
    time_s: float | None = None
    usual_s: float | None = None

    def steps(self, time_s: float) -> float:
        """Time since the last frame, as a multiple of what is usual."""
        before, self.time_s = self.time_s, time_s
        if before is None or time_s <= before:
            return 1.0
        passed = time_s - before
        usual = passed if self.usual_s is None else self.usual_s
        steps = min(passed / usual, _SLOWEST)
        self.usual_s = 0.9 * usual + 0.1 * usual * steps
        return steps


@dataclass(frozen=True, slots=True)
class Tracker:
    """The task "track"; see :func:`following`.

    ``score``: an object is reported once it was found with that much.
    """

    detector: Detector
    score: float
    _memory: _Memory = field(repr=False)
    name: str = "track"
    prefetchable: bool = True

    @property
    def runtime(self) -> Runtime:
        return self.detector.runtime

    @property
    def notes(self) -> tuple[str, ...]:
        return self.detector.notes

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """The model's input of a frame."""
        return self.detector.preprocess(frame)

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> TrackedDetections:
        """The tracked objects in pixels of the frame, and who crossed a line in it."""
        memory = self._memory
        memory.tracker.parameters = _parameters(self.score)
        seen = self.detector.postprocess(outputs, frame).detections
        tracks = memory.tracker.update(
            np.array([one.box for one in seen], np.float64).reshape(-1, 4),
            np.array([one.score for one in seen]),
            np.array([one.index for one in seen], np.int64),
            memory.steps(frame.time_s),
        )
        height, width = frame.image.shape[:2]
        boxes = np.clip(tracks.boxes, 0, [width, height, width, height])
        rows = zip(
            tracks.ids.tolist(), tracks.classes.tolist(), tracks.scores.tolist(), boxes.tolist(),
            strict=True,
        )  # fmt: skip
        followed = [
            Detection(self.detector.label(index), index, score, tuple(box), number)
            for number, index, score, box in rows
            if box[2] - box[0] >= 1 and box[3] - box[1] >= 1
        ]
        _remember(memory.best, followed)
        sure = self.score <= _PARAMETERS.new  # then the tracker itself has seen to it
        found = tuple(one for one in followed if sure or memory.best[_id(one)] >= self.score)
        memory.trails = _longer(memory.trails, found)
        events = memory.counter.update(found)
        return TrackedDetections(found, events, memory.trails, memory.counter.totals)

    def draw(self, image: BgrImage, result: TrackedDetections) -> BgrImage:
        """Draw boxes, ids, trails, lines and zones with their counts."""
        draw.trails(image, result.trails)
        draw.detections(image, result.detections)
        for border in self._memory.counter.borders:
            counts = result.totals[border.name]
            text = f"{border.name}: {counts['in']} in, {counts['out']} out"
            if isinstance(border, Line):
                draw.line(image, border.start, border.end, text)
            elif isinstance(border, Zone):
                draw.zone(image, border.corners, text)
        return image

    def settings(self) -> TaskSettings:
        """The score that an object must have reached, and the classes that are followed."""
        return replace(self.detector.settings(), score=self.score)

    def with_settings(self, settings: TaskSettings) -> Self:
        """The same with another score, and other classes; the objects keep their ids.

        Raises:
            UsageError: no such class, or a score out of range.
        """
        score = check_score(settings.score)
        detector = self.detector.with_settings(replace(settings, score=self.detector.score))
        return replace(self, detector=detector, score=score)

    def fallback_to_cpu(self) -> Self:
        """The same on the CPU; the objects keep their ids.

        Raises:
            DelegateError: there is no model for the CPU beside this one.
        """
        return replace(self, detector=self.detector.fallback_to_cpu())


def following(detector: Detector, borders: Sequence[Boundary] = ()) -> Tracker:
    """Follow what ``detector`` finds, and count who crosses ``borders``.

    An object is reported once it was found with the detector's score; doubtful detections, from
    :data:`LEAST` on, help to follow it.

    Raises:
        UsageError: two borders of one name, or no package that assigns (the extra ``track``).
    """
    from edge.tracking import assignment

    assignment.assign(np.zeros((1, 1)), 1.0)  # tells what is missing before a camera is opened
    lowered = replace(detector, score=min(detector.score, LEAST))
    return Tracker(
        lowered, detector.score, _Memory(MultiObjectTracker(_PARAMETERS), CrossingCounter(borders))
    )


@lru_cache(maxsize=1)
def _parameters(score: float) -> TrackerParameters:
    """Those of the tracker, where objects are reported from ``score`` on."""
    return replace(_PARAMETERS, new=min(_PARAMETERS.new, score))


def _remember(best: dict[int, float], found: Sequence[Detection]) -> None:
    """Keep the best score so far of each object, of those seen last."""
    for one in found:
        best[_id(one)] = max(one.score, best.pop(_id(one), 0.0))
    while len(best) > _OBJECTS:
        del best[next(iter(best))]  # that was not seen for longest


def _longer(
    trails: dict[int, tuple[tuple[float, float], ...]], found: Sequence[Detection]
) -> dict[int, tuple[tuple[float, float], ...]]:
    """New trails, longer by the places of this frame, without those of objects that are gone."""
    now: dict[int, tuple[tuple[float, float], ...]] = {}
    for one in found:
        left, _, right, bottom = one.box
        way = (*trails.get(_id(one), ()), ((left + right) / 2, bottom))
        now[_id(one)] = way[-_TRAIL:]
    return now


def _id(found: Detection) -> int:
    assert found.track_id is not None
    return found.track_id
