"""Weak classes: what is often taken for something else, so that photos of it are worth adding."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from converters.task import TrainingResult
from converters.verification.evaluate import Predictions
from converters.verification.quality import WeakClass
from converters.verification.verdict import MAX_NAMED

GOOD = 0.9
"""Recall and precision from which a class is not weak."""

_MIN_COUNT = 2
"""Images that make a confusion: a single one may be an odd photo."""


def weak_classes(confusion: NDArray[np.int64], classes: Sequence[str]) -> tuple[WeakClass, ...]:
    """Find the classes with a low recall or precision, and what they are confused with most.

    Args:
        confusion: int64 [classes, classes], numbers of images; rows are the true class.
        classes: their names.

    Returns:
        At most :data:`MAX_NAMED`, by falling share of images; empty where all are good.
    """
    hits, images = confusion.diagonal(), confusion.sum(1)
    wrong = confusion - np.diag(hits)
    recall = hits / np.maximum(1, images)
    precision = hits / np.maximum(1, confusion.sum(0))
    pairs = {(int(true), int(wrong[true].argmax())) for true in np.flatnonzero(recall < GOOD)}
    pairs |= {(int(wrong[:, to].argmax()), int(to)) for to in np.flatnonzero(precision < GOOD)}
    weak = [
        WeakClass(classes[true], classes[to], int(wrong[true, to]), int(images[true]))
        for true, to in sorted(pairs)
        if wrong[true, to] >= _MIN_COUNT
    ]
    return tuple(sorted(weak, key=lambda row: -row.count / row.images)[:MAX_NAMED])


def find_weak_classes(reference: Predictions, training: TrainingResult) -> tuple[WeakClass, ...]:
    """Find the classes that need more photos.

    By the cross-validated head where there is one, else by the predictions of the ``reference``,
    float32, for the validation and the test split: what quantization spoils is no lack of photos.
    """
    dataset, split = training.dataset, training.split
    validated = training.trained.cross_validation
    if validated is not None:
        return weak_classes(np.array(validated.confusion), dataset.classes)
    confusion = np.zeros((len(dataset.classes),) * 2, np.int64)
    for indices, scores in ((split.validation, reference.validation), (split.test, reference.test)):
        np.add.at(confusion, (dataset.labels[indices], scores.argmax(1)), 1)
    return weak_classes(confusion, dataset.classes)
