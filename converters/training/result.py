"""Results of training."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Curve:
    """One learning curve for the report, one value per epoch (or per candidate)."""

    title: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    series: dict[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A trained classifier.

    ``model``: flat tf_keras model, float32 [n, size, size, 3] in [-1, 1] to softmax [n, classes].
    ``method``: "frozen", "fine-tuned" or "scratch". ``validation_accuracy``: measured on the
    validation split, on which no weight was trained. ``notes``: sentences that explain the
    decisions, for terminal and report. ``details``: plain values for report.json.
    """

    model: Any
    method: str
    validation_accuracy: float
    notes: tuple[str, ...]
    curves: tuple[Curve, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
