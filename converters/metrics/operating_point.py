"""What a score threshold does to detections at an IoU of 0.5."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.metrics.box_matching import ClassMatches
from converters.metrics.boxes import DetectedBoxes, TrueBoxes
from converters.metrics.calibration import BINS, ScoreBin, bin_scores


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Precision, recall and F1 (0–1) of the detections with at least this score."""

    score: float
    precision: float
    recall: float
    f1: float


def operating_points(matches: Sequence[ClassMatches]) -> tuple[OperatingPoint, ...]:
    """Return what each score as the threshold gives, over all classes, by rising score."""
    scores, correct = _pooled(matches)
    total = sum(int(of_class.positives[0].sum()) for of_class in matches)
    if not len(scores) or not total:
        return ()
    cuts, indices = np.unique(scores, return_inverse=True)
    accepted = np.bincount(indices)[::-1].cumsum()[::-1]
    hits = np.bincount(indices, weights=correct)[::-1].cumsum()[::-1]
    rows = zip(cuts, hits / accepted, hits / total, 2 * hits / (accepted + total), strict=True)
    return tuple(OperatingPoint(*map(float, row)) for row in rows)


def at_score(points: Sequence[OperatingPoint], score: float) -> OperatingPoint:
    """Return what the threshold ``score`` gives; without a detection precision is 0."""
    accepted = next((point for point in points if point.score >= score), None)
    if accepted is None:
        return OperatingPoint(score, 0.0, 0.0, 0.0)
    return OperatingPoint(score, accepted.precision, accepted.recall, accepted.f1)


def for_precision(points: Sequence[OperatingPoint], precision: float) -> OperatingPoint | None:
    """Return the lowest threshold that reaches a precision; None where none does."""
    return next((point for point in points if point.precision >= precision), None)


def best_f1(points: Sequence[OperatingPoint]) -> OperatingPoint | None:
    """Return the threshold with the highest F1; None without a detection."""
    return max(points, key=lambda point: point.f1, default=None)


def false_alarms(
    true: Sequence[TrueBoxes], detected: Sequence[DetectedBoxes], score: float
) -> float | None:
    """Count detections of at least ``score`` per 100 images that show none of the classes.

    None where there is no such image.
    """
    alarms = [
        int((detections.scores >= score).sum())
        for truth, detections in zip(true, detected, strict=True)
        if not len(truth.boxes)
    ]
    return 100 * sum(alarms) / len(alarms) if alarms else None


def score_bins(matches: Sequence[ClassMatches], bins: int = BINS) -> tuple[ScoreBin, ...]:
    """Compare the scores of all detections with the share that is correct."""
    return bin_scores(*_pooled(matches), bins)


def _pooled(
    matches: Sequence[ClassMatches],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return scores and correctness of the detections of all classes that count, in any order."""
    kept = [~of_class.ignored[0, 0] for of_class in matches]
    scores = [of_class.scores[rows] for of_class, rows in zip(matches, kept, strict=True)]
    correct = [of_class.correct[0, 0][rows] for of_class, rows in zip(matches, kept, strict=True)]
    return (
        np.concatenate([np.zeros(0), *scores]),
        np.concatenate([np.zeros(0, np.bool_), *correct]),
    )
