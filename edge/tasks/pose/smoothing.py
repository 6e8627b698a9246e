"""Smoothing of keypoints against jitter: the One Euro filter.

Casiez, Roussel and Vogel, "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012: slow movements are smoothed strongly, fast ones hardly, so that
they do not lag.
"""

import math

import numpy as np
from numpy.typing import NDArray

_MIN_CUTOFF_HZ = 1.0
"""Cutoff frequency at rest."""

_CUTOFF_PER_SPEED = 20.0
"""Hertz added per speed, in body sizes per second (see :meth:`OneEuro.__call__`)."""

_SPEED_CUTOFF_HZ = 2.5
"""Cutoff frequency of the speed itself."""

Points = NDArray[np.float64]


class OneEuro:
    """Smooths the positions of keypoints from frame to frame; keeps the last ones."""

    def __init__(self) -> None:
        self._points: Points | None = None
        self._speed: Points | None = None
        self._time_s = 0.0

    def __call__(self, points: Points, time_s: float, scale: float) -> Points:
        """Return smoothed positions, float64 [n, 2].

        Args:
            points: Positions in this frame, float64 [n, 2].
            time_s: Time of the frame.
            scale: Size of the body in pixels, the unit of speeds.
        """
        elapsed = time_s - self._time_s
        if self._points is None or self._speed is None or elapsed <= 0:
            self._points, self._speed = points, np.zeros_like(points)
        else:
            weight = _weight(np.full(points.shape, _SPEED_CUTOFF_HZ), elapsed)
            self._speed = weight * self._speed + (1 - weight) * (points - self._points) / elapsed
            cutoff = _MIN_CUTOFF_HZ + _CUTOFF_PER_SPEED * np.abs(self._speed) / scale
            weight = _weight(cutoff, elapsed)
            self._points = weight * self._points + (1 - weight) * points
        self._time_s = time_s
        return self._points

    def reset(self) -> None:
        """Start again with the next frame."""
        self._points = self._speed = None


def _weight(cutoff: Points, elapsed: float) -> Points:
    """Return the weight of the last value in a low-pass filter of ``cutoff`` Hz."""
    return np.asarray(1 / (1 + 2 * math.pi * cutoff * elapsed), np.float64)
