"""Weak classes: what is often taken for something else, so that photos of it are worth adding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.verification.verdict import MAX_NAMED

GOOD = 0.9
"""Recall and precision from which a class is not weak."""

_MIN_COUNT = 2
"""Images that make a confusion: a single one may be an odd photo."""


@dataclass(frozen=True, slots=True)
class WeakClass:
    """Confusion behind a weak class: ``count`` of ``images`` of ``label`` taken for ``taken_for``.

    Either ``label`` has a low recall, or ``taken_for`` a low precision.
    """

    label: str
    taken_for: str
    count: int
    images: int


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
