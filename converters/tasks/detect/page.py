"""The part of a report's page that is about boxes: figures per class and the worst images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import SPLITS, Split
from converters.metrics.average_precision import curve_points
from converters.metrics.box_matching import IOUS, match_boxes, match_classes
from converters.metrics.boxes import DetectedBoxes, box_ious
from converters.metrics.operating_point import score_bins
from converters.report import plots
from converters.report.formatting import percent
from converters.report.gallery import data_uri
from converters.report.html import TaskPage
from converters.report.model import Report
from converters.report.precision_recall_plot import (
    describe_precision_recall,
    precision_recall_svg,
)
from converters.report.sections import ReliabilityBinReport
from converters.report.variant import ClassQualityReport, ThresholdReport
from converters.task import TrainingResult
from converters.tasks.detect.dataset import ImageBoxes
from converters.tasks.detect.predictions import decoding_time, true_boxes
from converters.verification.evaluate import Predictions
from edge.quantities import counted
from edge.tasks.detect.detector import THRESHOLD

TRAINED = {
    "frozen": "A head on a frozen backbone",
    "fine-tuned": "A head and the last blocks of the backbone",
}

_SHOWN = 12
_SIDE = 256
_TRUE, _PREDICTED = (40, 170, 60), (230, 60, 40)
"""RGB of true and of predicted boxes."""

_SIZES = {
    "small": "small: up to 32 × 32 pixels",
    "medium": "medium",
    "large": "large: from 96 × 96 pixels on",
}
"""Sizes of COCO, here in pixels of the model's input."""

_NO_BOXES = np.empty((0, 4), np.float32)


@dataclass(frozen=True, slots=True)
class WorstImage:
    """A test image with true (green) and detected (red) boxes; ``faults``: in words."""

    uri: str
    name: str
    faults: str


def fill_page(report: Report, training: TrainingResult, selected: Predictions) -> TaskPage:
    """Return the part of the page; ``selected``: predictions of the chosen variant."""
    chosen = report.chosen_variant
    worst = worst_images(training, selected.test)
    return TaskPage(
        templates=Path(__file__).parent,
        values={
            "figures": chosen.quality.figures,
            "per_class": sorted(chosen.quality.per_class, key=lambda row: row.figures["ap50"]),
            "worst": worst,
            "threshold": THRESHOLD,
            "sizes": [
                (words, chosen.quality.figures[f"map_{name}"])
                for name, words in _SIZES.items()
                if f"map_{name}" in chosen.quality.figures
            ],
            "stored_threshold": _threshold_words(chosen.threshold),
            "decoding_ms": decoding_time(
                selected.variant.content, training.dataset, training.split.test
            ),
            **_plots(training, selected.test, chosen.quality.per_class),
        },
        trained=TRAINED.get(report.training.method, report.training.method),
        not_measured=("Images from other cameras or places than those of the data set.",),
        draw=lambda index, pixels: _drawn(pixels, training.dataset.annotations[index].boxes),
        counted="objects",
        counts=count_objects(training.dataset, training.split),
    )


def _plots(
    training: TrainingResult,
    detected: Sequence[DetectedBoxes],
    per_class: Sequence[ClassQualityReport],
) -> dict[str, Any]:
    """Return the curves of precision by recall, and the share that is correct by score."""
    from markupsafe import Markup

    classes = training.dataset.classes
    true = true_boxes(training.dataset, training.split.test)
    matches = match_classes(true, detected, len(classes))
    curves = {label: curve_points(each) for label, each in zip(classes, matches, strict=True)}
    precisions = {row.label: row.figures["ap50"] or 0.0 for row in per_class}
    bins = [
        ReliabilityBinReport(b.low, b.high, b.count, b.confidence, b.correct)
        for b in score_bins(matches)
    ]
    return {
        "precision_recall": (
            describe_precision_recall(curves, precisions), Markup(precision_recall_svg(curves)),
        ),
        "reliability": (
            plots.describe_reliability(bins, "detection"),
            Markup(plots.reliability_svg(bins, "detections")),
        ),
    }  # fmt: skip


def _threshold_words(threshold: ThresholdReport | None) -> str:
    if threshold is None:
        return (
            "No score threshold is stored. With --precision 0.95 the lowest score is stored above "
            "which 95 % of the detections are right."
        )
    verb = "are" if threshold.met else "are only"
    return (
        f"The stored score threshold is {percent(threshold.score)}: on the validation split "
        f"{percent(threshold.reached)} of the detections above it {verb} right, and "
        f"{percent(threshold.coverage)} of the objects are among them."
    )


def count_objects(dataset: Dataset, split: Split) -> list[dict[str, int]]:
    """Count the objects of each class in each subset, without those to ignore."""

    def count(subset: str) -> NDArray[np.int64]:
        shown = [dataset.annotations[index] for index in getattr(split, subset)]
        labels = np.concatenate([image.labels[~image.ignored] for image in shown])
        return np.bincount(labels, minlength=len(dataset.classes))

    counts = {subset: count(subset).tolist() for subset in SPLITS}
    return [
        {subset: counts[subset][label] for subset in SPLITS}
        for label in range(len(dataset.classes))
    ]


def worst_images(
    training: TrainingResult, detected: Sequence[DetectedBoxes]
) -> tuple[WorstImage, ...]:
    """Return the test images with most mistakes above the usual threshold, the worst first."""
    dataset, test = training.dataset, training.split.test
    counted_faults = [
        _faults(dataset.annotations[index], each.above(THRESHOLD))
        for index, each in zip(test, detected, strict=True)
    ]
    order = sorted(range(len(test)), key=lambda row: -sum(counted_faults[row]))
    shown = []
    for row in order[:_SHOWN]:
        missed, false = counted_faults[row]
        if missed + false == 0:
            break
        index = int(test[row])
        pixels = _drawn(
            np.array(dataset.pixels[index]),
            dataset.annotations[index].boxes,
            detected[row].above(THRESHOLD).boxes,
        )
        words = f"{counted(missed, 'object')} missed, {counted(false, 'box')} wrong"
        shown.append(WorstImage(data_uri(pixels, _SIDE), dataset.images[index].name, words))
    return tuple(shown)


def _faults(truth: ImageBoxes, detected: DetectedBoxes) -> tuple[int, int]:
    """Count missed objects and wrong boxes at an IoU of 0.5."""
    order = np.argsort(-detected.scores, kind="stable")
    ious = box_ious(detected.boxes[order], truth.boxes, truth.ignored)
    ious[detected.classes[order][:, None] != truth.labels[None]] = 0
    matched = match_boxes(ious, truth.ignored[None], truth.ignored, IOUS[:1])[0, 0]
    missed = set(np.flatnonzero(~truth.ignored).tolist()) - set(matched.tolist())
    return len(missed), int((matched < 0).sum())


def _drawn(
    pixels: NDArray[np.uint8],
    true: NDArray[np.floating[Any]],
    detected: NDArray[np.floating[Any]] = _NO_BOXES,
) -> NDArray[np.uint8]:
    """Draw true and detected boxes."""
    for boxes, color in ((true, _TRUE), (detected, _PREDICTED)):
        for left, top, right, bottom in np.rint(boxes).astype(int).tolist():
            cv2.rectangle(pixels, (left, top), (right - 1, bottom - 1), color, 1)
    return pixels
