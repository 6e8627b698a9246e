"""Quality of a detector: mAP50, figures per class, and what a file lost against another one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.metrics.average_precision import average_precisions, mean_precision
from converters.metrics.box_matching import SIZES, ClassMatches, match_classes
from converters.metrics.boxes import DetectedBoxes, TrueBoxes
from converters.metrics.calibration import calibration_error
from converters.metrics.operating_point import (
    at_score,
    best_f1,
    false_alarms,
    for_precision,
    operating_points,
    score_bins,
)
from converters.metrics.resampling import drop_interval, interval, resample
from converters.verification.calibration import ScoreThreshold
from converters.verification.intervals import wilson_interval
from converters.verification.quality import (
    ClassQuality,
    PairedLoss,
    Quality,
    QualityMetric,
    scaled_interval,
)
from edge.quantities import counted
from edge.tasks.detect.detector import THRESHOLD

MAP50 = QualityMetric("map50", "mAP50", "--min-map50")


def measure_quality(
    true: Sequence[TrueBoxes],
    detected: Sequence[DetectedBoxes],
    validation: float,
    classes: Sequence[str],
    seed: int,
) -> Quality:
    """Measure detections on the test split; ``validation``: mAP50 on the validation split."""
    matches = match_classes(true, detected, len(classes))
    whole = average_precisions(matches)
    samples = mean_precision(average_precisions(matches, resample(len(true), seed))[:, :, :1])
    value = _number(mean_precision(whole[:, :, :1])[0])
    bounds = interval(samples, len(true))
    points = operating_points(matches)
    best, usual = best_f1(points), at_score(points, THRESHOLD)
    figures = {
        "map": _number(mean_precision(whole)[0]),
        "precision": usual.precision,
        "recall": usual.recall,
        "best_threshold": best.score if best else 0.0,
        "calibration_error": calibration_error(score_bins(matches)),
        **_by_size(matches),
    }
    alarms = false_alarms(true, detected, THRESHOLD)
    if alarms is not None:
        figures["false_alarms_per_100"] = alarms
    return Quality(
        metric=MAP50,
        value=value,
        interval=bounds,
        images=len(true),
        interval_for=scaled_interval(value, bounds, len(true)),
        validation=validation,
        figures=figures,
        per_class=_per_class(matches, whole[0], classes),
        details=matches,
    )


def _by_size(matches: Sequence[ClassMatches]) -> dict[str, float]:
    """Return mAP50-95 of the sizes of objects that there are, in pixels of the input."""
    values = {
        f"map_{name}": float(mean_precision(average_precisions(matches, size=size))[0])
        for size, name in enumerate(SIZES)
        if size
    }
    return {name: value for name, value in values.items() if not np.isnan(value)}


def map50(
    true: Sequence[TrueBoxes], detected: Sequence[DetectedBoxes], classes: Sequence[str]
) -> float:
    """Return the mean average precision at an IoU of 0.5; 0 without true boxes."""
    precisions = average_precisions(match_classes(true, detected, len(classes)))
    return _number(mean_precision(precisions[:, :, :1])[0])


@dataclass(frozen=True, slots=True)
class DetectionThreshold(ScoreThreshold):
    """Minimum score of a detection; ``coverage`` is the share of the objects that are found."""

    def words(self) -> str:
        """Describe the threshold, or why there is none, in a sentence."""
        images = counted(self.images, "validation image")
        right = (
            f"{self.reached:.1%} of the detections are right (95 % interval from {self.lower:.1%})"
        )
        share = f"{self.coverage:.1%} of the objects in {images} are among them"
        if self.met:
            return f"Above a score of {self.score:.1%} {right}; {share}."
        return (
            f"No threshold reaches a precision of {self.precision:.1%}. The best is "
            f"{self.score:.1%}: {right}; {share}."
        )


def fit_threshold(
    true: Sequence[TrueBoxes],
    detected: Sequence[DetectedBoxes],
    classes: Sequence[str],
    precision: float,
) -> DetectionThreshold | None:
    """Find the lowest score above which this share of the boxes is right.

    Where none is, the figures are those of the most precise; None without any detection.
    """
    return threshold_of(match_classes(true, detected, len(classes)), precision, len(true))


def threshold_of(
    matches: Sequence[ClassMatches], precision: float, images: int
) -> DetectionThreshold | None:
    """Find the threshold for a precision from what is matched; see :func:`fit_threshold`."""
    points = operating_points(matches)
    if not points:
        return None
    best = max(points, key=lambda point: point.precision)
    chosen = for_precision(points, precision) or best
    hits = chosen.recall * sum(int(of_class.positives[0].sum()) for of_class in matches)
    accepted = hits / chosen.precision if chosen.precision else 1.0
    lower = wilson_interval(hits, max(1.0, accepted))[0]
    return DetectionThreshold(
        precision, chosen.score, chosen.precision, lower, chosen.recall, images
    )  # fmt: skip


def map50_loss(
    true: Sequence[TrueBoxes],
    before: Sequence[DetectedBoxes],
    after: Sequence[DetectedBoxes],
    classes: Sequence[str],
    seed: int,
) -> PairedLoss:
    """Measure what detections lost, on the same resamples of the images for both."""
    images = len(true)
    weights = resample(images, seed)
    wholes, samples = [], []
    for detected in (before, after):
        matches = match_classes(true, detected, len(classes))
        wholes.append(average_precisions(matches)[:, :, :1])
        samples.append(mean_precision(average_precisions(matches, weights)[:, :, :1]))
    drop = 100 * (_number(mean_precision(wholes[0])[0]) - _number(mean_precision(wholes[1])[0]))
    low, high = drop_interval(samples[0], samples[1], images)
    lost = np.nan_to_num(wholes[0][0, :, 0] - wholes[1][0, :, 0])
    worst = np.argsort(-lost, kind="stable")
    return PairedLoss(
        drop=drop,
        interval=(100 * low, 100 * high),
        images=images,
        interval_for=scaled_interval(drop, (100 * low, 100 * high), images),
        classes=tuple(classes[index] for index in worst if lost[index] > 0),
    )


def _per_class(
    matches: Sequence[ClassMatches], whole: NDArray[np.float64], classes: Sequence[str]
) -> tuple[ClassQuality, ...]:
    return tuple(
        ClassQuality(
            label,
            int(matches[index].positives[0].sum()),
            {"ap50": _number(whole[index, 0]), "ap": _number(whole[index].mean())},
        )
        for index, label in enumerate(classes)
    )


def _number(value: float) -> float:
    return float(np.nan_to_num(value))
