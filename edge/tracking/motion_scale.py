"""How much more than people who walk before a camera at rest the objects of a scene move.

A filter whose noise of motion is too small for a scene loses its objects: those of a car's camera,
those that are fast, or those whose frame rate is another than assumed. One whose noise is too large
confuses them. So the noise grows while detections are farther from their predictions than the
filter expects, and shrinks again to that of :class:`~edge.tracking.parameters.KalmanNoise`.
"""

from math import exp, log

import numpy as np

from edge.tracking.matching import Matches
from edge.tracking.parameters import TrackerParameters
from edge.tracking.state import DetectionArrays, KalmanFilter, TrackState

_EXPECTED = 0.455
"""Median of the squared distance in one coordinate, in standard deviations."""


class MotionScale:
    """Factor on the variances of the filter's process noise, 1 or more."""

    def __init__(self) -> None:
        self._log = 0.0

    @property
    def factor(self) -> float:
        """The factor for the next frame."""
        return exp(self._log)

    @property
    def calm(self) -> bool:
        """True while there is no more motion than the filter expects."""
        return self._log == 0

    def update(
        self,
        state: TrackState,
        detections: DetectionArrays,
        matches: Matches,
        motion: KalmanFilter,
        parameters: TrackerParameters,
        seconds: float,
    ) -> None:
        """Adapt to the detections of the predicted tracks that were detected a frame ago, too."""
        whole = (matches.detections >= 0) & (matches.variance_scale == 1)
        rows = (whole & (state.ids > 0) & (state.missed <= 1.01 * seconds)).nonzero()[0]
        if not len(rows):
            return
        tracks = state.motion if len(rows) == len(whole) else state.motion.take(rows, -1)
        partners = matches.detections.take(rows)
        away = detections.boxes[:2].take(partners, 1) - tracks[0, :2]
        squares = np.sort(np.square(away) / motion.spread(tracks)[:2], axis=None)
        median = float(squares[len(rows) - 1] + squares[len(rows)]) / 2  # of twice as many
        excess = median / (_EXPECTED * parameters.motion_tolerance)
        weight = 1 - exp(-seconds / parameters.motion_memory)
        adapted = self._log + weight * log(max(excess, 0.1))
        self._log = min(max(adapted, 0.0), log(parameters.max_motion_scale))
