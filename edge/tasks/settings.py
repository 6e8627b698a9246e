"""Settings of a task that may change while it runs: its threshold and the reported classes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """Settings of a task.

    Attributes:
        score: Minimum score of a result, None where the task has no threshold.
        classes: Names of the reported classes, None for all.
        labels: Names to choose classes from, () where there is nothing to choose.
    """

    score: float | None
    classes: tuple[str, ...] | None
    labels: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"score", "classes"}``, plain values for JSON."""
        return {
            "score": self.score,
            "classes": None if self.classes is None else list(self.classes),
        }


def check_score(score: float | None) -> float:
    """Return a valid score, from 0 to 1.

    Raises:
        UsageError: it is not valid.
    """
    if score is None or not (math.isfinite(score) and 0 <= score <= 1):
        raise UsageError(
            "a score from 0 to 1",
            str(score),
            "use a score such as 0.4",
            code="invalid-option-value",
        )
    return score


def check_classes(classes: Sequence[str], labels: Sequence[str]) -> frozenset[str]:
    """Return the names of classes, which all have to be in ``labels``.

    Raises:
        UsageError: a name is not, or there are no names.
    """
    if not classes:
        raise UsageError(
            "at least one class", "none", "choose one or all classes", code="no-classes"
        )
    known = frozenset(labels)
    for name in classes:
        if name not in known:
            fix = did_you_mean(name, labels, "see the model's labels")
            raise UsageError("a class of the model", f"'{name}'", fix, code="unknown-class")
    return frozenset(classes)


def class_indices(classes: Sequence[str], labels: Sequence[str]) -> NDArray[np.int64]:
    """Return the ascending indices of classes; a repeated label stands for all of its indices.

    Raises:
        UsageError: as :func:`check_classes`.
    """
    chosen = check_classes(classes, labels)
    return np.array([i for i, label in enumerate(labels) if label in chosen], np.int64)


def distinct(labels: Sequence[str]) -> tuple[str, ...]:
    """Return labels without repetitions, for :class:`TaskSettings`."""
    return tuple(dict.fromkeys(labels))
