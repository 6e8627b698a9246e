"""Keypoints that do not tremble: the One Euro filter.

Casiez, Roussel and Vogel, "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012: slow movements are smoothed strongly, fast ones hardly, so that
nothing lags behind.
"""

import math

import numpy as np
from numpy.typing import NDArray

_LOWEST_HZ = 1.0
"""Cutoff at rest."""

_PER_SPEED = 20.0
"""Hertz added to it per body side (see :meth:`OneEuro.__call__`) and second."""

_SPEED_HZ = 2.5
"""Cutoff of the speed itself."""

Places = NDArray[np.float64]


class OneEuro:
    """Smooths places of keypoints from frame to frame; it remembers the last ones."""

    def __init__(self) -> None:
        self._places: Places | None = None
        self._speed: Places | None = None
        self._time = 0.0

    def __call__(self, places: Places, time_s: float, scale: float) -> Places:
        """Smoothed places, float64 [n, 2].

        Args:
            places: as found.
            time_s: of the frame.
            scale: size of the body in pixels, which speeds are measured by.
        """
        passed = time_s - self._time
        if self._places is None or self._speed is None or passed <= 0:
            self._places, self._speed = places, np.zeros_like(places)
        else:
            kept = _kept(np.full(places.shape, _SPEED_HZ), passed)
            self._speed = kept * self._speed + (1 - kept) * (places - self._places) / passed
            cutoff = _LOWEST_HZ + _PER_SPEED * np.abs(self._speed) / scale
            kept = _kept(cutoff, passed)
            self._places = kept * self._places + (1 - kept) * places
        self._time = time_s
        return self._places

    def forget(self) -> None:
        """Start anew with the next places."""
        self._places = self._speed = None


def _kept(cutoff: Places, passed: float) -> Places:
    """The share of the last value that a low-pass filter of ``cutoff`` Hz keeps."""
    return np.asarray(1 / (1 + 2 * math.pi * cutoff * passed), np.float64)
