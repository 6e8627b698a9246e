"""Contents of the tables on the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from converters.report.sections import CurveReport
from converters.report.variant import (
    ClassReport,
    EdgeTpuReport,
    RefusedOpReport,
    VariantReport,
)

MATRIX_CLASSES = 30
"""Classes up to which the confusion matrix is drawn; above, its worst pairs are listed."""

NAMED_COLUMNS = 8
"""Number of classes up to which the columns are headed by names; above, by numbers."""

_PAIRS = 20

_NAME_KEYS = ("step", "method", "mode")
"""Keys that name a step of a recipe."""

_MIN_LAYERS = 6
"""Number of entries from which values by layer get their own table."""

_CURVES = {"losses", "validation_accuracies", "validation_losses"}
"""Keys of the values per epoch of a step's recovery."""


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


@dataclass(frozen=True, slots=True)
class RefusedOp:
    """Operations that the Edge TPU is predicted to reject for the same reason.

    ``obstacle``: the cause in the first of them; ``lost``: number of operations that run on the
    CPU only because they come after one of these; ``rule``: source and confidence of the rule.
    """

    op: str
    count: int
    reason: str
    obstacle: str
    change: str
    lost: int
    rule: str


@dataclass(frozen=True, slots=True)
class StepTable:
    """A step of a recipe: ``figures`` as (name, text), ``layers`` as (name, cells)."""

    name: str
    figures: list[tuple[str, str]]
    headings: list[str]
    layers: list[tuple[str, list[str]]]


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


def counts(images: Mapping[str, int], subsets: Sequence[Mapping[str, int]]) -> list[dict[str, Any]]:
    """Return per class its images, the width of its bar (0–1), and its images in each subset."""
    largest = max(images.values())
    return [
        {"label": label, "count": count, "width": count / largest, **per_subset}
        for (label, count), per_subset in zip(images.items(), subsets, strict=True)
    ]


def steps(details: Sequence[Mapping[str, Any]]) -> list[StepTable]:
    """Return the steps of a recipe as tables; values per epoch are drawn instead."""
    return [_step(step) for step in details]


def _step(step: Mapping[str, Any]) -> StepTable:
    layers = {key: value for key, value in step.items() if _is_by_layer(value)}
    rest = {key: value for key, value in step.items() if key not in {*layers, *_NAME_KEYS}}
    names = dict.fromkeys(name for values in layers.values() for name in values)
    return StepTable(
        name=" ".join(str(step[key]) for key in _NAME_KEYS if key in step),
        figures=[row for row in flat(rest) if row[0].rpartition(".")[2] not in _CURVES],
        headings=list(layers),
        layers=[(name, [_text(values.get(name)) for values in layers.values()]) for name in names],
    )


def _is_by_layer(value: Any) -> bool:
    """Check for a mapping with a number for each of several layers."""
    return (
        isinstance(value, Mapping)
        and len(value) >= _MIN_LAYERS
        and all(isinstance(entry, int | float) for entry in value.values())
    )


def recoveries(variant: VariantReport) -> list[CurveReport]:
    """Return the curves of a variant's recovery training after pruning or quantization."""
    parts = [part for step in variant.steps for part in (step, *step.values())]
    return [
        CurveReport(
            title=f"Recovery of {variant.name}",
            x_label="epoch",
            y_label="accuracy and loss",
            x=tuple(range(1, len(part["losses"]) + 1)),
            series={
                "validation accuracy": part["validation_accuracies"],
                "validation loss": part["validation_losses"],
                "training loss": part["losses"],
            },
        )
        for part in parts
        if isinstance(part, Mapping) and part.keys() >= _CURVES
    ]


def refusals(prediction: EdgeTpuReport) -> list[RefusedOp]:
    """Group the operations that the Edge TPU is predicted to reject by kind and reason."""
    groups: dict[tuple[str, str, str], list[RefusedOpReport]] = {}
    for refusal in prediction.refused:
        key = (refusal.op, refusal.reason, refusal.change)
        groups.setdefault(key, []).append(refusal)
    return [
        RefusedOp(
            op=op,
            count=len(group),
            reason=reason,
            obstacle=group[0].obstacle,
            change=change,
            lost=sum(sum((refusal.lost_after or {}).values()) for refusal in group),
            rule=f"{group[0].source}, {group[0].confidence}",
        )
        for (op, reason, change), group in groups.items()
    ]


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Flatten nested values to (dotted name, text).

    >>> flat({"seed": 0, "training": {"dropout": 0.2, "flip": True, "epochs": None}})
    [('seed', '0'), ('training.dropout', '0.2'), ('training.flip', 'yes'), ('training.epochs', '–')]
    """
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += flat(value, f"{name}.")
        else:
            rows.append((name, _text(value)))
    return rows


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "–"
    return str(value)
