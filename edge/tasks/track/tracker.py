"""The task "track": objects that keep their id from frame to frame, and line crossings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np

from edge import draw
from edge.frame import BgrImage, Frame
from edge.interpreter import Array, Runtime
from edge.modelfile.normalization import Levels
from edge.results import Detection, TrackedDetections, describe_count
from edge.tasks.detect.detector import IOU, Detector, middle
from edge.tasks.task import SingleImage, TaskSettings, check_score
from edge.tracking.boundaries import (
    Boundary,
    Line,
    Zone,
    check_in_frame,
    check_names,
    overhang,
)
from edge.tracking.camera import CameraMode, FrameMotion
from edge.tracking.counting import CrossingCounter
from edge.tracking.parameters import TrackerParameters
from edge.tracking.tracker import DEFAULT_FPS, MultiObjectTracker

MIN_SCORE = 0.1
"""Minimum score of a detection that the tracker gets: uncertain ones help to keep a track."""

_PARAMETERS = TrackerParameters()

_TRAIL_LENGTH = 40
"""Points in a trail."""

_MAX_OBJECTS = 1000
"""Objects whose best score is remembered."""

_Trails = dict[int, tuple[tuple[float, float], ...]]


@dataclass
class _TrackState:
    """The state that is kept from frame to frame.

    ``size``: of the last frame; ``noted``: sentences that were said.
    """

    tracker: MultiObjectTracker
    motion: FrameMotion
    say: Callable[[str], None]
    counter: CrossingCounter = field(default_factory=CrossingCounter)
    size: tuple[int, int] | None = None
    noted: set[str] = field(default_factory=set)
    trails: _Trails = field(default_factory=dict)
    best: dict[int, float] = field(default_factory=dict)
    time_s: float | None = None

    def elapsed_s(self, time_s: float) -> float:
        """Return the seconds since the last frame, a usual number where its time does not tell."""
        before, self.time_s = self.time_s, time_s
        return 1 / DEFAULT_FPS if before is None or time_s <= before else time_s - before

    def watch(self, boundaries: tuple[Boundary, ...], size: tuple[int, int]) -> None:
        """Count at these boundaries, in a frame of this size.

        Raises:
            UsageError: one is outside the first frame.
        """
        first = self.size is None
        self.size = size
        for boundary in boundaries:
            if first:
                check_in_frame(boundary, size)
            sentence = overhang(boundary, size)
            if sentence and sentence not in self.noted:
                self.noted.add(sentence)
                self.say(sentence)
        self.counter.watch(boundaries)


@dataclass(frozen=True, slots=True)
class Tracker(SingleImage):
    """The task "track": follows objects through a sequence of images; see :meth:`open`.

    Each call of :meth:`predict` is the next image of the sequence: objects keep their
    ``track_id``.

    >>> tracker = Tracker.open("ssd.tflite", boundaries=[Line.parse("door:0,20,64,20")])
    >>> [tracker.predict(path).events for path in ("red.png", "red.png")]
    [(), ()]

    Attributes:
        detector: finds the objects, with a lower threshold than this task's.
        threshold: an object is reported once its best score reaches this.
        boundaries: lines and zones whose crossings are counted.
    """

    detector: Detector
    threshold: float
    _state: _TrackState = field(repr=False)
    boundaries: tuple[Boundary, ...] = ()
    name: str = "track"
    prefetchable: bool = True

    @classmethod
    def open(
        cls,
        model: str | Path,
        *,
        labels: str | Path | None = None,
        threshold: float | None = None,
        delegate: str = "auto",
        threads: int | None = None,
        boundaries: Sequence[Boundary] = (),
        classes: Sequence[str] = (),
        iou: float = IOU,
        head: str | Path | None = None,
        mean: Levels | None = None,
        std: Levels | None = None,
        camera: CameraMode = "auto",
        say: Callable[[str], None] = print,
    ) -> Self:
        """Open a detector and track the objects that it finds.

        Args:
            model: path or name of a detector, see :meth:`edge.Detector.open`.
            labels: file with one label per line.
            threshold: an object is reported once it was detected with this score, above 0, at
                most 1; by default that in the model, else 0.4. Uncertain detections, from 0.1 on,
                help to keep its track.
            delegate: where the model runs.
            threads: number of CPU threads.
            boundaries: lines and zones whose crossings are counted. One that is outside the first
                frame is an error then; ``say`` tells of one that is so in part.
            classes: labels of the classes to track.
            iou: IoU above which the lower-scoring of two boxes is dropped.
            head: TOML file that describes the outputs.
            mean: mean of the pixels, see :meth:`edge.Detector.open`.
            std: standard deviation of the pixels.
            camera: "moving" if it moves: its motion is computed from each frame and taken out;
                "static" if it never does; "auto" looks for motion now and then.
            say: called with sentences for the user.

        Raises:
            UsageError: two boundaries with one name, a value that is not allowed, or no package
                for the assignment (the extra ``track``).
            ModelError, LabelsError, DelegateError, DownloadError, OutputError: see
                :meth:`edge.Detector.open`.
        """
        detector = Detector.open(
            model, labels=labels, threshold=threshold, delegate=delegate, threads=threads,
            classes=classes, iou=iou, head=head, mean=mean, std=std, say=say,
        )  # fmt: skip
        return cls.from_detector(detector, boundaries, camera, say)

    @classmethod
    def from_detector(
        cls,
        detector: Detector,
        boundaries: Sequence[Boundary] = (),
        camera: CameraMode = "auto",
        say: Callable[[str], None] = print,
    ) -> Self:
        """Track the objects that ``detector`` finds, from its threshold on; see :meth:`open`."""
        from edge.tracking import matching

        check_names(boundaries)
        matching.assign(np.zeros((1, 1)), 1.0)  # a missing package shows before a camera opens
        sensitive = replace(detector, threshold=min(detector.threshold, MIN_SCORE))
        state = _TrackState(MultiObjectTracker(_PARAMETERS), FrameMotion(camera), say)
        return cls(sensitive, detector.threshold, state, tuple(boundaries))

    @property
    def runtime(self) -> Runtime:
        """Runtime of the detector."""
        return self.detector.runtime

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes of the detector."""
        return self.detector.notes

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """Return the detector's input for a frame."""
        return self.detector.preprocess(frame)

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> TrackedDetections:
        """Return the tracked objects in pixels of the frame, and the crossings in it.

        Raises:
            UsageError: a line or zone is outside the first frame.
        """
        state = self._state
        height, width = frame.image.shape[:2]
        state.watch(self.boundaries, (width, height))
        state.tracker.parameters = _parameters(self.threshold)
        state.tracker.size = (width, height)
        detections = self.detector.postprocess(outputs, frame).detections
        seen = np.array([_whole_box(each) for each in detections], np.float64).reshape(-1, 4)
        seconds = state.elapsed_s(frame.time_s)
        tracks = state.tracker.update(
            seen,
            np.array([detection.score for detection in detections]),
            np.array([detection.index for detection in detections], np.int64),
            seconds,
            state.motion.update(frame.image, seen, seconds),
        )
        boxes = np.clip(tracks.boxes, 0, [width, height, width, height])
        rows = zip(
            tracks.ids.tolist(), tracks.classes.tolist(), tracks.scores.tolist(), boxes.tolist(),
            tracks.boxes.tolist(), strict=True,
        )  # fmt: skip
        points = self.detector.finds_points
        tracked = [
            Detection(
                self.detector.label(index), index, score, tuple(box), track_id,
                middle(around, (width, height)) if points else None,
            )
            for track_id, index, score, box, around in rows
            if box[2] - box[0] >= 1 and box[3] - box[1] >= 1
        ]  # fmt: skip
        _update_best(state.best, tracked)
        # Up to this threshold the tracker itself starts no track with a lower score.
        sure = self.threshold <= _PARAMETERS.new_track_score
        reported = tuple(
            detection for detection in tracked
            if sure or state.best[_id(detection)] >= self.threshold
        )  # fmt: skip
        state.trails = _extend(state.trails, reported)
        events = state.counter.update(reported)
        return TrackedDetections(reported, events, state.trails, state.counter.counts)

    def draw(self, image: BgrImage, result: TrackedDetections) -> BgrImage:
        """Draw boxes, ids, trails, lines and zones with their counts, in place."""
        draw.trails(image, result.trails)
        draw.detections(image, result.detections)
        for boundary in self.boundaries:
            text = describe_count(boundary.name, result.counts[boundary.name])
            if isinstance(boundary, Line):
                draw.line(image, boundary.start, boundary.end, text)
            elif isinstance(boundary, Zone):
                draw.zone(image, boundary.corners, text)
        return image

    def settings(self) -> TaskSettings:
        """Return the score that an object must have reached, the classes, lines and zones."""
        settings = self.detector.settings()
        return replace(settings, score=self.threshold, boundaries=self.boundaries)

    def with_settings(self, settings: TaskSettings) -> Self:
        """Return this task with other settings; objects keep their ids.

        Lines and zones that stay where they are keep their counts.

        Raises:
            UsageError: no such class, a score out of range, two boundaries of one name, or a new
                one outside the frame.
        """
        threshold = check_score(settings.score)
        boundaries = settings.boundaries or ()
        check_names(boundaries)
        for boundary in boundaries:
            if self._state.size is not None and boundary not in self.boundaries:
                check_in_frame(boundary, self._state.size)
        detector = self.detector.with_settings(replace(settings, score=self.detector.threshold))
        return replace(self, detector=detector, threshold=threshold, boundaries=boundaries)

    def fallback_to_cpu(self) -> Self:
        """Return this task on the CPU; objects keep their ids.

        Raises:
            DelegateError: there is no model for the CPU next to this one.
        """
        return replace(self, detector=self.detector.fallback_to_cpu())


@lru_cache(maxsize=1)
def _parameters(threshold: float) -> TrackerParameters:
    """Return the parameters of the tracker for objects that are reported from ``threshold`` on."""
    return replace(_PARAMETERS, new_track_score=min(_PARAMETERS.new_track_score, threshold))


def _update_best(best: dict[int, float], detections: Sequence[Detection]) -> None:
    """Update the best score so far by track id; the objects seen last are kept."""
    for detection in detections:
        track_id = _id(detection)
        best[track_id] = max(detection.score, best.pop(track_id, 0.0))
    while len(best) > _MAX_OBJECTS:
        del best[next(iter(best))]  # the object that was not seen for longest


def _extend(trails: _Trails, detections: Sequence[Detection]) -> _Trails:
    """Return trails that are longer by this frame, without those of objects that are gone."""
    extended: _Trails = {}
    for detection in detections:
        trail = (*trails.get(_id(detection), ()), detection.position)
        extended[_id(detection)] = trail[-_TRAIL_LENGTH:]
    return extended


def _whole_box(detection: Detection) -> tuple[float, float, float, float]:
    """Return a box to track: one around a point is as large at the edges of the frame."""
    if detection.point is None:
        return detection.box
    (x, y), (left, top, right, bottom) = detection.point, detection.box
    half_width, half_height = max(x - left, right - x), max(y - top, bottom - y)
    return x - half_width, y - half_height, x + half_width, y + half_height


def _id(detection: Detection) -> int:
    assert detection.track_id is not None
    return detection.track_id
