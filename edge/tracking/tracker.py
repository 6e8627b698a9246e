"""Multi-object tracker: from the detections of each frame to objects with persistent ids.

Tracking by detection in the way of SORT (Bewley et al. 2016): a Kalman filter predicts the
box of each track, and an optimal assignment matches it with a detection, in two score stages as in
ByteTrack (Zhang et al. 2022). Differences:

- The cost of a pair is the negative log-likelihood of the detection under the filter (Blackman
  and Popoli 1999), not an overlap of boxes. So size distinguishes people as well as position,
  and a track that was occluded for long is matched over a larger distance, at a higher cost. The
  likelihood is Student's, since detections are sometimes far off; such a one moves its track less.
- A track is expected to continue in its direction, as in OC-SORT (Cao et al. 2023).
- What is left is matched by the overlap of enlarged boxes, as in C-BIoU (Yang et al. 2023): an
  object that turned, or that the filter does not know yet.
- A track is confirmed once the sum of its squared scores is high enough: soon for high scores,
  later for low ones.
- A detection within a track that has no other is its visible part: it keeps the track alive, and
  hardly moves it.
- A missed track is reported at its predicted box for as long as the filter is sure enough of its
  position, unless it leaves the image.
- The motion of the camera is taken out first; see :mod:`edge.tracking.camera`. What remains of it,
  and fast objects, make the filter expect more motion; see :mod:`edge.tracking.motion_scale`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tracking.camera import TrackShift, moved
from edge.tracking.matching import Matches, associate
from edge.tracking.motion_scale import MotionScale
from edge.tracking.parameters import TrackerParameters
from edge.tracking.state import (
    Array,
    DetectionArrays,
    Ints,
    KalmanFilter,
    Mask,
    Tracks,
    TrackState,
    concat,
    corners,
    coverage,
    filter_detections,
    select,
)

DEFAULT_FPS = 15.0
"""Frames per second where nothing tells."""

_EDGE = 1.0
"""Distance from the edge of the image in pixels within which an object is leaving it."""


class MultiObjectTracker:
    """Tracks objects from frame to frame; call :meth:`update` for each frame, in order.

    Args:
        parameters: Constants; the default ones are for all cameras.
        size: Width and height of the images in pixels, which missed objects leave; None if unknown.

    Example:
        >>> tracker = MultiObjectTracker()
        >>> for _ in range(3):
        ...     tracks = tracker.update(np.array([[10, 10, 50, 90]]), np.array([0.9]))
        >>> tracks.ids.tolist()
        [1]
    """

    def __init__(
        self, parameters: TrackerParameters | None = None, size: tuple[float, float] | None = None
    ) -> None:
        self.parameters = parameters or TrackerParameters()
        self.size = size
        self._shift = TrackShift()
        self._scale = MotionScale()
        self._filter = KalmanFilter(self.parameters.noise, self.parameters.degrees_of_freedom)
        self._state = self._start(self._filtered(np.empty((0, 4)), np.empty(0), None))
        self._next = 1

    @property
    def idle(self) -> bool:
        """True where no track is left, so that the next frame is like a first one."""
        return len(self._state.ids) == 0

    def update(
        self,
        boxes: NDArray[Any],
        scores: NDArray[Any],
        classes: NDArray[Any] | None = None,
        seconds: float = 1 / DEFAULT_FPS,
        camera: Array | None = None,
    ) -> Tracks:
        """Return the tracks of the next frame.

        Args:
            boxes: Float [n, 4], x1, y1, x2, y2 in pixels. Boxes that are not finite, or without
                an area, are dropped.
            scores: Float [n], 0 to 1. Low ones help to keep a track: give all from about 0.1 on.
            classes: Integers [n], where there are several: a track keeps its class.
            seconds: Time since the last frame.
            camera: Motion of the camera since the last frame, float [2, 3]: the transformation of
                points of the last frame to those of this one. None if unknown: then the shift
                that all tracks share is taken for it if it is large.

        Raises:
            UsageError: The extra ``track`` is not installed.
            ValueError: The shapes of the arrays do not match, or ``seconds`` is not positive.
        """
        if not seconds > 0:
            raise ValueError(f"expected seconds above 0, found {seconds}")
        detections = self._filtered(boxes, scores, classes)
        state = self._predicted(detections, seconds, camera)
        matches = associate(state, detections, self._filter, self.parameters, seconds)
        self._scale.update(state, detections, matches, self._filter, self.parameters, seconds)
        matched = matches.detections
        state = self._confirmed(self._corrected(state, detections, matches, seconds))
        self._state = select(state, self._alive(state, seconds).nonzero()[0])
        new = self._unmatched(state, detections, matched)
        if len(new):
            self._state = concat(self._state, self._start(select(detections, new)))
        return self._report(state, detections, matched)

    def _filtered(
        self, boxes: NDArray[Any], scores: NDArray[Any], classes: NDArray[Any] | None
    ) -> DetectionArrays:
        return filter_detections(
            boxes, scores, classes, self.parameters.min_score, self.parameters.duplicate_iou
        )

    def _predicted(
        self, detections: DetectionArrays, seconds: float, camera: Array | None
    ) -> TrackState:
        state = self._state
        motion = self._filter.predict(state.motion, seconds, self._scale.factor)
        state = state._replace(motion=motion, missed=state.missed + seconds)
        if camera is None:
            camera = self._shift.estimate(
                state, detections, self._filter, self.parameters, seconds, self._scale.calm
            )
        return moved(state, camera)

    def _corrected(
        self, state: TrackState, detections: DetectionArrays, matches: Matches, seconds: float
    ) -> TrackState:
        """Return the tracks after their detections."""
        hit = matches.detections >= 0
        hits = np.count_nonzero(hit)
        if not hits:
            return state
        # tracks without a detection get any one, as a measurement that tells nothing
        measured = detections.boxes.take(matches.detections, 1)
        seen = detections.scores.take(matches.detections)
        motion, far = state.motion, matches.surprising.nonzero()[0]
        if len(far):
            motion = motion.copy()
            tracks, boxes = motion.take(far, -1), measured.take(far, 1)
            motion[..., far] = self._filter.surprise(tracks, boxes, seconds)
        trail = np.concatenate([state.trail[1:], measured[None, :2]])
        variance_scale, evidence = matches.variance_scale, state.evidence + np.square(seen)
        scores, missed = seen, np.zeros(len(hit))
        if hits < len(hit):
            trail = np.where(hit, trail, state.trail)
            variance_scale = np.where(hit, variance_scale, np.inf)
            scores, missed = np.where(hit, seen, state.scores), np.where(hit, 0.0, state.missed)
            evidence = np.where(hit, evidence, state.evidence)
        motion = self._filter.correct(motion, measured, variance_scale)
        return TrackState(motion, trail, state.ids, scores, state.classes, evidence, missed)

    def _alive(self, state: TrackState, seconds: float) -> Mask:
        """Return which tracks go on."""
        tentative = max(self.parameters.max_age_tentative, 2 * seconds)
        max_age = np.where(state.ids > 0, self.parameters.max_age_confirmed, tentative)
        return np.less_equal(state.missed, 1.01 * max_age)

    def _confirmed(self, state: TrackState) -> TrackState:
        """Return the tracks, with ids for those that have enough evidence now."""
        tentative = state.ids == 0
        ready = (tentative & (state.evidence >= self.parameters.confirm_evidence)).nonzero()[0]
        if not len(ready):
            return state
        ids = state.ids.copy()
        ids[ready] = np.arange(self._next, self._next + len(ready))
        self._next += len(ready)
        return state._replace(ids=ids)

    def _unmatched(self, state: TrackState, detections: DetectionArrays, matched: Ints) -> Ints:
        """Return the detections that start tracks: free, and not inside a detected track."""
        free = detections.scores >= self.parameters.new_track_score
        free[matched[matched >= 0]] = False
        rows = free.nonzero()[0]
        if not len(rows):
            return rows
        present = state.boxes[:, (state.ids > 0) & (state.missed == 0)]
        inside = coverage(detections.boxes[:, rows], present).max(axis=1, initial=0)
        return np.asarray(rows[inside <= self.parameters.inside_fraction], np.int64)

    def _start(self, detections: DetectionArrays) -> TrackState:
        count = len(detections.rows)
        return TrackState(
            motion=self._filter.start(detections.boxes),
            trail=np.repeat(
                detections.boxes[None, :2], self.parameters.direction_detections + 1, axis=0
            ),
            ids=np.zeros(count, np.int64),
            scores=detections.scores,
            classes=detections.classes,
            evidence=np.square(detections.scores),
            missed=np.zeros(count),
        )

    def _report(self, state: TrackState, detections: DetectionArrays, matched: Ints) -> Tracks:
        """Return the confirmed tracks that are detected or coasting, by id."""
        rows = self._reported(state)
        rows = rows.take(state.ids.take(rows).argsort())
        partners = matched.take(rows)
        hit = (partners >= 0).nonzero()[0]
        boxes, input_rows = state.boxes.take(rows, 1), np.full(len(rows), -1)
        weight, partners = self.parameters.filter_weight, partners.take(hit)
        detected = weight * boxes.take(hit, 1) + (1 - weight) * detections.boxes.take(partners, 1)
        boxes[:, hit] = detected
        input_rows[hit] = detections.rows.take(partners)
        return Tracks(
            state.ids.take(rows),
            np.ascontiguousarray(corners(boxes).T),
            state.scores.take(rows),
            state.classes.take(rows),
            input_rows,
        )

    def _reported(self, state: TrackState) -> Ints:
        """Return the confirmed tracks that are detected, or at a place that is sure enough."""
        shown = state.missed == 0
        missed = (~shown).nonzero()[0]
        if len(missed):
            tracks = select(state, missed)
            deviation = np.sqrt(tracks.motion[2, :2]) / tracks.boxes[2:]
            sure = deviation.sum(axis=0) <= self.parameters.max_coast_spread
            shown[missed] = sure & ~self._leaving(tracks)
        return np.asarray((shown & (state.ids > 0)).nonzero()[0], np.int64)

    def _leaving(self, state: TrackState) -> Mask:
        """Return which tracks touch the edge of the image."""
        if self.size is None:
            return np.zeros(len(state.ids), np.bool_)
        edges = corners(state.boxes)
        outside = (edges[:2] < _EDGE) | (edges[2:] > np.subtract(self.size, _EDGE)[:, None])
        return np.asarray(outside.any(axis=0), np.bool_)
