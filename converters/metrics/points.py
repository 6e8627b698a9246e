"""Metrics of detectors that find points: F1 within a radius, and the error of the count.

Labels are boxes, since a box tells where the middle of an object is and how far from it a point may
be. Matches are kept by image, so that the metrics of resampled images are weighted sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.metrics.box_matching import ClassMatches
from converters.metrics.boxes import TrueBoxes, areas

RADIUS = 0.5
"""Distance from the middle of a box up to which a point is right, in sides: roots of its area."""

WRONG, NEUTRAL = -1, -2
"""Matches of points that show no object, and of those in an area where nothing is known."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedPoints:
    """What a model detected in an image.

    ``points``: float [n, 2], x and y in pixels; ``scores``: float [n]; ``classes``: int64 [n]; in
    any order.
    """

    points: NDArray[np.floating[Any]]
    scores: NDArray[np.floating[Any]]
    classes: NDArray[np.int64]

    def above(self, score: float) -> "DetectedPoints":
        """Return the detections with a score of at least ``score``."""
        rows = self.scores >= score
        return DetectedPoints(self.points[rows], self.scores[rows], self.classes[rows])


@dataclass(frozen=True, slots=True, eq=False)
class PointCounts:
    """Numbers of points in each image, int64 [images]: matched, detected and true."""

    matched: NDArray[np.int64]
    detected: NDArray[np.int64]
    true: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CountErrors:
    """Error of the number of points in an image, float64 [r], of r resamples.

    ``mean``: of its size; ``relative``: ``mean`` over the mean number, NaN without true points;
    ``bias``: with its sign, above 0 where too many are detected.
    """

    mean: NDArray[np.float64]
    relative: NDArray[np.float64]
    bias: NDArray[np.float64]


def middles(boxes: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the middles, float64 [n, 2], of boxes, float [n, 4]."""
    return np.asarray((boxes[:, :2].astype(np.float64) + boxes[:, 2:]) / 2, np.float64)


def match_image(true: TrueBoxes, detected: DetectedPoints) -> NDArray[np.int64]:
    """Match the points of an image greedily, the highest score first.

    Each takes the nearest true middle of its class that is free and within :data:`RADIUS`.

    Returns:
        int64 [n], the index of the true box of each point, :data:`WRONG` or :data:`NEUTRAL`.
    """
    matched = np.full(len(detected.scores), WRONG, np.int64)
    points, same = detected.points, detected.classes[:, None] == true.classes
    inside = (points[:, None] >= true.boxes[:, :2]) & (points[:, None] <= true.boxes[:, 2:])
    matched[(inside.all(axis=2) & same & true.ignored).any(axis=1)] = NEUTRAL
    distances = np.linalg.norm(points[:, None] - middles(true.boxes), axis=2)
    near = same & ~true.ignored & (distances <= RADIUS * np.sqrt(areas(true.boxes)))
    distances[~near] = np.inf
    for row in np.argsort(-detected.scores, kind="stable")[: len(matched) * near.any()]:
        nearest = int(distances[row].argmin())
        if np.isfinite(distances[row, nearest]):
            matched[row] = nearest
            distances[:, nearest] = np.inf
    return matched


def match_points(
    true: Sequence[TrueBoxes], detected: Sequence[DetectedPoints], classes: int
) -> tuple[ClassMatches, ...]:
    """Match the points of all images; see :func:`match_image`.

    Args:
        true: of each image; classes from 0 to ``classes`` - 1.
        detected: of the same images.
        classes: their number.

    Returns:
        One for each class, of one size and one threshold.
    """
    matched = [match_image(*pair) for pair in zip(true, detected, strict=True)]
    labels = np.concatenate([np.zeros(0, np.int64), *(each.classes for each in detected)])
    scores = np.concatenate([np.zeros(0), *(each.scores for each in detected)])
    images = np.repeat(np.arange(len(true)), [len(each.scores) for each in detected])
    joined = np.concatenate([np.zeros(0, np.int64), *matched])
    order = np.argsort(-scores, kind="stable")
    parts = []
    for index in range(classes):
        rows = order[labels[order] == index]
        positives = [int(((t.classes == index) & ~t.ignored).sum()) for t in true]
        parts.append(
            ClassMatches(
                scores=scores[rows],
                images=images[rows],
                correct=(joined[rows] >= 0)[None, None],
                ignored=(joined[rows] == NEUTRAL)[None, None],
                positives=np.array([positives], np.int64),
            )
        )
    return tuple(parts)


def counts_above(matches: Sequence[ClassMatches], score: float) -> PointCounts:
    """Count the points with a score of at least ``score`` in each image, over these classes."""
    images = matches[0].positives.shape[1]
    matched, detected = np.zeros(images, np.int64), np.zeros(images, np.int64)
    for of_class in matches:
        rows = (of_class.scores >= score) & ~of_class.ignored[0, 0]
        detected += np.bincount(of_class.images[rows], minlength=images)
        hits = rows & of_class.correct[0, 0]
        matched += np.bincount(of_class.images[hits], minlength=images)
    true = np.sum([of_class.positives[0] for of_class in matches], axis=0)
    return PointCounts(matched, detected, np.asarray(true, np.int64))


def point_f1(
    counts: PointCounts, weights: NDArray[np.float32] | None = None
) -> NDArray[np.float64]:
    """Compute F1, float64 [r], of r resamples; NaN where there is no point at all.

    ``weights``: as in :func:`converters.metrics.average_precision.average_precisions`.
    """
    exact = _exact(counts, weights)
    points = exact @ (counts.detected + counts.true)
    hits = 2 * (exact @ counts.matched)
    return np.divide(hits, points, out=np.full(len(exact), np.nan), where=points > 0)


def count_errors(counts: PointCounts, weights: NDArray[np.float32] | None = None) -> CountErrors:
    """Compute the error of the number of points of an image; ``weights`` as in :func:`point_f1`."""
    exact = _exact(counts, weights)
    images, errors = exact.sum(axis=1), counts.detected - counts.true
    mean, usual = exact @ np.abs(errors) / images, exact @ counts.true / images
    relative = np.divide(mean, usual, out=np.full(len(exact), np.nan), where=usual > 0)
    return CountErrors(mean, relative, exact @ errors / images)


def _exact(counts: PointCounts, weights: NDArray[np.float32] | None) -> NDArray[np.float64]:
    return np.ones((1, len(counts.true))) if weights is None else weights.astype(np.float64)
