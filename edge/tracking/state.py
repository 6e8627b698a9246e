"""State of the tracker: tracks, detections, geometry of boxes, and the Kalman filter.

Boxes inside the tracker are center x, center y, width, height; at its interface x1, y1, x2, y2.
Inside, objects are along the last axis of every array, n boxes are [4, n]: NumPy is several times
as fast along rows of ten numbers as along ten rows of four.

The filter assumes constant velocity of center x, center y, width and height (as in SORT, Bewley et
al. 2016, and BoT-SORT, Aharon et al. 2022), with noise that scales with the box's height (as in
DeepSORT, Wojke et al. 2017) and grows with time, whatever the frame rate. The four coordinates do
not influence each other, so instead of an 8 × 8 covariance each has its own of 2 × 2, and a step is
arithmetic on whole arrays. A state of n tracks is float64 [5, 4, n]: per coordinate the value, its
velocity per second, the variance of the value, its covariance with the velocity, the variance of
the velocity.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge.tracking.parameters import KalmanNoise

Array = NDArray[np.float64]

_MIN_SIZE = 2.0
"""Minimum width and height of a predicted box, in pixels."""
_SAME = np.eye(5)
"""The matrix of a state that does not change."""


class KalmanFilter:
    """The filter with its noise; it returns new states, and changes none.

    Args:
        noise: Standard deviations.
        degrees_of_freedom: Of Student's t-distribution of detections about their tracks.
    """

    def __init__(self, noise: KalmanNoise, degrees_of_freedom: float) -> None:
        self._freedom = degrees_of_freedom
        self._position = np.square(noise.position)[:, None]
        self._process = np.square([noise.process, noise.acceleration])
        self._initial_velocity = np.square(noise.initial_velocity)[:, None]

    def start(self, boxes: Array) -> Array:
        """Return the state [5, 4, n] of new tracks at ``boxes`` [4, n]: centers and sizes."""
        square = np.square(boxes[3])
        state = np.zeros((5, *boxes.shape))
        state[0], state[2] = boxes, self._position * square
        state[4] = self._initial_velocity * square
        return state

    def predict(self, state: Array, seconds: float, scale: float = 1.0) -> Array:
        """Return the state ``seconds`` later, with ``scale`` times the variance of the process."""
        transition = _SAME.copy()
        transition[0, 1] = transition[3, 4] = seconds
        transition[2, 3], transition[2, 4] = 2 * seconds, seconds**2
        later: Array = np.dot(transition, state.reshape(5, -1)).reshape(state.shape)
        time = scale * seconds
        shares = np.array([[time, time * seconds**2 / 3], [0, time * seconds / 2], [0, time]])
        later[2:] += np.dot(shares, self._process)[:, :, None] * np.square(state[0, 3])
        sizes = later[0, 2:]
        np.maximum(sizes, _MIN_SIZE, out=sizes)
        return later

    def surprise(self, state: Array, boxes: Array, seconds: float) -> Array:
        """Return the state, unsure enough of its velocity for detections ``boxes`` [4, n].

        For an object that turned, or a camera that moved, within the last ``seconds``.
        """
        excess = np.maximum(np.square(boxes - state[0]) - self.spread(state), 0.0)
        surprised = state.copy()
        surprised[2] += excess
        surprised[3] += excess / seconds
        surprised[4] += excess / seconds**2
        return surprised

    def spread(self, state: Array) -> Array:
        """Return the variances [4, n] of the difference between detections and their tracks."""
        return np.add(state[2], self.noise(state))

    def noise(self, state: Array) -> Array:
        """Return the variances [4, n] of the detections of tracks, as measurements."""
        return np.multiply(self._position, np.square(state[0, 3]))

    def correct(self, state: Array, boxes: Array, variance_scale: Array) -> Array:
        """Return the state after its detections.

        Under Student's t-distribution the variance of a detection grows with its distance, so
        that one that is far off, as of a part of an object, moves the state less (Agamennoni et
        al. 2012).

        Args:
            state: [5, 4, n].
            boxes: Of the detections, [4, n].
            variance_scale: Factor on the variance of each detection [n], 1 for a normal one.
        """
        covariances, apart = state[2:4], boxes - state[0]
        noise = self.noise(state) * variance_scale
        distance = np.add.reduce(np.square(apart) / (state[2] + noise))
        noise *= np.maximum((self._freedom + distance) / (self._freedom + len(apart)), 1.0)
        gains = covariances / (state[2] + noise)
        corrected = np.empty(state.shape)
        np.add(state[:2], gains * apart, out=corrected[:2])
        np.multiply(1.0 - gains[0], covariances, out=corrected[2:4])
        np.subtract(state[4], gains[1] * state[3], out=corrected[4])
        return corrected


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


class DetectionArrays(NamedTuple):
    """Detections: boxes are center x and y, width, height [4, n]; ``rows`` index the input."""

    boxes: Array
    scores: Array
    classes: Ints
    rows: Ints


class TrackState(NamedTuple):
    """State of all n tracks.

    Attributes:
        motion: State of the Kalman filter, float64 [5, 4, n].
        trail: Centers of the last detections, the latest at the end, float64 [k, 2, n].
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
        """Boxes of the tracks, float64 [4, n]: center x and y, width, height."""
        return np.asarray(self.motion[0], np.float64)


Objects = TypeVar("Objects", DetectionArrays, TrackState)


def select(values: Objects, which: Ints) -> Objects:
    """Return some of the tracks or detections, by ascending index."""
    if len(which) == values[-1].shape[0]:
        return values  # nothing changes states
    some: list[Any] = [value.take(which, -1) for value in values]
    return type(values)(*some)


def concat(first: Objects, second: Objects) -> Objects:
    """Return the tracks or detections of both."""
    pairs = zip(first, second, strict=True)
    both: list[Any] = [np.concatenate(pair, axis=-1) for pair in pairs]
    return type(first)(*both)


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
    edges = np.ascontiguousarray(edges.T)
    start, end = edges[:2], edges[2:]
    valid = (start > -np.inf) & (start < end) & (end < np.inf)
    rows = (valid[0] & valid[1] & (values >= min_score)).nonzero()[0]
    if len(rows) < count:
        edges, values, indices = edges.take(rows, 1), values.take(rows), indices.take(rows)
    detections = DetectionArrays(centered(edges), values, indices, rows)
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
    """Return boxes [4, n] of x1, y1, x2, y2 as center x and y, width, height."""
    boxes = np.empty(edges.shape)
    extent = np.subtract(edges[2:], edges[:2], out=boxes[2:])
    np.add(edges[:2], extent / 2.0, out=boxes[:2])
    return boxes


def corners(boxes: Array) -> Array:
    """Return boxes [4, n] as x1, y1, x2, y2."""
    half, edges = boxes[2:] / 2.0, np.empty(boxes.shape)
    np.subtract(boxes[:2], half, out=edges[:2])
    np.add(boxes[:2], half, out=edges[2:])
    return edges


def iou(boxes: Array, others: Array) -> Array:
    """Return the intersection over union of n boxes with m: [n, m]."""
    common = _common(boxes, others)
    return np.divide(common, areas(boxes)[:, None] + areas(others) - common)


def coverage(boxes: Array, others: Array) -> Array:
    """Return the fraction of each of n boxes that lies within each of m others: [n, m]."""
    return np.divide(_common(boxes, others), areas(boxes)[:, None])


def _common(boxes: Array, others: Array) -> Array:
    """Return the areas that n boxes share with m: [n, m]."""
    edges = corners(boxes)[:, :, None]
    other_edges = (edges if others is boxes else corners(others)[:, :, None]).swapaxes(1, 2)
    sides = np.minimum(edges[2:], other_edges[2:])
    sides -= np.maximum(edges[:2], other_edges[:2])
    np.maximum(sides, 0.0, out=sides)
    return np.asarray(sides[0] * sides[1], np.float64)


def areas(boxes: Array) -> Array:
    """Return the areas of boxes [4, n]: [n]."""
    return np.asarray(boxes[2] * boxes[3], np.float64)


def cosines(trails: Array, points: Array) -> Array:
    """Return the cosine of the turn from n trails [k, 2, n] to m points [2, m]: [n, m].

    0 for a trail that leads nowhere.
    """
    latest = trails[-1]
    direction = latest - trails[0]
    direction /= np.hypot(direction[0], direction[1]) + 1e-6
    way = points[:, None] - latest[:, :, None]
    across, down = way
    cosine = across * direction[0][:, None]
    cosine += down * direction[1][:, None]
    cosine /= np.hypot(across, down) + 1e-6
    return np.minimum(np.maximum(cosine, -1.0), 1.0)  # type: ignore[no-any-return]


def distances(boxes: Array, others: Array, spread: Array) -> Array:
    """Return the squared Mahalanobis distance of n boxes with variances ``spread`` to m: [n, m]."""
    apart = others[:, None] - boxes[:, :, None]
    np.square(apart, out=apart)
    apart /= spread[:, :, None]
    return np.asarray(np.add.reduce(apart), np.float64)
