"""Confusion of classes as tables: matrix, confused pairs, figures per class."""

from collections.abc import Sequence
from dataclasses import dataclass

from converters.report.variant import ClassReport

MATRIX_CLASSES = 30
"""Classes up to which the confusion matrix is drawn; above, its worst pairs are listed."""

NAMED_COLUMNS = 8
"""Number of classes up to which the columns are headed by names; above, by numbers."""

_PAIRS = 20


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """Count of the confusion matrix and its share (0–1) of the row."""

    count: int
    share: float


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """Two confused classes: ``count`` test images, ``share`` (0–1) of the class ``true``."""

    true: str
    predicted: str
    count: int
    share: float


def matrix(confusion: Sequence[Sequence[int]]) -> list[list[MatrixCell]]:
    """Return the confusion matrix [true][predicted] with the share of each count in its row."""
    return [[MatrixCell(count, count / max(1, sum(row))) for count in row] for row in confusion]


def worst_pairs(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> list[ConfusedPair]:
    """Return the pairs of classes confused most often, at most 20."""
    pairs = [
        ConfusedPair(classes[true], classes[predicted], count, count / sum(row))
        for true, row in enumerate(confusion)
        for predicted, count in enumerate(row)
        if count and true != predicted
    ]
    return sorted(pairs, key=lambda pair: (-pair.count, -pair.share))[:_PAIRS]


def worst_first(per_class: Sequence[ClassReport]) -> list[ClassReport]:
    """Sort metrics per class by rising F1; classes without test images come last."""
    return sorted(per_class, key=lambda row: (row.support == 0, row.f1))
