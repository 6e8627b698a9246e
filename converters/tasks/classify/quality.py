"""Quality of a classifier: accuracy, figures per class, confusion, reliability of scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.verification.calibration import reliability
from converters.verification.evaluate import Predictions
from converters.verification.intervals import paired_difference_interval, wilson_interval
from converters.verification.quality import ClassQuality, PairedLoss, Quality, QualityMetric

ACCURACY = QualityMetric("accuracy", "accuracy", "--min-accuracy")


@dataclass(frozen=True, slots=True, eq=False)
class ClassifierDetails:
    """What classifiers alone have.

    ``confusion``: int64 [classes, classes], test images, rows are the true class; ``log_loss`` (in
    nats) and expected calibration error ``ece`` of the test split.
    """

    confusion: NDArray[np.int64]
    log_loss: float
    ece: float


def measure_quality(
    predictions: Predictions, reference: Predictions, dataset: Dataset, split: Split
) -> Quality:
    """Measure scores, float32 [n, classes], on both splits, beside those of ``reference``."""
    truth, predicted = dataset.labels[split.test], predictions.test.argmax(1)
    correct, images = int((predicted == truth).sum()), len(truth)
    trust = reliability(predictions.test, truth)
    validation = predictions.validation.argmax(1) == dataset.labels[split.validation]
    confusion = np.zeros((len(dataset.classes),) * 2, np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    per_class = class_figures(truth, predicted, dataset.classes)
    return Quality(
        metric=ACCURACY,
        value=correct / images,
        interval=wilson_interval(correct, images),
        images=images,
        interval_for=lambda number: wilson_interval(correct / images * number, number),
        validation=float(validation.mean()),
        agreement=float((predicted == reference.test.argmax(1)).mean()),
        figures={"log_loss": trust.log_loss, "ece": trust.ece, **macro_figures(per_class)},
        per_class=per_class,
        details=ClassifierDetails(confusion, trust.log_loss, trust.ece),
    )


def class_figures(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: Sequence[str]
) -> tuple[ClassQuality, ...]:
    """Compute precision, recall and F1 of each class (0-1; 0 where undefined)."""
    count = len(classes)
    correct = np.bincount(truth[truth == predicted], minlength=count)
    support, named = (np.bincount(labels, minlength=count) for labels in (truth, predicted))
    rows = zip(
        correct / np.maximum(named, 1),
        correct / np.maximum(support, 1),
        2 * correct / np.maximum(support + named, 1),
        support,
        strict=True,
    )
    return tuple(
        ClassQuality(
            label,
            int(images),
            {"precision": float(precision), "recall": float(recall), "f1": float(f1)},
        )
        for label, (precision, recall, f1, images) in zip(classes, rows, strict=True)
    )


def macro_figures(per_class: Sequence[ClassQuality]) -> dict[str, float]:
    """Average over the classes that have test images, each counting the same.

    The mean recall is called balanced accuracy (Brodersen et al., ICPR 2010).
    """
    rows = [row.figures for row in per_class if row.support]
    names = {
        "balanced_accuracy": "recall", "macro_precision": "precision", "macro_f1": "f1",
    }  # fmt: skip
    return {name: float(np.mean([row[key] for row in rows])) for name, key in names.items()}


def accuracy_loss(
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    truth: NDArray[np.int64],
    classes: Sequence[str],
) -> PairedLoss:
    """Measure a loss of accuracy from the images that were correct before and after.

    Args:
        before: bool [n], whether float32 was correct on each image.
        after: bool [n], whether the other file was.
        truth: int64 [n], the class of each image.
        classes: names of the classes.
    """
    images = len(truth)
    lost, gained = int((before & ~after).sum()), int((after & ~before).sum())

    def interval_for(number: int) -> tuple[float, float]:
        scale = number / images
        low, high = paired_difference_interval(lost * scale, gained * scale, number)
        return 100 * low, 100 * high

    return PairedLoss(
        drop=100 * (lost - gained) / images,
        interval=interval_for(images),
        images=images,
        interval_for=interval_for,
        classes=_worst_classes(before, after, truth, classes),
    )


def _worst_classes(
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    truth: NDArray[np.int64],
    classes: Sequence[str],
) -> tuple[str, ...]:
    """Return the classes that lose most images, worst first."""
    change = before.astype(np.int64) - after.astype(np.int64)
    losses = np.bincount(truth, weights=change, minlength=len(classes))
    worst = np.argsort(-losses, kind="stable")
    return tuple(classes[c] for c in worst if losses[c] > 0)
