"""Evaluation of detectors that find points, by which objects are counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from converters.evaluation import detection
from converters.evaluation.evaluation_task import (
    EvaluationImage,
    EvaluationImages,
    EvaluationTask,
    ModelOptions,
)
from converters.evaluation.label_matching import LabelMatch
from converters.evaluation.records import ClassFigures, Measurement
from converters.metrics.box_matching import ClassMatches
from converters.metrics.boxes import TrueBoxes
from converters.metrics.points import (
    WRONG,
    DetectedPoints,
    PointCounts,
    count_errors,
    counts_above,
    match_image,
    match_points,
    point_f1,
)
from converters.metrics.resampling import interval, resample
from edge.errors import ModelError
from edge.quantities import counted
from edge.results import Detection, Detections
from edge.tasks.detect.detector import Detector, middle


@dataclass(frozen=True, slots=True, eq=False)
class PointOutcome:
    """True boxes and detected points of an image, in indices of the matched classes."""

    true: TrueBoxes
    detected: DetectedPoints

    @property
    def counts(self) -> tuple[int, int, int]:
        """Numbers of objects that are detected, missed, and wrongly detected."""
        matched = match_image(self.true, self.detected)
        hits = int((matched >= 0).sum())
        return hits, int((~self.true.ignored).sum()) - hits, int((matched == WRONG).sum())


class CountEvaluation(EvaluationTask):
    """F1 of points at the model's own threshold, and the error of the count."""

    name = "count"
    main = "f1"
    class_main = "f1"
    headings: ClassVar = {
        "f1": "F1",
        "precision": "Precision",
        "recall": "Recall",
        "count_error": "Error of the count",
    }
    class_headings: ClassVar = {
        "f1": "F1",
        "count_error": "error of the count",
        "objects": "objects",
        "images": "images",
    }
    minimums: ClassVar = {"min_f1": "f1"}

    def open(self, model: Path, options: ModelOptions) -> Detector:
        """Open a detector of points.

        Raises:
            ModelError: it finds boxes.
        """
        opened = Detector.open(
            model, labels=options.labels, mean=options.mean, std=options.std,
            delegate=options.delegate, threads=options.threads,
        )  # fmt: skip
        if not opened.finds_points:
            raise ModelError(
                "a detector of points, of 'edge convert --head centers'",
                f"{model}, which finds boxes",
                "leave out --task, or use --task detect",
                code="model-wrong-task",
            )
        return opened

    def labels(self, opened: Detector) -> tuple[str, ...]:
        """Return the labels of the classes; none where the model has none."""
        return opened.labels or ()

    def list_images(self, dataset: Path, workdir: Path) -> EvaluationImages:
        """List images with boxes."""
        return detection.list_images(dataset, workdir)

    def outcome(
        self, image: EvaluationImage, result: Detections, match: LabelMatch
    ) -> PointOutcome:
        """Keep the boxes and points of the matched classes."""
        shown = _matched(result, match)
        points = DetectedPoints(
            np.array([each.point for each in shown], np.float64).reshape(-1, 2),
            np.array([each.score for each in shown], np.float64),
            np.array([each.index for each in shown], np.int64),
        )
        return PointOutcome(detection.true_boxes(image.truth, match), points)

    def measure(
        self, outcomes: Sequence[PointOutcome], classes: Sequence[str], seed: int
    ) -> Measurement:
        """Measure F1 and the error of the count with intervals over the images."""
        true = [outcome.true for outcome in outcomes]
        matches = match_points(true, [outcome.detected for outcome in outcomes], len(classes))
        counts, weights = counts_above(matches, 0.0), resample(len(outcomes), seed)
        errors, drawn = count_errors(counts), count_errors(counts, weights)
        samples = {"f1": point_f1(counts, weights), "count_error": drawn.relative}
        images = len(outcomes)
        bounds = interval(drawn.mean, images, highest=np.inf)
        return Measurement(
            metrics={
                "f1": float(point_f1(counts)[0]),
                "precision": _share(counts.matched, counts.detected),
                "recall": _share(counts.matched, counts.true),
                "count_error": float(errors.relative[0]),
            },
            intervals={
                "f1": interval(samples["f1"], images),
                "count_error": interval(drawn.relative, images, highest=np.inf),
            },
            per_class=_per_class(matches, weights, classes),
            samples=samples,
            details={
                "classes": list(classes),
                "counts": {
                    "mean": float(counts.true.mean()),
                    "error": float(errors.mean[0]),
                    "interval": bounds,
                    "bias": float(errors.bias[0]),
                },
            },
            faults=np.array([_fault(outcome) for outcome in outcomes]),
            outcomes=tuple(outcomes),
        )

    def effects(self, reference: Measurement, measured: Measurement) -> tuple[str, ...]:
        """Compare counts and mistakes."""
        sides = [
            np.array([outcome.counts for outcome in side.outcomes]).reshape(-1, 3)
            for side in (reference, measured)
        ]
        numbers = [side[:, 0] + side[:, 2] for side in sides]
        same = int((numbers[0] == numbers[1]).sum())
        return (
            f"both count the same in {same} of {counted(len(measured.outcomes), 'image')}",
            f"missed objects: {sides[1][:, 1].sum()} by this model, {sides[0][:, 1].sum()} by the "
            "other",
            f"false detections: {sides[1][:, 2].sum()} by this model, {sides[0][:, 2].sum()} by "
            "the other",
        )

    def describe(self, outcome: PointOutcome, classes: Sequence[str]) -> str:
        """Say how many there are, what is missed and what is false."""
        hits, missed, false = outcome.counts
        words = f"{hits + false} counted, {hits + missed} there"
        parts = [f"{missed} missed"] * bool(missed) + [f"{false} wrong"] * bool(false)
        return f"{words}: {', '.join(parts)}" if parts else words

    def shown(
        self, image: EvaluationImage, result: Detections, match: LabelMatch
    ) -> tuple[Detections, Detections]:
        """Return the middles of true boxes, and the points of the matched classes."""
        true = detection.true_boxes(image.truth, match)
        rows = zip(true.classes.tolist(), true.boxes.tolist(), strict=True)
        truth = tuple(
            Detection(match.classes[c], c, 1.0, tuple(box), point=middle(box, image.truth.size))
            for c, box in rows
        )
        return Detections(truth), Detections(tuple(_matched(result, match)))


def _matched(result: Detections, match: LabelMatch) -> list[Detection]:
    """Return the detections of the matched classes, with their names and indices."""
    matched = []
    for each in result.detections:
        index = int(match.of_model[each.index]) if each.index < len(match.of_model) else -1
        if index >= 0:
            label = match.classes[index]
            matched.append(Detection(label, index, each.score, each.box, point=each.point))
    return matched


def _share(hits: NDArray[np.int64], every: NDArray[np.int64]) -> float:
    return float(hits.sum() / every.sum()) if every.sum() else float("nan")


def _per_class(
    matches: Sequence[ClassMatches], weights: NDArray[np.float32], classes: Sequence[str]
) -> dict[str, ClassFigures]:
    figures: dict[str, ClassFigures] = {}
    for label, of_class in zip(classes, matches, strict=True):
        counts: PointCounts = counts_above([of_class], 0.0)
        images = int((counts.true > 0).sum())
        figures[label] = {
            "f1": float(point_f1(counts)[0]),
            "interval": interval(point_f1(counts, weights), max(1, images)),
            "count_error": float(count_errors(counts).relative[0]),
            "objects": int(counts.true.sum()),
            "images": images,
        }
    return figures


def _fault(outcome: PointOutcome) -> float:
    """Count the mistakes; the share of them decides among images with as many."""
    hits, missed, false = outcome.counts
    wrong = missed + false
    return wrong + wrong / max(1, hits + wrong)
