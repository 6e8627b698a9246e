"""Cross-validation of a head: how well each class is recognized, and how strongly to regularize."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge import logistic_regression
from edge.logistic_regression import LogisticRegression
from edge.quantities import counted

STRENGTHS = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
"""Candidates for C, the inverse of the regularization strength, smallest first."""

DEFAULT_STRENGTH = 3e-2
"""C where there is nothing to choose it by."""

_FOLDS = 5
_FEW = 10
"""Examples of a class below which more of them are the first advice."""

_WEAK = 0.8
"""Share of a class's examples recognized below which it gets a hint."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ClassAssessment:
    """How well a class is recognized.

    Attributes:
        label: Name of the class.
        count: Number of its examples.
        tested: Number of them that were classified by heads that had not learned from them.
        correct: Number of these that were recognized.
        confused: The classes that the others were taken for, with their number, most first.
    """

    label: str
    count: int
    tested: int
    correct: int
    confused: tuple[tuple[str, int], ...]

    @property
    def hint(self) -> str:
        """Advice in a sentence; empty where there is nothing to improve."""
        if self.count < _FEW:
            return f"Add {self.label}: {counted(self.count, 'image')} so far, {_FEW} are a start."
        if self.correct >= _WEAK * self.tested:
            return ""
        other, wrong = self.confused[0]
        return f"Add {self.label} from other sides: {wrong} of {self.tested} are taken for {other}."

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "label": self.label,
            "count": self.count,
            "tested": self.tested,
            "correct": self.correct,
            "confused": dict(self.confused),
            "hint": self.hint,
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """The result of a cross-validation.

    ``strength``: the C with the lowest log-loss; ``accuracy``: share of the tested examples that
    were recognized with it, None where no class has two examples.
    """

    strength: float
    accuracy: float | None
    classes: tuple[ClassAssessment, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "strength": self.strength,
            "accuracy": self.accuracy,
            "classes": [each.to_dict() for each in self.classes],
        }


def assess(
    embeddings: Floats,
    targets: NDArray[np.int64],
    labels: Sequence[str],
    check: Callable[[], None] = lambda: None,
) -> Assessment:
    """Cross-validate heads on embeddings, and choose C.

    The examples of a class are divided into consecutive blocks: images that were recorded one
    after the other look alike, and would make the result too good if they were on both sides.

    Args:
        embeddings: float32 [n, features], of at least two classes, those of each class in the
            order in which they were recorded.
        targets: int64 [n], indices into ``labels``, each of which occurs.
        labels: names of the classes.
        check: called before each head is fitted; what it raises passes.
    """
    folds = _folds(targets)
    tested = np.flatnonzero(folds >= 0)
    scores = np.zeros((len(STRENGTHS), len(targets), len(labels)), np.float32)
    for fold in np.unique(folds[tested]):
        held = folds == fold
        scores[:, held] = _held_out_scores(embeddings, targets, held, check)
    if not len(tested):
        return Assessment(DEFAULT_STRENGTH, None, _classes(targets, targets[:0], tested, labels))
    losses = [-np.log(each[tested, targets[tested]] + 1e-9).mean() for each in scores]
    best = int(np.argmin(losses))
    predicted = scores[best, tested].argmax(axis=1)
    accuracy = float((predicted == targets[tested]).mean())
    return Assessment(STRENGTHS[best], accuracy, _classes(targets, predicted, tested, labels))


def _folds(targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the fold of each example; -1, never held out, for the only one of its class."""
    folds = np.full(len(targets), -1, np.int64)
    for target in np.unique(targets):
        rows = np.flatnonzero(targets == target)
        if len(rows) > 1:
            folds[rows] = np.arange(len(rows)) * _FOLDS // len(rows)
    return folds


def _held_out_scores(
    embeddings: Floats,
    targets: NDArray[np.int64],
    held: NDArray[np.bool_],
    check: Callable[[], None],
) -> Floats:
    """Return scores [strengths, held, classes] of heads that learned from the other examples."""
    fitted: LogisticRegression | None = None
    scores = []
    for strength in STRENGTHS:
        check()
        fitted = logistic_regression.fit(embeddings[~held], targets[~held], strength, fitted)
        scores.append(fitted.probabilities(embeddings[held]))
    return np.stack(scores)


def _classes(
    targets: NDArray[np.int64],
    predicted: NDArray[np.int64],
    tested: NDArray[np.int64],
    labels: Sequence[str],
) -> tuple[ClassAssessment, ...]:
    """Count what the ``tested`` examples of each class were ``predicted`` as."""
    true = targets[tested]
    return tuple(
        _class_assessment(index, int((targets == index).sum()), predicted[true == index], labels)
        for index in range(len(labels))
    )


def _class_assessment(
    index: int, count: int, predicted: NDArray[np.int64], labels: Sequence[str]
) -> ClassAssessment:
    taken_for = Counter(int(other) for other in predicted)
    correct = taken_for.pop(index, 0)
    confused = tuple((labels[other], number) for other, number in taken_for.most_common())
    return ClassAssessment(labels[index], count, len(predicted), correct, confused)
