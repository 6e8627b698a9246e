"""What flows through the tracker: detections, the state of the tracks, tracks; and boxes' geometry.

Boxes inside are center x, center y, width, height; those that come and go are x1, y1, x2, y2.
"""

from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tracks:
    """The objects of one frame, by ascending id; n of them.

    ``ids``: int64 [n], from 1, never used again; ``boxes``: float64 [n, 4], x1, y1, x2, y2;
    ``scores``: float64 [n], of the last detection; ``classes``: int64 [n]; ``rows``: int64 [n],
    which of the frame's detections each is, -1 for one that was missed.
    """

    ids: Ints
    boxes: Array
    scores: Array
    classes: Ints
    rows: Ints


@dataclass(frozen=True, slots=True)
class DetectionArrays:
    """Detections: center x and y, width, height [n, 4]; rows say which they were when given."""

    boxes: Array
    scores: Array
    classes: Ints
    rows: Ints


@dataclass(frozen=True, slots=True)
class TrackState:
    """All tracks; every array has a row for each.

    ``trail``: centers [n, memory + 1, 2] of the last detections, the latest at the end;
    ``missed``: steps since the last one; ``ids``: 0 for a track that is not believed yet.
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
        return self.motion[:, 0]


Rows = TypeVar("Rows", DetectionArrays, TrackState)


def select(values: Rows, rows: Ints | Mask) -> Rows:
    """Some of the rows."""
    return type(values)(*(getattr(values, field.name)[rows] for field in fields(values)))


def concat(first: Rows, second: Rows) -> Rows:
    """The rows of both."""
    pairs = ((getattr(first, field.name), getattr(second, field.name)) for field in fields(first))
    return type(first)(*(np.concatenate(pair) for pair in pairs))


def filter_detections(
    boxes: NDArray[Any],
    scores: NDArray[Any],
    classes: NDArray[Any] | None,
    least: float,
    double: float,
) -> DetectionArrays:
    """The detections with a score from ``least`` on that have an area.

    Of two of a class that overlap by more than ``double`` the better one stays.

    Raises:
        ValueError: the arrays do not fit together.
    """
    sides, given = np.asarray(boxes, np.float64), np.asarray(scores, np.float64)
    count = len(given)
    kinds = np.zeros(count, np.int64) if classes is None else np.asarray(classes, np.int64)
    if sides.shape != (count, 4) or given.ndim != 1 or kinds.shape != (count,):
        raise ValueError(
            f"expected boxes [n, 4], scores [n] and classes [n],"
            f" found {sides.shape}, {given.shape} and {kinds.shape}"
        )
    extent = sides[:, 2:] - sides[:, :2]
    fine = np.isfinite(sides).all(axis=1) & (extent > 0).all(axis=1) & (given >= least)
    rows = np.flatnonzero(fine)
    extent = extent[rows]
    places = np.concatenate([sides[rows, :2] + extent / 2, extent], axis=1)
    return _single(DetectionArrays(places, given[rows], kinds[rows], rows), double)


def _single(seen: DetectionArrays, double: float) -> DetectionArrays:
    order = np.argsort(-seen.scores, kind="stable")
    boxes, classes = seen.boxes[order], seen.classes[order]
    same = (iou(boxes, boxes) > double) & (classes[:, None] == classes)
    doubles = np.triu(same, 1).any(axis=0)
    return select(seen, np.sort(order[~doubles]))


def corners(boxes: Array) -> Array:
    """Boxes as x1, y1, x2, y2."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def iou(boxes: Array, others: Array) -> Array:
    """Intersection over union of n boxes with m: [n, m]."""
    common = _common(boxes, others)
    return np.divide(common, _areas(boxes)[:, None] + _areas(others) - common)


def coverage(boxes: Array, others: Array) -> Array:
    """The share of each of n boxes that lies within each of m others: [n, m]."""
    return np.divide(_common(boxes, others), _areas(boxes)[:, None])


def _common(boxes: Array, others: Array) -> Array:
    """Areas that n boxes share with m: [n, m]."""
    sides = (
        np.minimum(
            boxes[:, at, None] + boxes[:, at + 2, None] / 2, others[:, at] + others[:, at + 2] / 2
        )
        - np.maximum(
            boxes[:, at, None] - boxes[:, at + 2, None] / 2, others[:, at] - others[:, at + 2] / 2
        )
        for at in (0, 1)
    )
    wide, tall = (np.maximum(side, 0) for side in sides)
    return np.asarray(wide * tall, np.float64)


def _areas(boxes: Array) -> Array:
    return np.multiply(boxes[:, 2], boxes[:, 3])


def cosines(trails: Array, places: Array) -> Array:
    """Cosine of the turn from each of n trails [n, k, 2] to each of m places [m, 2]: [n, m].

    0 for a trail that leads nowhere.
    """
    way = trails[:, -1] - trails[:, 0]
    way = way / (np.hypot(way[:, :1], way[:, 1:]) + 1e-6)
    across = places[:, 0] - trails[:, -1, :1]
    down = places[:, 1] - trails[:, -1, 1:]
    ahead = across * way[:, :1] + down * way[:, 1:]
    return np.asarray(np.clip(ahead / (np.hypot(across, down) + 1e-6), -1, 1), np.float64)


def distances(boxes: Array, others: Array, spread: Array) -> Array:
    """Squared Mahalanobis distance of n boxes, each with variances ``spread``, to m: [n, m].

    Coordinate by coordinate: one array [n, m, 4] would be too large for the processor's cache.
    """
    parts = (np.square(others[:, at] - boxes[:, at, None]) / spread[:, at, None] for at in range(4))
    return np.asarray(sum(parts), np.float64)
