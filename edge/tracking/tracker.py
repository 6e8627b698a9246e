"""Multi-object tracker: from the detections of each frame to objects with persistent ids.

Tracking by detection in the way of SORT (Bewley et al. 2016): a Kalman filter predicts the
box of each track, and an optimal assignment matches it with a detection, in two score stages as in
ByteTrack (Zhang et al. 2022). Differences:

- The cost of a pair is the negative log-likelihood of the detection under the filter (Blackman
  and Popoli 1999), not an overlap of boxes. So size distinguishes people as well as position,
  and a track that was occluded for long is matched over a larger distance, at a higher cost.
- A track is expected to continue in its direction, as in OC-SORT (Cao et al. 2023).
- A track is confirmed once the sum of its squared scores is high enough: soon for high scores,
  later for low ones.
- A detection within a track that has no other is its visible part: it keeps the track alive, and
  hardly moves it.
- A track that is missed for a moment is reported at its predicted box, and for longer while a
  nearer object occludes it.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tracking.matching import Matches, TrackerParameters, associate
from edge.tracking.state import (
    Array,
    DetectionArrays,
    Ints,
    KalmanFilter,
    Tracks,
    TrackState,
    concat,
    corners,
    coverage,
    filter_detections,
    select,
)


class MultiObjectTracker:
    """Tracks objects from frame to frame; call :meth:`update` for each frame, in order.

    Example:
        >>> tracker = MultiObjectTracker()
        >>> for _ in range(3):
        ...     tracks = tracker.update(np.array([[10, 10, 50, 90]]), np.array([0.9]))
        >>> tracks.ids.tolist()
        [1]
    """

    def __init__(self, parameters: TrackerParameters | None = None) -> None:
        self.parameters = parameters or TrackerParameters()
        self._filter = KalmanFilter(self.parameters.noise)
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
        steps: float = 1.0,
    ) -> Tracks:
        """Return the tracks of the next frame.

        Args:
            boxes: Float [n, 4], x1, y1, x2, y2 in pixels. Boxes that are not finite, or without
                an area, are dropped.
            scores: Float [n], 0 to 1. Low ones help to keep a track: give all from about 0.1 on.
            classes: Integers [n], where there are several: a track keeps its class.
            steps: Time since the last frame, where 1 is the usual time between frames.

        Raises:
            UsageError: The extra ``track`` is not installed.
            ValueError: The shapes of the arrays do not match, or ``steps`` is not positive.
        """
        if not steps > 0:
            raise ValueError(f"expected steps above 0, found {steps}")
        parameters = self.parameters
        detections = self._filtered(boxes, scores, classes)
        state = self._predicted(steps)
        matches = associate(state, detections, self._filter, parameters)
        matched = matches.detections
        state = self._confirmed(self._corrected(state, detections, matches))
        max_age = np.where(
            state.ids > 0, parameters.max_age_confirmed, parameters.max_age_tentative
        )
        started = self._start(select(detections, self._unmatched(state, detections, matched)))
        self._state = concat(select(state, state.missed <= max_age), started)
        return self._report(state, detections, matched)

    def _filtered(
        self, boxes: NDArray[Any], scores: NDArray[Any], classes: NDArray[Any] | None
    ) -> DetectionArrays:
        return filter_detections(
            boxes, scores, classes, self.parameters.min_score, self.parameters.duplicate_iou
        )

    def _predicted(self, steps: float) -> TrackState:
        state = self._state
        motion = self._filter.predict(state.motion, steps)
        return replace(state, motion=motion, missed=state.missed + steps)

    def _corrected(
        self, state: TrackState, detections: DetectionArrays, matches: Matches
    ) -> TrackState:
        """Return the tracks after their detections."""
        hit = matches.detections >= 0
        measured = select(detections, matches.detections[hit])
        motion, trail = state.motion.copy(), state.trail.copy()
        scores, evidence = state.scores.copy(), state.evidence.copy()
        motion[hit] = self._filter.correct(motion[hit], measured.boxes, matches.variance_scale[hit])
        trail[hit] = np.concatenate([trail[hit, 1:], measured.boxes[:, None, :2]], axis=1)
        scores[hit] = measured.scores
        evidence[hit] += np.square(measured.scores)
        missed = np.where(hit, 0, state.missed)
        return TrackState(motion, trail, state.ids, scores, state.classes, evidence, missed)

    def _confirmed(self, state: TrackState) -> TrackState:
        """Return the tracks, with ids for those that have enough evidence now."""
        ready = np.flatnonzero(
            (state.ids == 0) & (state.evidence >= self.parameters.confirm_evidence)
        )
        if not len(ready):
            return state
        ids = state.ids.copy()
        ids[ready] = np.arange(self._next, self._next + len(ready))
        self._next += len(ready)
        return replace(state, ids=ids)

    def _unmatched(self, state: TrackState, detections: DetectionArrays, matched: Ints) -> Ints:
        """Return the detections that start tracks: free, and not inside a detected track."""
        free = detections.scores >= self.parameters.new_track_score
        free[matched[matched >= 0]] = False
        rows = np.flatnonzero(free)
        if not len(rows):
            return rows
        present = state.boxes[(state.ids > 0) & (state.missed == 0)]
        inside = coverage(detections.boxes[rows], present).max(axis=1, initial=0)
        return np.asarray(rows[inside <= self.parameters.inside_fraction], np.int64)

    def _start(self, detections: DetectionArrays) -> TrackState:
        count = len(detections.rows)
        return TrackState(
            motion=self._filter.start(detections.boxes),
            trail=np.repeat(
                detections.boxes[:, None, :2], self.parameters.direction_detections + 1, axis=1
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
        rows = rows[np.argsort(state.ids[rows])]
        partners = matched[rows]
        hit = partners >= 0
        boxes, input_rows = state.boxes[rows], np.full(len(rows), -1)
        weight = self.parameters.filter_weight
        boxes[hit] = weight * boxes[hit] + (1 - weight) * detections.boxes[partners[hit]]
        input_rows[hit] = detections.rows[partners[hit]]
        return Tracks(
            state.ids[rows], corners(boxes), state.scores[rows], state.classes[rows], input_rows
        )

    def _reported(self, state: TrackState) -> Ints:
        parameters = self.parameters
        confirmed = state.ids > 0
        reported = confirmed & (state.missed <= parameters.coast_steps)
        coasting = confirmed & ~reported & (state.missed <= parameters.coast_steps_occluded)
        hidden = np.flatnonzero(coasting)
        if len(hidden):
            reported[hidden] = self._occlusion(state, hidden) >= parameters.occluded_fraction
        return np.flatnonzero(reported)

    def _occlusion(self, state: TrackState, hidden: Ints) -> Array:
        """Return the largest fraction of each hidden track that a track in front of it covers.

        A track is in front if the bottom of its box is lower in the image.
        """
        front = np.flatnonzero((state.ids > 0) & (state.missed == 0))
        bottom = state.boxes[:, 1] + state.boxes[:, 3] / 2
        behind = bottom[hidden, None] < bottom[front]
        fractions = coverage(state.boxes[hidden], state.boxes[front]) * behind
        return fractions.max(axis=1, initial=0)  # type: ignore[no-any-return]
