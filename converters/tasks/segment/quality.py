"""Quality of a segmenter: mIoU, figures per class, and what a file lost against another one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from converters.metrics.masks import (
    boundary_counts,
    boundary_f1,
    class_ious,
    mask_confusion,
    mean_iou,
    pixel_accuracy,
)
from converters.metrics.resampling import drop_interval, interval, resample
from converters.tasks.segment.masks import PackedMask
from converters.verification.quality import (
    ClassQuality,
    PairedLoss,
    Quality,
    QualityMetric,
    scaled_interval,
)
from edge.modelfile.labels import is_background

MIOU = QualityMetric("miou", "mIoU", "--min-miou")

Confusions = NDArray[np.int64]
"""int64 [images, classes, classes + 1], see :func:`converters.metrics.masks.mask_confusion`."""


def confusions(
    true: Sequence[PackedMask], predicted: Sequence[PackedMask], classes: int
) -> Confusions:
    """Count the pixels of each image by true and predicted class."""
    counts = [
        mask_confusion(real.read(), guessed.read(), classes)
        for real, guessed in zip(true, predicted, strict=True)
    ]
    return np.stack(counts)


def miou(counts: Confusions) -> float:
    """Return the mean intersection over union, 0 to 1."""
    return float(np.nan_to_num(mean_iou(class_ious(counts))[0]))


def common_share(counts: Confusions) -> tuple[int, float]:
    """Return the class with most true pixels, and its share of all."""
    pixels = counts.sum(axis=(0, 2))
    best = int(pixels.argmax())
    return best, float(pixels[best] / max(1, pixels.sum()))


def without_knowledge(counts: Confusions) -> float:
    """Return the mIoU of naming the commonest class everywhere."""
    pixels = counts.sum(axis=(0, 2))
    return common_share(counts)[1] / max(1, int((pixels > 0).sum()))


def measure_quality(
    true: Sequence[PackedMask],
    predicted: Sequence[PackedMask],
    validation: float,
    enlarging_ms: float,
    classes: Sequence[str],
    seed: int,
) -> Quality:
    """Measure masks of the test split.

    ``validation``: mIoU on the validation split; ``enlarging_ms``: what a mask takes beside the
    inference.
    """
    counts = confusions(true, predicted, len(classes))
    boundaries = boundary_f1(
        [
            boundary_counts(real.read(), guessed.read(), len(classes))
            for real, guessed in zip(true, predicted, strict=True)
        ]
    )
    value, images = miou(counts), len(true)
    bounds = interval(mean_iou(class_ious(counts, resample(images, seed))), images)
    things = [index for index, label in enumerate(classes) if not is_background(label)]
    return Quality(
        metric=MIOU,
        value=value,
        interval=bounds,
        images=images,
        interval_for=scaled_interval(value, bounds, images),
        validation=validation,
        figures={
            "boundary_f1": _mean(boundaries[things]),
            "pixel_accuracy": pixel_accuracy(counts),
            "common_share": common_share(counts)[1],
            "enlarging_ms": enlarging_ms,
        },
        per_class=_per_class(counts, boundaries, classes),
        details=counts,
    )


def miou_loss(
    before: Confusions, after: Confusions, classes: Sequence[str], seed: int
) -> PairedLoss:
    """Measure what masks lost, on the same resamples of the images for both."""
    images = len(before)
    weights = resample(images, seed)
    drop = 100 * (miou(before) - miou(after))
    low, high = drop_interval(
        mean_iou(class_ious(before, weights)), mean_iou(class_ious(after, weights)), images
    )
    lost = np.nan_to_num(class_ious(before)[0] - class_ious(after)[0])
    worst = np.argsort(-lost, kind="stable")
    return PairedLoss(
        drop=drop,
        interval=(100 * low, 100 * high),
        images=images,
        interval_for=scaled_interval(drop, (100 * low, 100 * high), images),
        classes=tuple(classes[index] for index in worst if lost[index] > 0),
    )


def _per_class(
    counts: Confusions, boundaries: NDArray[np.float64], classes: Sequence[str]
) -> tuple[ClassQuality, ...]:
    ious, pixels = np.nan_to_num(class_ious(counts)[0]), counts.sum(axis=2)
    return tuple(
        ClassQuality(
            label,
            int((pixels[:, index] > 0).sum()),
            {
                "iou": float(ious[index]),
                "boundary_f1": float(np.nan_to_num(boundaries[index])),
                "share": float(pixels[:, index].sum() / max(1, pixels.sum())),
            },
        )
        for index, label in enumerate(classes)
    )


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0
