"""The part of a report's page that is about points: counts, figures per class, worst images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converters.metrics.points import WRONG, DetectedPoints, match_image, middles
from converters.report.gallery import data_uri
from converters.report.html import TaskPage
from converters.report.model import Report
from converters.task import TrainingResult
from converters.tasks.detect.page import TRAINED, WorstImage, count_objects
from converters.verification.evaluate import Predictions
from edge.quantities import counted

_SHOWN = 12
_SIDE = 256
_TRUE, _RIGHT, _WRONG = (40, 200, 70), (255, 255, 255), (240, 50, 40)
"""RGB of true middles, and of points that are right or wrong."""


@dataclass(frozen=True, slots=True)
class VariantCounts:
    """Error of the count of a variant, beside its F1."""

    name: str
    f1: float
    error: float
    interval: tuple[float, float]
    share: float
    bias: float


def fill_page(report: Report, training: TrainingResult, selected: Predictions) -> TaskPage:
    """Return the part of the page; ``selected``: predictions of the chosen variant."""
    chosen = report.chosen_variant
    threshold = chosen.quality.figures["threshold"] or 0.0
    return TaskPage(
        templates=Path(__file__).parent,
        values={
            "figures": chosen.quality.figures,
            "required": chosen.threshold is not None and chosen.threshold.met,
            "variants": [_counts(name, row.quality) for name, row in report.variants.items()],
            "per_class": sorted(chosen.quality.per_class, key=lambda row: row.figures["f1"]),
            "worst": worst_images(training, selected.test, threshold),
        },
        trained=TRAINED.get(report.training.method, report.training.method),
        not_measured=("Images from other cameras or places than those of the data set.",),
        draw=lambda index, pixels: _drawn(pixels, training.dataset.annotations[index].boxes),
        counted="objects",
        counts=count_objects(training.dataset, training.split),
    )


def worst_images(
    training: TrainingResult, detected: Sequence[DetectedPoints], threshold: float
) -> tuple[WorstImage, ...]:
    """Return the test images with most mistakes above the threshold, the worst first."""
    dataset, test = training.dataset, training.split.test
    rows = []
    for index, points in zip(test.tolist(), detected, strict=True):
        above, truth = points.above(threshold), dataset.annotations[index]
        matched = match_image(truth.true_boxes(), above)
        missed = int((~truth.ignored).sum() - (matched >= 0).sum())
        rows.append((missed, int((matched == WRONG).sum()), index, above, matched))
    shown: list[WorstImage] = []
    for missed, wrong, index, above, matched in sorted(rows, key=lambda row: -row[0] - row[1]):
        if missed + wrong == 0 or len(shown) == _SHOWN:
            break
        truth = dataset.annotations[index]
        pixels = _drawn(np.array(dataset.pixels[index]), truth.boxes, above.points, matched)
        there = int((~truth.ignored).sum())
        words = (
            f"{there - missed + wrong} counted, {there} there: {missed} missed, "
            f"{counted(wrong, 'point')} wrong"
        )
        shown.append(WorstImage(data_uri(pixels, _SIDE), dataset.images[index].name, words))
    return tuple(shown)


def _counts(name: str, quality: Any) -> VariantCounts:
    figures = quality.figures
    return VariantCounts(
        name, quality.value, figures["count_error"],
        (figures["count_error_low"], figures["count_error_high"]),
        figures["count_error_share"], figures["count_bias"],
    )  # fmt: skip


def _drawn(
    pixels: NDArray[np.uint8],
    boxes: NDArray[np.floating[Any]],
    points: NDArray[np.floating[Any]] | None = None,
    matched: NDArray[np.int64] | None = None,
) -> NDArray[np.uint8]:
    """Draw true middles as rings, and points as dots in the color of whether they are right."""
    for box, middle in zip(boxes, middles(boxes), strict=True):
        radius = max(3, round(0.25 * float(np.sqrt((box[2:] - box[:2]).prod()))))
        cv2.circle(pixels, _pixel(middle), radius, _TRUE, 1, cv2.LINE_AA)
    if points is not None and matched is not None:
        for point, match in zip(points, matched.tolist(), strict=True):
            cv2.circle(pixels, _pixel(point), 2, _WRONG if match == WRONG else _RIGHT, cv2.FILLED)
    return pixels


def _pixel(point: NDArray[np.floating[Any]]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
