"""Evaluation of detectors."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from converters.dataset import intake
from converters.dataset.annotations import BoxedFile
from converters.evaluation.evaluation_task import (
    EvaluationImage,
    EvaluationImages,
    EvaluationTask,
    ModelOptions,
)
from converters.evaluation.label_matching import LabelMatch
from converters.evaluation.records import ClassFigures, Measurement
from converters.metrics.average_precision import (
    average_precisions,
    curve_points,
    mean_precision,
)
from converters.metrics.box_matching import SIZES, ClassMatches, match_boxes, match_classes
from converters.metrics.boxes import DetectedBoxes, TrueBoxes, areas, box_ious, clip
from converters.metrics.calibration import calibration_error
from converters.metrics.operating_point import (
    at_score,
    best_f1,
    false_alarms,
    operating_points,
    score_bins,
)
from converters.metrics.resampling import interval, resample
from edge.errors import ModelError
from edge.quantities import counted
from edge.results import Detection, Detections
from edge.tasks.detect.detector import THRESHOLD, Detector
from edge.tasks.detect.heads.ssd import post_processing

MIN_SCORE = 0.01
"""Detections with lower scores do not matter to mAP, and cost time."""

_ABOVE = f"{100 * THRESHOLD:.0f}\N{NO-BREAK SPACE}%"
_IOU = np.array([0.5])


@dataclass(frozen=True, slots=True, eq=False)
class BoxOutcome:
    """True and detected boxes of an image, in indices of the matched classes."""

    true: TrueBoxes
    detected: DetectedBoxes


class DetectionEvaluation(EvaluationTask):
    """COCO's average precision, and what a threshold gives."""

    name = "detect"
    main = "map50"
    class_main = "ap50"
    headings: ClassVar = {
        "map50": "mAP50",
        "map": "mAP50-95",
        "map75": "mAP75",
        "map_small": "mAP50-95, small objects",
        "map_medium": "mAP50-95, medium objects",
        "map_large": "mAP50-95, large objects",
        "precision": f"Precision above {_ABOVE}",
        "recall": f"Recall above {_ABOVE}",
        "f1": f"F1 above {_ABOVE}",
        "calibration_error": "Calibration error of the scores",
    }
    class_headings: ClassVar = {
        "ap50": "AP50",
        "ap": "AP50-95",
        "objects": "objects",
        "images": "images",
    }
    minimums: ClassVar = {"min_map": "map", "min_map50": "map50"}

    def open(self, model: Path, options: ModelOptions) -> Detector:
        """Open a detector that reports nearly all of its detections.

        Raises:
            ModelError: it finds points.
        """
        opened = Detector.open(
            model, labels=options.labels, mean=options.mean, std=options.std, threshold=MIN_SCORE,
            delegate=options.delegate, threads=options.threads,
        )  # fmt: skip
        if opened.finds_points:
            raise ModelError(
                "a detector of boxes",
                f"{model}, which finds points",
                "leave out --task, or use --task count",
                code="model-wrong-task",
            )
        return opened

    def labels(self, opened: Detector) -> tuple[str, ...]:
        """Return the labels of the classes; none where the model has none."""
        return opened.labels or ()

    def list_images(self, dataset: Path, workdir: Path) -> EvaluationImages:
        """List images with boxes."""
        return list_images(dataset, workdir)

    def outcome(self, image: EvaluationImage, result: Detections, match: LabelMatch) -> BoxOutcome:
        """Keep the boxes of the matched classes."""
        return BoxOutcome(true_boxes(image.truth, match), _detected(result, match))

    def measure(
        self, outcomes: Sequence[BoxOutcome], classes: Sequence[str], seed: int
    ) -> Measurement:
        """Measure average precision with intervals over the images."""
        true = [outcome.true for outcome in outcomes]
        detected = [outcome.detected for outcome in outcomes]
        matches = match_classes(true, detected, len(classes))
        whole = average_precisions(matches)
        resampled = average_precisions(matches, resample(len(outcomes), seed))
        samples = {
            "map50": mean_precision(resampled[:, :, :1]),
            "map": mean_precision(resampled),
        }
        return Measurement(
            metrics={
                "map50": float(mean_precision(whole[:, :, :1])[0]),
                "map": float(mean_precision(whole)[0]),
                "map75": float(mean_precision(whole[:, :, 5:6])[0]),
                **{
                    f"map_{name}": float(mean_precision(average_precisions(matches, size=size))[0])
                    for size, name in enumerate(SIZES)
                    if size
                },
                **_at_threshold(matches),
            },
            intervals={name: interval(values, len(outcomes)) for name, values in samples.items()},
            per_class=_per_class(matches, whole[0], resampled, classes),
            samples=samples,
            details=_details(matches, true, detected, classes),
            faults=np.array([_fault(outcome) for outcome in outcomes]),
            outcomes=tuple(outcomes),
        )

    def notes(self, opened: Detector, outcomes: Sequence[BoxOutcome]) -> Iterator[str]:
        """Say where images show more objects than the model returns."""
        limit = max_detections(opened)
        if limit is None:
            return
        fuller = sum(len(outcome.true.classes) > limit for outcome in outcomes)
        if fuller:
            yield (
                f"the model returns at most {counted(limit, 'object')} for an image, and "
                f"{counted(fuller, 'image')} show more"
            )

    def effects(self, reference: Measurement, measured: Measurement) -> tuple[str, ...]:
        """Count the true objects that only one of both detects, and compare false detections."""
        lost = gained = kept = total = 0
        for before, after in zip(reference.outcomes, measured.outcomes, strict=True):
            first, second = _detected_objects(before), _detected_objects(after)
            lost += int((first & ~second).sum())
            gained += int((second & ~first).sum())
            kept += int((first & second).sum())
            total += int((~before.true.ignored).sum())
        alarms = [sum(map(_false, side.outcomes)) for side in (reference, measured)]
        return (
            f"of {counted(total, 'object')} {kept} are detected by both above {_ABOVE}, {gained} "
            f"by this model alone, {lost} by the other alone",
            f"false detections: {alarms[1]} by this model, {alarms[0]} by the other",
        )

    def describe(self, outcome: BoxOutcome, classes: Sequence[str]) -> str:
        """Count what is missed and what is false."""
        missed, false = _mistaken(outcome)
        words = []
        if len(missed):
            words.append(f"{_listed(outcome.true.classes[missed], classes)} missed")
        if len(false):
            words.append(f"{_listed(outcome.detected.classes[false], classes)} wrongly detected")
        return "; ".join(words)

    def shown(
        self, image: EvaluationImage, result: Detections, match: LabelMatch
    ) -> tuple[Detections, Detections]:
        """Return true boxes, and detections of the matched classes above the threshold."""
        true = true_boxes(image.truth, match)
        rows = zip(true.classes.tolist(), true.boxes.tolist(), strict=True)
        truth = tuple(Detection(match.classes[c], c, 1.0, tuple(box)) for c, box in rows)
        best = []
        for detection in result.detections:
            index = int(match.of_model[detection.index])
            if index >= 0 and detection.score >= THRESHOLD:
                best.append(Detection(match.classes[index], index, detection.score, detection.box))
        return Detections(truth), Detections(tuple(best))


def list_images(dataset: Path, workdir: Path) -> EvaluationImages:
    """List the images with boxes of a data set, which may be unpacked into ``workdir``.

    Raises:
        DatasetError: it is missing, unreadable, or not labeled with boxes.
    """
    listing = intake.list_boxes(intake.open_dataset(dataset, workdir))
    images = tuple(EvaluationImage(f.path, f.name, f.split, f) for f in listing.images)
    notes = tuple(finding.sentence for finding in listing.findings)
    return EvaluationImages(listing.name, listing.classes, images, notes)


def max_detections(detector: Detector) -> int | None:
    """Return how many objects a model with SSD's post-processing returns; None for others."""
    if post_processing(detector.runtime.file.main) is None:
        return None
    boxes = (spec.shape for spec in detector.runtime.outputs if len(spec.shape) == 3)
    return next((shape[1] for shape in boxes), None)


def true_boxes(file: BoxedFile, match: LabelMatch) -> TrueBoxes:
    """Return the boxes of the matched classes, as far as they are inside of the picture."""
    boxes = clip(file.boxes, *file.size)
    classes = match.of_dataset[file.labels]
    rows = (classes >= 0) & (areas(boxes) > 0)
    return TrueBoxes(boxes[rows], classes[rows], file.ignored[rows])


def _detected(result: Detections, match: LabelMatch) -> DetectedBoxes:
    count = len(match.of_model)
    rows = [d for d in result.detections if d.index < count and match.of_model[d.index] >= 0]
    return DetectedBoxes(
        np.array([d.box for d in rows], np.float64).reshape(-1, 4),
        np.array([d.score for d in rows], np.float64),
        match.of_model[np.array([d.index for d in rows], np.int64)],
    )


def _at_threshold(matches: Sequence[ClassMatches]) -> dict[str, float]:
    point = at_score(operating_points(matches), THRESHOLD)
    return {
        "precision": point.precision,
        "recall": point.recall,
        "f1": point.f1,
        "calibration_error": calibration_error(score_bins(matches)),
    }


def _per_class(
    matches: Sequence[ClassMatches],
    whole: NDArray[np.float64],
    resampled: NDArray[np.float64],
    classes: Sequence[str],
) -> dict[str, ClassFigures]:
    figures: dict[str, ClassFigures] = {}
    for index, label in enumerate(classes):
        positives = matches[index].positives[0]
        images = int((positives > 0).sum())
        figures[label] = {
            "ap50": float(whole[index, 0]),
            "ap": float(whole[index].mean()),
            "interval": interval(resampled[:, index, 0], max(1, images)),
            "objects": int(positives.sum()),
            "images": images,
        }
    return figures


def _details(
    matches: Sequence[ClassMatches],
    true: Sequence[TrueBoxes],
    detected: Sequence[DetectedBoxes],
    classes: Sequence[str],
) -> dict[str, Any]:
    points = operating_points(matches)
    best = best_f1(points)
    curves = {
        label: curve_points(of_class) for label, of_class in zip(classes, matches, strict=True)
    }
    return {
        "classes": list(classes),
        "threshold": THRESHOLD,
        "best_f1": None if best is None else asdict(best),
        "false_alarms_per_100": false_alarms(true, detected, THRESHOLD),
        "curves": curves,
        "reliability": [asdict(entry) for entry in score_bins(matches)],
    }  # fmt: skip


def _matched(outcome: BoxOutcome) -> tuple[DetectedBoxes, NDArray[np.int64]]:
    """Return the detections above the threshold, best first, and the true box of each, or -1."""
    above = outcome.detected.above(THRESHOLD)
    order = np.argsort(-above.scores, kind="stable")
    detected = DetectedBoxes(above.boxes[order], above.scores[order], above.classes[order])
    true = outcome.true
    ious = box_ious(detected.boxes, true.boxes, true.ignored)
    ious[detected.classes[:, None] != true.classes[None]] = 0
    return detected, match_boxes(ious, true.ignored[None], true.ignored, _IOU)[0, 0]


def _detected_objects(outcome: BoxOutcome) -> NDArray[np.bool_]:
    """Return which true boxes that count are detected: bool [n]."""
    _, matched = _matched(outcome)
    hit = np.zeros(len(outcome.true.classes), np.bool_)
    hit[matched[matched >= 0]] = True
    return hit & ~outcome.true.ignored


def _mistaken(outcome: BoxOutcome) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of missed true boxes, and of false detections."""
    missed = np.flatnonzero(~_detected_objects(outcome) & ~outcome.true.ignored)
    above = np.flatnonzero(outcome.detected.scores >= THRESHOLD)
    order = above[np.argsort(-outcome.detected.scores[above], kind="stable")]
    return missed, order[_matched(outcome)[1] < 0]


def _false(outcome: BoxOutcome) -> int:
    return int((_matched(outcome)[1] < 0).sum())


def _fault(outcome: BoxOutcome) -> float:
    """Count the mistakes; the share of them decides among images with as many."""
    missed, false = _mistaken(outcome)
    wrong = len(missed) + len(false)
    every = len(outcome.true.classes) + len(false)
    return wrong + wrong / max(1, every)


def _listed(indices: NDArray[np.int64], classes: Sequence[str]) -> str:
    counts = np.bincount(indices, minlength=len(classes))
    return ", ".join(f"{counts[index]} {classes[index]}" for index in np.flatnonzero(counts))
