"""A multi-object tracker: detections in, frame by frame; objects with lasting ids out.

Tracking by detection in the way of SORT (Bewley et al. 2016): a Kalman filter says where each
track should be, and an optimal assignment gives it its detection, in two score stages as in
ByteTrack (Zhang et al. 2022). What differs:

- The cost of a pair is the negative log-likelihood of the detection under the filter (Blackman
  and Popoli 1999), not an overlap of boxes. So size tells people apart as well as place, and a
  track that was hidden for long is looked for farther off, at a price.
- A track expects to go on in its direction, as in OC-SORT (Cao et al. 2023).
- A track is believed once the squares of its scores sum up to enough: sure detections are soon
  believed, doubtful ones later.
- A detection within a track that has no other is its visible part: it keeps the track, and
  hardly moves it.
- A track that is missed for a moment is reported where it should be, and for longer while a
  nearer object covers it.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tracking.kalman import KalmanFilter
from edge.tracking.matching import Matches, associate
from edge.tracking.parameters import TrackerParameters
from edge.tracking.state import (
    Array,
    DetectionArrays,
    Ints,
    Tracks,
    TrackState,
    concat,
    corners,
    coverage,
    filter_detections,
    select,
)


class MultiObjectTracker:
    """Follows objects from frame to frame; call :meth:`update` for each frame, in order.

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
        self._state = self._born(self._usable(np.empty((0, 4)), np.empty(0), None))
        self._next = 1

    @property
    def idle(self) -> bool:
        """Whether no track is left, so that the next frame is like a first one."""
        return len(self._state.ids) == 0

    def update(
        self,
        boxes: NDArray[Any],
        scores: NDArray[Any],
        classes: NDArray[Any] | None = None,
        steps: float = 1.0,
    ) -> Tracks:
        """The tracks of the next frame.

        Args:
            boxes: [n, 4], x1, y1, x2, y2 in pixels. Those that are not finite, or without an
                area, are left out.
            scores: [n], 0 to 1. Low ones help to follow: give all from about 0.1 on.
            classes: integers [n], where there are several: a track stays within its class.
            steps: time since the last frame, where 1 is the usual time from frame to frame.

        Raises:
            UsageError: the extra ``track`` is not installed.
            ValueError: the arrays do not fit together, or no time has passed.
        """
        if not steps > 0:
            raise ValueError(f"expected steps above 0, found {steps}")
        seen = self._usable(boxes, scores, classes)
        state = self._predicted(steps)
        matches = associate(state, seen, self._filter, self.parameters)
        found = matches.found
        state = self._named(self._corrected(state, seen, matches))
        believed = state.ids > 0
        kept = np.where(believed, self.parameters.believed, self.parameters.doubtful)
        born = self._born(select(seen, self._unexplained(state, seen, found)))
        self._state = concat(select(state, state.missed <= kept), born)
        return self._report(state, seen, found)

    def _usable(
        self, boxes: NDArray[Any], scores: NDArray[Any], classes: NDArray[Any] | None
    ) -> DetectionArrays:
        return filter_detections(
            boxes, scores, classes, self.parameters.least, self.parameters.double
        )

    def _predicted(self, steps: float) -> TrackState:
        state = self._state
        motion = self._filter.predict(state.motion, steps)
        return replace(state, motion=motion, missed=state.missed + steps)

    def _corrected(self, state: TrackState, seen: DetectionArrays, matches: Matches) -> TrackState:
        """The tracks after their detections."""
        hit = matches.found >= 0
        got = select(seen, matches.found[hit])
        motion, trail = state.motion.copy(), state.trail.copy()
        scores, evidence = state.scores.copy(), state.evidence.copy()
        motion[hit] = self._filter.correct(motion[hit], got.boxes, matches.doubt[hit])
        trail[hit] = np.concatenate([trail[hit, 1:], got.boxes[:, None, :2]], axis=1)
        scores[hit] = got.scores
        evidence[hit] += np.square(got.scores)
        missed = np.where(hit, 0, state.missed)
        return TrackState(motion, trail, state.ids, scores, state.classes, evidence, missed)

    def _named(self, state: TrackState) -> TrackState:
        """The tracks, with ids for those that have become believable."""
        ready = np.flatnonzero((state.ids == 0) & (state.evidence >= self.parameters.evidence))
        if not len(ready):
            return state
        ids = state.ids.copy()
        ids[ready] = np.arange(self._next, self._next + len(ready))
        self._next += len(ready)
        return replace(state, ids=ids)

    def _unexplained(self, state: TrackState, seen: DetectionArrays, found: Ints) -> Ints:
        """The detections that start tracks: free, and not within a track that was just seen."""
        free = seen.scores >= self.parameters.new
        free[found[found >= 0]] = False
        rows = np.flatnonzero(free)
        if not len(rows):
            return rows
        present = state.boxes[(state.ids > 0) & (state.missed == 0)]
        within = coverage(seen.boxes[rows], present).max(axis=1, initial=0)
        return np.asarray(rows[within <= self.parameters.within], np.int64)

    def _born(self, seen: DetectionArrays) -> TrackState:
        count = len(seen.rows)
        return TrackState(
            motion=self._filter.start(seen.boxes),
            trail=np.repeat(seen.boxes[:, None, :2], self.parameters.memory + 1, axis=1),
            ids=np.zeros(count, np.int64),
            scores=seen.scores,
            classes=seen.classes,
            evidence=np.square(seen.scores),
            missed=np.zeros(count),
        )

    def _report(self, state: TrackState, seen: DetectionArrays, found: Ints) -> Tracks:
        """The believed tracks that are seen, or that are surely still there."""
        rows = self._shown(state)
        rows = rows[np.argsort(state.ids[rows])]
        got = found[rows]
        hit = got >= 0
        boxes, given = state.boxes[rows], np.full(len(rows), -1)
        share = self.parameters.smooth
        boxes[hit] = share * boxes[hit] + (1 - share) * seen.boxes[got[hit]]
        given[hit] = seen.rows[got[hit]]
        return Tracks(
            state.ids[rows], corners(boxes), state.scores[rows], state.classes[rows], given
        )

    def _shown(self, state: TrackState) -> Ints:
        parameters = self.parameters
        believed = state.ids > 0
        shown = believed & (state.missed <= parameters.coasting)
        hidden = np.flatnonzero(believed & ~shown & (state.missed <= parameters.covered))
        if len(hidden):
            shown[hidden] = self._covered(state, hidden) >= parameters.cover
        return np.flatnonzero(shown)

    def _covered(self, state: TrackState, hidden: Ints) -> Array:
        """The largest share of each hidden track that one in front of it covers.

        Whose lower side is lower in the image stands in front.
        """
        front = np.flatnonzero((state.ids > 0) & (state.missed == 0))
        lower = state.boxes[:, 1] + state.boxes[:, 3] / 2
        behind = lower[hidden, None] < lower[front]
        shares = coverage(state.boxes[hidden], state.boxes[front]) * behind
        return shares.max(axis=1, initial=0)  # type: ignore[no-any-return]
