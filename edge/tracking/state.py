"""State of the tracker: tracks, detections, geometry of boxes, and the Kalman filter.

Boxes inside the tracker are center x, center y, width, height; at its interface x1, y1, x2, y2.

The filter assumes constant velocity of center x, center y, width and height (as in SORT, Bewley et
al. 2016, and BoT-SORT, Aharon et al. 2022), with noise that scales with the box's height (as in
DeepSORT, Wojke et al. 2017) and grows with time, whatever the frame rate. The four coordinates do
not influence each other, so instead of an 8 × 8 covariance each has its own of 2 × 2, and a step is
arithmetic on whole arrays. A state of n tracks is float64 [n, 5, 4]: per coordinate the value, its
velocity per second, the variance of the value, its covariance with the velocity, the variance of
the velocity.
"""

from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge.tracking.parameters import KalmanNoise

Array = NDArray[np.float64]

_MIN_SIZE = 2.0
"""Minimum width and height of a predicted box, in pixels."""


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

    def predict(self, state: Array, seconds: float, scale: float = 1.0) -> Array:
        """Return the state ``seconds`` later, with ``scale`` times the variance of the process."""
        acceleration = scale * seconds * self._acceleration
        process = scale * seconds * self._process
        added = np.array(
            [process + seconds**2 / 3 * acceleration, seconds / 2 * acceleration, acceleration]
        )
        later = _transition(seconds) @ state
        later[:, 2:] += added * np.square(state[:, :1, 3:])
        np.maximum(later[:, 0, 2:], _MIN_SIZE, out=later[:, 0, 2:])
        return later

    def surprise(self, state: Array, boxes: Array, seconds: float) -> Array:
        """Return the state, unsure enough of its velocity for detections ``boxes`` [n, 4].

        For an object that turned, or a camera that moved, within the last ``seconds``.
        """
        excess = np.maximum(np.square(boxes - state[:, 0]) - self.spread(state), 0)
        surprised = state.copy()
        surprised[:, 2] += excess
        surprised[:, 3] += excess / seconds
        surprised[:, 4] += excess / seconds**2
        return surprised

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
        covariances = state[:, 2:4]
        total = state[:, 2] + self.noise(state) * variance_scale[:, None]
        gains = covariances / total[:, None]
        corrected = np.empty_like(state)
        corrected[:, :2] = state[:, :2] + gains * (boxes - state[:, 0])[:, None]
        corrected[:, 2:4] = (1 - gains[:, :1]) * covariances
        corrected[:, 4] = state[:, 4] - gains[:, 1] * state[:, 3]
        return corrected


def _transition(seconds: float) -> Array:
    """Return the matrix [5, 5] that leads from a state to that ``seconds`` later, without noise."""
    matrix = np.eye(5)
    matrix[0, 1] = matrix[3, 4] = seconds
    matrix[2, 3], matrix[2, 4] = 2 * seconds, seconds**2
    return matrix


def _state(*parts: Array) -> Array:
    state = np.empty((len(parts[0]), len(parts), 4))
    for at, part in enumerate(parts):
        state[:, at] = part
    return state


Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tracks:
    """The objects of one frame, by ascending id; n of them.

    Attributes:
        ids: int64 [n], from 1, never reused.
        boxes: float64 [n, 4], x1, y1, x2, y2.
        scores: float64 [n], of the last detection.
        classes: int64 [n].
        rows: int64 [n], row of each track's detection in this frame, -1 for a missed track.
    """

    ids: Ints
    boxes: Array
    scores: Array
    classes: Ints
    rows: Ints


@dataclass(frozen=True, slots=True)
class DetectionArrays:
    """Detections: boxes are center x and y, width, height [n, 4]; ``rows`` index the input."""

    boxes: Array
    scores: Array
    classes: Ints
    rows: Ints


@dataclass(frozen=True, slots=True)
class TrackState:
    """State of all n tracks.

    Attributes:
        motion: State of the Kalman filter, float64 [n, 5, 4].
        trail: Centers of the last detections, the latest at the end, float64 [n, k, 2].
        ids: int64 [n], 0 for a tentative track.
        scores: float64 [n], of the last detection.
        classes: int64 [n].
        evidence: Sum of squared scores, float64 [n].
        missed: Seconds since the last detection, float64 [n].
    """

    motion: Array
    trail: Array
    ids: Ints
    scores: Array
    classes: Ints
    evidence: Array
    missed: Array

    @property
    def boxes(self) -> Array:
        """Boxes of the tracks, float64 [n, 4]: center x and y, width, height."""
        return self.motion[:, 0]


Rows = TypeVar("Rows", DetectionArrays, TrackState)


def select(values: Rows, rows: Ints | Mask) -> Rows:
    """Return some of the rows."""
    if rows.dtype == np.bool_ and rows.all():
        return values  # nothing changes states
    return type(values)(*(getattr(values, field.name)[rows] for field in fields(values)))


def concat(first: Rows, second: Rows) -> Rows:
    """Return the rows of both."""
    pairs = ((getattr(first, field.name), getattr(second, field.name)) for field in fields(first))
    return type(first)(*(np.concatenate(pair) for pair in pairs))


def filter_detections(
    boxes: NDArray[Any],
    scores: NDArray[Any],
    classes: NDArray[Any] | None,
    min_score: float,
    duplicate_iou: float,
) -> DetectionArrays:
    """Return the detections with a score from ``min_score`` on that have an area.

    Of two of a class that overlap by more than ``duplicate_iou`` the lower-scoring is dropped.

    Raises:
        ValueError: The shapes of the arrays do not match.
    """
    edges, values = np.asarray(boxes, np.float64), np.asarray(scores, np.float64)
    count = len(values)
    indices = np.zeros(count, np.int64) if classes is None else np.asarray(classes, np.int64)
    if edges.shape != (count, 4) or values.ndim != 1 or indices.shape != (count,):
        raise ValueError(
            f"expected boxes [n, 4], scores [n] and classes [n],"
            f" found {edges.shape}, {values.shape} and {indices.shape}"
        )
    valid = np.isfinite(edges).all(axis=1) & (edges[:, 2:] > edges[:, :2]).all(axis=1)
    rows = (valid & (values >= min_score)).nonzero()[0]
    detections = DetectionArrays(centered(edges[rows]), values[rows], indices[rows], rows)
    return _without_duplicates(detections, duplicate_iou)


def _without_duplicates(detections: DetectionArrays, duplicate_iou: float) -> DetectionArrays:
    close = iou(detections.boxes, detections.boxes) > duplicate_iou
    if np.count_nonzero(close) == len(close):  # each with itself alone
        return detections
    order = np.argsort(-detections.scores, kind="stable")
    classes = detections.classes[order]
    same = close[order[:, None], order] & (classes[:, None] == classes)
    duplicates = np.triu(same, 1).any(axis=0)
    return select(detections, np.sort(order[~duplicates]))


def centered(edges: Array) -> Array:
    """Return boxes [n, 4] of x1, y1, x2, y2 as center x and y, width, height."""
    extent = edges[:, 2:] - edges[:, :2]
    return np.concatenate([edges[:, :2] + extent / 2, extent], axis=1)


def corners(boxes: Array) -> Array:
    """Return boxes [n, 4] as x1, y1, x2, y2."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def iou(boxes: Array, others: Array) -> Array:
    """Return the intersection over union of n boxes with m: [n, m]."""
    common = _common(boxes, others)
    return np.divide(common, _areas(boxes)[:, None] + _areas(others) - common)


def coverage(boxes: Array, others: Array) -> Array:
    """Return the fraction of each of n boxes that lies within each of m others: [n, m]."""
    return np.divide(_common(boxes, others), _areas(boxes)[:, None])


def _common(boxes: Array, others: Array) -> Array:
    """Return the areas that n boxes share with m: [n, m]."""
    half, half_others = boxes[:, None, 2:] / 2, others[:, 2:] / 2
    middle, middle_others = boxes[:, None, :2], others[:, :2]
    sides = np.minimum(middle + half, middle_others + half_others)
    sides -= np.maximum(middle - half, middle_others - half_others)
    np.maximum(sides, 0, out=sides)
    return np.multiply(sides[..., 0], sides[..., 1])


def _areas(boxes: Array) -> Array:
    return np.multiply(boxes[:, 2], boxes[:, 3])


def cosines(trails: Array, points: Array) -> Array:
    """Return the cosine of the turn from n trails [n, k, 2] to m points [m, 2]: [n, m].

    0 for a trail that leads nowhere.
    """
    direction = trails[:, -1] - trails[:, 0]
    direction = direction / (np.hypot(direction[:, :1], direction[:, 1:]) + 1e-6)
    across = points[:, 0] - trails[:, -1, :1]
    down = points[:, 1] - trails[:, -1, 1:]
    ahead = across * direction[:, :1] + down * direction[:, 1:]
    cosine = ahead / (np.hypot(across, down) + 1e-6)
    return np.asarray(np.minimum(np.maximum(cosine, -1), 1), np.float64)  # faster than np.clip


def distances(boxes: Array, others: Array, spread: Array) -> Array:
    """Return the squared Mahalanobis distance of n boxes with variances ``spread`` to m: [n, m]."""
    apart = others - boxes[:, None]
    np.square(apart, out=apart)
    return np.asarray((apart @ (1 / spread)[:, :, None])[:, :, 0], np.float64)
