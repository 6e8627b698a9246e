"""Metrics of detectors that find points: F1 within a radius, and the error of the count."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating[Any]]
"""float [n, 2], x and y in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class PointMatches:
    """Numbers of points in each image, int64 [images]: matched, detected and true."""

    matched: NDArray[np.int64]
    detected: NDArray[np.int64]
    true: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CountError:
    """Error of the number of points in an image.

    ``mean``: of its size; ``relative``: ``mean`` over the mean number; None without true points;
    ``bias``: with its sign, above 0 where too many are detected.
    """

    mean: float
    relative: float | None
    bias: float


def match_points(
    detected: Sequence[Points],
    scores: Sequence[NDArray[np.floating[Any]]],
    true: Sequence[Points],
    radius: float | Sequence[float],
) -> PointMatches:
    """Match the points of each image greedily, the highest score first.

    Each takes the nearest true point within the radius that is free.

    Args:
        detected: of each image.
        scores: float [n] of each image.
        true: of each image.
        radius: in pixels; one for all images, or one for each.
    """
    radii = np.broadcast_to(np.asarray(radius, np.float64), len(true))
    matched = [
        _matched(points[np.argsort(-score, kind="stable")], truth, float(limit))
        for points, score, truth, limit in zip(detected, scores, true, radii, strict=True)
    ]
    return PointMatches(
        np.array(matched, np.int64),
        np.array([len(points) for points in detected], np.int64),
        np.array([len(truth) for truth in true], np.int64),
    )


def _matched(points: Points, truth: Points, radius: float) -> int:
    if not len(points) or not len(truth):
        return 0
    distances = np.linalg.norm(points[:, None].astype(np.float64) - truth[None], axis=2)
    distances[distances > radius] = np.inf
    count = 0
    for row in range(len(points)):
        nearest = int(distances[row].argmin())
        if np.isfinite(distances[row, nearest]):
            distances[:, nearest] = np.inf
            count += 1
    return count


def point_f1(
    matches: PointMatches, weights: NDArray[np.float32] | None = None
) -> NDArray[np.float64]:
    """Compute F1, float64 [r], of r resamples; NaN where there is no point at all.

    ``weights``: as in :func:`converters.metrics.average_precision.average_precisions`.
    """
    if weights is None:
        weights = np.ones((1, len(matches.true)), np.float32)
    exact = weights.astype(np.float64)
    points = exact @ (matches.detected + matches.true)
    hits = 2 * (exact @ matches.matched)
    return np.divide(hits, points, out=np.full(len(exact), np.nan), where=points > 0)


def count_error(matches: PointMatches) -> CountError:
    """Return the error of the number of points; at least one image."""
    errors = matches.detected - matches.true
    mean, usual = float(np.abs(errors).mean()), float(matches.true.mean())
    return CountError(mean, mean / usual if usual else None, float(errors.mean()))
