"""A Kalman filter for the boxes of all tracks at once.

Constant velocity for center x, center y, width and height (as in SORT, Bewley et al. 2016, and
BoT-SORT, Aharon et al. 2022), with noise that scales with the box's height (as in DeepSORT, Wojke
et al. 2017). The four coordinates do not influence each other, so instead of an 8 × 8 covariance
each has its own of 2 × 2, and a step is arithmetic on whole arrays.

A state of n tracks is float64 [n, 5, 4]: per coordinate the value, its velocity per step, the
variance of the value, its covariance with the velocity, the variance of the velocity.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Shares = tuple[float, float, float, float]

_SMALLEST = 2.0
"""Least width and height in pixels that motion leaves of a box."""


@dataclass(frozen=True, slots=True)
class KalmanNoise:
    """Standard deviations as shares of the box's height, for center x, center y, width, height.

    ``measured``: of a detection; ``moved`` and ``accelerated``: of value and velocity, per step;
    ``started``: of the velocity of a new track.
    """

    measured: Shares
    moved: Shares
    accelerated: Shares
    started: Shares


class KalmanFilter:
    """The filter, with its noise; states go in and come out, none is changed."""

    def __init__(self, noise: KalmanNoise) -> None:
        self._measured = np.square(noise.measured)
        self._moved = np.square(noise.moved)
        self._accelerated = np.square(noise.accelerated)
        self._started = np.square(noise.started)

    def start(self, boxes: Array) -> Array:
        """The state [n, 5, 4] of new tracks at ``boxes`` [n, 4], center x and y, width, height."""
        square = np.square(boxes[:, 3:])
        none = np.zeros_like(boxes)
        return _state(boxes, none, self._measured * square, none, self._started * square)

    def predict(self, state: Array, steps: float) -> Array:
        """The state ``steps`` later: that of as many steps of 1, one after the other."""
        value, velocity, variance, covariance, change = state.swapaxes(0, 1)
        square = np.square(value[:, 3:])
        accelerated = self._accelerated * square
        sum_of_steps = steps * (steps - 1) / 2
        sum_of_squares = sum_of_steps * (2 * steps - 1) / 3
        moved = value + steps * velocity
        moved[:, 2:] = np.maximum(moved[:, 2:], _SMALLEST)
        grown = steps * self._moved * square + sum_of_squares * accelerated
        return _state(
            moved,
            velocity,
            variance + 2 * steps * covariance + steps**2 * change + grown,
            covariance + steps * change + sum_of_steps * accelerated,
            change + steps * accelerated,
        )

    def spread(self, state: Array) -> Array:
        """Variances [n, 4] of what a detection and the state of its track differ by."""
        return np.add(state[:, 2], self.noise(state))

    def noise(self, state: Array) -> Array:
        """Variances [n, 4] of the detections of tracks, as measurements."""
        return np.multiply(self._measured, np.square(state[:, 0, 3:]))

    def correct(self, state: Array, boxes: Array, doubt: Array) -> Array:
        """The state after its detections, ``boxes`` [n, 4].

        ``doubt`` [n]: factor on the variance of each as a measurement, 1 for an ordinary one.
        """
        value, velocity, variance, covariance, change = state.swapaxes(0, 1)
        total = variance + self.noise(state) * doubt[:, None]
        gain, velocity_gain = variance / total, covariance / total
        missed_by = boxes - value
        return _state(
            value + gain * missed_by,
            velocity + velocity_gain * missed_by,
            (1 - gain) * variance,
            (1 - gain) * covariance,
            change - velocity_gain * covariance,
        )


def _state(*parts: Array) -> Array:
    return np.stack(parts, axis=1)
