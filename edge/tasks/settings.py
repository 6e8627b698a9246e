"""What may be changed of a task while it runs: its threshold and the classes that it reports."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """The settings of a task.

    ``score``: least score of what is reported, None where the task has no threshold; ``classes``:
    names of the classes that are reported, None for all; ``labels``: what may be chosen, () where
    there is nothing to choose.
    """

    score: float | None
    classes: tuple[str, ...] | None
    labels: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """``{"score", "classes"}``, plain values for JSON."""
        return {
            "score": self.score,
            "classes": None if self.classes is None else list(self.classes),
        }


def check_score(score: float | None) -> float:
    """A score from 0 to 1.

    Raises:
        UsageError: it is none.
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
    """Names of classes that are all among ``labels``.

    Raises:
        UsageError: one is not, or there is none at all.
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
    """Rising indices of classes by name; a name that labels repeat stands for all of these.

    Raises:
        UsageError: as :func:`check_classes`.
    """
    chosen = check_classes(classes, labels)
    return np.array([i for i, label in enumerate(labels) if label in chosen], np.int64)


def distinct(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels without those that come again, for :class:`TaskSettings`."""
    return tuple(dict.fromkeys(labels))
