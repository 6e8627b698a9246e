"""Quality of a detector of points: F1, the error of the count, and what a file lost of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from converters.metrics.box_matching import ClassMatches
from converters.metrics.boxes import TrueBoxes
from converters.metrics.points import (
    DetectedPoints,
    PointCounts,
    count_errors,
    counts_above,
    match_points,
    point_f1,
)
from converters.metrics.resampling import drop_interval, interval, resample
from converters.verification.quality import (
    ClassQuality,
    PairedLoss,
    Quality,
    QualityMetric,
    scaled_interval,
)

F1 = QualityMetric("f1", "F1", "--min-f1")


def measure_quality(
    true: Sequence[TrueBoxes],
    detected: Sequence[DetectedPoints],
    validation: float,
    classes: Sequence[str],
    threshold: float,
    seed: int,
) -> Quality:
    """Measure points with at least the score ``threshold`` on the test split.

    ``validation``: F1 on the validation split.
    """
    images = len(true)
    matches = match_points(true, detected, len(classes))
    counts, weights = counts_above(matches, threshold), resample(images, seed)
    value = _number(point_f1(counts)[0])
    bounds = interval(point_f1(counts, weights), images)
    return Quality(
        metric=F1,
        value=value,
        interval=bounds,
        images=images,
        interval_for=scaled_interval(value, bounds, images),
        validation=validation,
        figures={"threshold": threshold, **_figures(counts, weights)},
        per_class=_per_class(matches, classes, threshold),
        details=counts,
    )


def f1(
    true: Sequence[TrueBoxes], detected: Sequence[DetectedPoints], classes: int, threshold: float
) -> float:
    """Return F1 of the points with at least this score; 0 without true points."""
    counts = counts_above(match_points(true, detected, classes), threshold)
    return _number(point_f1(counts)[0])


def f1_loss(
    true: Sequence[TrueBoxes],
    before: tuple[Sequence[DetectedPoints], float],
    after: tuple[Sequence[DetectedPoints], float],
    classes: Sequence[str],
    seed: int,
) -> PairedLoss:
    """Measure what detections lost, on the same resamples of the images for both.

    ``before`` and ``after``: points and the threshold of their scores.
    """
    images = len(true)
    weights = resample(images, seed)
    wholes, samples, per_class = [], [], []
    for detected, threshold in (before, after):
        matches = match_points(true, detected, len(classes))
        counts = counts_above(matches, threshold)
        wholes.append(_number(point_f1(counts)[0]))
        samples.append(point_f1(counts, weights))
        per_class.append([row.figures["f1"] for row in _per_class(matches, classes, threshold)])
    low, high = drop_interval(samples[0], samples[1], images)
    drop, bounds = 100 * (wholes[0] - wholes[1]), (100 * low, 100 * high)
    lost = np.subtract(per_class[0], per_class[1])
    worst = np.argsort(-lost, kind="stable")
    return PairedLoss(
        drop=drop,
        interval=bounds,
        images=images,
        interval_for=scaled_interval(drop, bounds, images),
        classes=tuple(classes[index] for index in worst if lost[index] > 0),
    )


def _figures(counts: PointCounts, weights: NDArray[np.float32]) -> dict[str, float]:
    """Return precision and recall, and the error of the count with its interval."""
    errors = count_errors(counts)
    low, high = interval(count_errors(counts, weights).mean, len(counts.true), highest=np.inf)
    hits = counts.matched.sum()
    return {
        "precision": float(hits / max(1, counts.detected.sum())),
        "recall": float(hits / max(1, counts.true.sum())),
        "count_mean": float(counts.true.mean()),
        "count_error": float(errors.mean[0]),
        "count_error_low": low,
        "count_error_high": high,
        "count_error_share": _number(errors.relative[0]),
        "count_bias": float(errors.bias[0]),
    }


def _per_class(
    matches: Sequence[ClassMatches], classes: Sequence[str], threshold: float
) -> tuple[ClassQuality, ...]:
    rows = []
    for label, of_class in zip(classes, matches, strict=True):
        counts = counts_above([of_class], threshold)
        errors = count_errors(counts)
        figures = {
            "f1": _number(point_f1(counts)[0]),
            "count_error": float(errors.mean[0]),
            "count_error_share": _number(errors.relative[0]),
        }
        rows.append(ClassQuality(label, int(counts.true.sum()), figures))
    return tuple(rows)


def _number(value: float) -> float:
    return float(np.nan_to_num(value))
