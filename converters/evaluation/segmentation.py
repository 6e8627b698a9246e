"""Evaluation of segmentation models."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from converters.dataset import intake
from converters.evaluation.evaluation_task import (
    EvaluationImage,
    EvaluationImages,
    EvaluationTask,
    ModelOptions,
)
from converters.evaluation.label_matching import LabelMatch
from converters.evaluation.records import ClassFigures, Measurement
from converters.metrics.masks import (
    VOID,
    Mask,
    boundary_counts,
    boundary_f1,
    class_ious,
    mask_confusion,
    mean_iou,
    pixel_accuracy,
)
from converters.metrics.resampling import interval, resample
from edge.modelfile.labels import is_background
from edge.quantities import counted
from edge.results import Segment, Segmentation
from edge.tasks.segment.segmenter import Segmenter

_OTHER = VOID - 1
"""Predicted class that the data set lacks, where it has no background either."""


@dataclass(frozen=True, slots=True, eq=False)
class MaskOutcome:
    """Pixels and pixels of boundaries of an image, see :mod:`converters.metrics.masks`."""

    confusion: NDArray[np.int64]
    boundaries: NDArray[np.int64]


class SegmentationEvaluation(EvaluationTask):
    """Intersection over union over all pixels; classes that the data set lacks are background."""

    name = "segment"
    main = "miou"
    class_main = "iou"
    headings: ClassVar = {
        "miou": "mIoU",
        "pixel_accuracy": "Pixel accuracy",
        "boundary_f1": "Boundary F1",
    }
    class_headings: ClassVar = {
        "iou": "IoU",
        "boundary_f1": "boundary F1",
        "share": "of the pixels",
        "images": "images",
    }
    minimums: ClassVar = {"min_miou": "miou"}

    def open(self, model: Path, options: ModelOptions) -> Segmenter:
        """Open a segmentation model."""
        return Segmenter.open(
            model, labels=options.labels, mean=options.mean, std=options.std,
            delegate=options.delegate, threads=options.threads,
        )  # fmt: skip

    def labels(self, opened: Segmenter) -> tuple[str, ...]:
        """Return the labels of the classes."""
        return opened.labels

    def list_images(self, dataset: Path, workdir: Path) -> EvaluationImages:
        """List images with masks."""
        listing = intake.list_masks(intake.open_dataset(dataset, workdir))
        images = tuple(EvaluationImage(f.path, f.name, f.split, f) for f in listing.images)
        notes = tuple(finding.sentence for finding in listing.findings)
        return EvaluationImages(listing.name, listing.classes, images, notes)

    def outcome(
        self, image: EvaluationImage, result: Segmentation, match: LabelMatch
    ) -> MaskOutcome:
        """Count pixels by true and predicted class."""
        true, predicted = _true(image, match), _predicted(result, match)
        count = len(match.classes)
        return MaskOutcome(
            mask_confusion(true, predicted, count), boundary_counts(true, predicted, count)
        )

    def measure(
        self, outcomes: Sequence[MaskOutcome], classes: Sequence[str], seed: int
    ) -> Measurement:
        """Measure intersection over union with intervals over the images."""
        confusions = np.stack([outcome.confusion for outcome in outcomes])
        boundaries = boundary_f1([outcome.boundaries for outcome in outcomes])
        whole = class_ious(confusions)
        resampled = class_ious(confusions, resample(len(outcomes), seed))
        samples = {"miou": mean_iou(resampled)}
        ious = np.array([mean_iou(class_ious(counts[None]))[0] for counts in confusions])
        shown = [i for i, label in enumerate(classes) if not is_background(label)]
        return Measurement(
            metrics={
                "miou": float(mean_iou(whole)[0]),
                "pixel_accuracy": pixel_accuracy(confusions),
                "boundary_f1": _mean(boundaries[shown]),
            },
            intervals={name: interval(values, len(outcomes)) for name, values in samples.items()},
            per_class=_per_class(confusions, whole[0], resampled, boundaries, classes),
            samples=samples,
            details={"classes": list(classes), "confusion": confusions.sum(axis=0).tolist()},
            faults=np.nan_to_num(1 - ious),
            outcomes=tuple(outcomes),
        )

    def effects(self, reference: Measurement, measured: Measurement) -> tuple[str, ...]:
        """Count the images on which this model is better and worse."""
        change = reference.faults - measured.faults
        worse, better = int((change < -0.005).sum()), int((change > 0.005).sum())
        return (
            f"of {counted(len(change), 'image')} this model is more than half a point of IoU "
            f"worse than the other on {worse}, and better on {better}",
        )

    def describe(self, outcome: MaskOutcome, classes: Sequence[str]) -> str:
        """List the intersection over union of the classes in an image."""
        ious = class_ious(outcome.confusion[None])[0]
        shown = np.flatnonzero(~np.isnan(ious))
        return "IoU " + ", ".join(f"{classes[index]} {100 * ious[index]:.0f} %" for index in shown)

    def shown(
        self, image: EvaluationImage, result: Segmentation, match: LabelMatch
    ) -> tuple[Segmentation, Segmentation]:
        """Return true and predicted mask in the matched classes."""
        return (
            _segmentation(_true(image, match), match.classes),
            _segmentation(_predicted(result, match), match.classes),
        )


def _true(image: EvaluationImage, match: LabelMatch) -> Mask:
    table = np.full(256, VOID, np.uint8)
    count = len(match.of_dataset)
    table[:count] = np.where(match.of_dataset < 0, VOID, match.of_dataset)
    mask: Mask = table[image.truth.read_mask()]
    return mask


def _predicted(result: Segmentation, match: LabelMatch) -> Mask:
    background = match.background
    table = np.full(256, _OTHER if background is None else background, np.uint8)
    known = np.flatnonzero(match.of_model >= 0)
    table[known] = match.of_model[known]
    mask: Mask = table[result.mask]
    return mask


def _segmentation(mask: Mask, classes: Sequence[str]) -> Segmentation:
    """Return a mask for drawing, with segments of all classes but the background."""
    segments = []
    for index, label in enumerate(classes):
        rows, columns = np.nonzero(mask == index)
        if len(rows) and not is_background(label):
            box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            corners = (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
            segments.append(Segment(label, index, len(rows) / mask.size, corners))
    segments.sort(key=lambda segment: -segment.share)
    return Segmentation(tuple(segments), mask)


def _per_class(
    confusions: NDArray[np.int64],
    whole: NDArray[np.float64],
    resampled: NDArray[np.float64],
    boundaries: NDArray[np.float64],
    classes: Sequence[str],
) -> dict[str, ClassFigures]:
    pixels = confusions.sum(axis=2)
    figures: dict[str, ClassFigures] = {}
    for index, label in enumerate(classes):
        images = int((pixels[:, index] > 0).sum())
        figures[label] = {
            "iou": float(whole[index]),
            "interval": interval(resampled[:, index], max(1, images)),
            "boundary_f1": float(boundaries[index]),
            "share": float(pixels[:, index].sum() / max(1, pixels.sum())),
            "images": images,
        }
    return figures


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
