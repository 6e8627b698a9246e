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
Fractions = tuple[float, float, float, float]

_MIN_SIZE = 2.0
"""Minimum width and height of a predicted box, in pixels."""


@dataclass(frozen=True, slots=True)
class KalmanNoise:
    """Standard deviations as fractions of the box's height: center x, center y, width, height.

    Attributes:
        position: Of a detection.
        process: Of the value, per step.
        acceleration: Of the velocity, per step.
        initial_velocity: Of the velocity of a new track.
    """

    position: Fractions
    process: Fractions
    acceleration: Fractions
    initial_velocity: Fractions


class KalmanFilter:
    """The filter with its noise; it returns new states, and changes none."""

    def __init__(self, noise: KalmanNoise) -> None:
        self._position = np.square(noise.position)
        self._process = np.square(noise.process)
        self._acceleration = np.square(noise.acceleration)
        self._initial_velocity = np.square(noise.initial_velocity)

    def start(self, boxes: Array) -> Array:
        """Return the state [n, 5, 4] of new tracks at ``boxes`` [n, 4]: centers and sizes."""
        square = np.square(boxes[:, 3:])
        zero = np.zeros_like(boxes)
        variance, velocity_variance = self._position * square, self._initial_velocity * square
        return _state(boxes, zero, variance, zero, velocity_variance)

    def predict(self, state: Array, steps: float) -> Array:
        """Return the state ``steps`` later, as after so many single steps."""
        value, velocity, variance, covariance, velocity_variance = state.swapaxes(0, 1)
        square = np.square(value[:, 3:])
        acceleration = self._acceleration * square
        sum_of_steps = steps * (steps - 1) / 2
        sum_of_squares = sum_of_steps * (2 * steps - 1) / 3
        moved = value + steps * velocity
        moved[:, 2:] = np.maximum(moved[:, 2:], _MIN_SIZE)
        added = steps * self._process * square + sum_of_squares * acceleration
        return _state(
            moved,
            velocity,
            variance + 2 * steps * covariance + steps**2 * velocity_variance + added,
            covariance + steps * velocity_variance + sum_of_steps * acceleration,
            velocity_variance + steps * acceleration,
        )

    def spread(self, state: Array) -> Array:
        """Return the variances [n, 4] of the difference between detections and their tracks."""
        return np.add(state[:, 2], self.noise(state))

    def noise(self, state: Array) -> Array:
        """Return the variances [n, 4] of the detections of tracks, as measurements."""
        return np.multiply(self._position, np.square(state[:, 0, 3:]))

    def correct(self, state: Array, boxes: Array, variance_scale: Array) -> Array:
        """Return the state after its detections.

        Args:
            state: [n, 5, 4].
            boxes: Of the detections, [n, 4].
            variance_scale: Factor on the variance of each detection [n], 1 for a normal one.
        """
        value, velocity, variance, covariance, velocity_variance = state.swapaxes(0, 1)
        total = variance + self.noise(state) * variance_scale[:, None]
        gain, velocity_gain = variance / total, covariance / total
        residual = boxes - value
        return _state(
            value + gain * residual,
            velocity + velocity_gain * residual,
            (1 - gain) * variance,
            (1 - gain) * covariance,
            velocity_variance - velocity_gain * covariance,
        )


def _state(*parts: Array) -> Array:
    return np.stack(parts, axis=1)
