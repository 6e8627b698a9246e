"""What the tables of the page hold, taken from the record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MATRIX_CLASSES = 30
"""Up to so many classes the confusion matrix is drawn; above, its worst pairs are listed."""

NAMED_COLUMNS = 8
"""Up to so many classes the columns carry names; above, numbers."""

_PAIRS = 20

_NAMES = ("step", "method", "mode")
"""Of a step of a recipe, what names it."""

_MANY = 6
"""From so many entries on, figures by name are a table of their own."""

_CURVES = {"losses", "validation_accuracies", "validation_losses"}
"""What the recovery of a step tells for every epoch."""


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """A count of the confusion matrix and its share (0–1) of the row."""

    count: int
    share: float


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """Two classes that were confused: ``count`` test images, ``share`` (0–1) of ``true``."""

    true: str
    said: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class RefusedOp:
    """Operations that the Edge TPU is foreseen to refuse for one reason.

    ``found`` is what is in the way of the first of them; ``lost``: operations that are on the CPU
    only because they come after one of these; ``rule``: source and confidence of the forecast.
    """

    op: str
    count: int
    reason: str
    found: str
    change: str
    lost: int
    rule: str


@dataclass(frozen=True, slots=True)
class StepTable:
    """A step of a recipe: ``figures`` as (name, text), and ``layers`` as (name, cells)."""

    name: str
    figures: list[tuple[str, str]]
    headings: list[str]
    layers: list[tuple[str, list[str]]]


def matrix(confusion: list[list[int]]) -> list[list[MatrixCell]]:
    """The confusion matrix with the share of every count in its row."""
    return [[MatrixCell(count, count / max(1, sum(row))) for count in row] for row in confusion]


def worst_pairs(confusion: list[list[int]], classes: list[str]) -> list[ConfusedPair]:
    """The pairs confused most often, at most 20; none where nothing was confused."""
    pairs = [
        ConfusedPair(classes[true], classes[said], count, count / sum(row))
        for true, row in enumerate(confusion)
        for said, count in enumerate(row)
        if count and true != said
    ]
    return sorted(pairs, key=lambda pair: (-pair.count, -pair.share))[:_PAIRS]


def worst_first(per_class: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The figures per class by rising F1; classes without test images come last."""
    return sorted(per_class, key=lambda row: (row["support"] == 0, row["f1"]))


def counts(record: Mapping[str, Any], sides: list[dict[str, int]]) -> list[dict[str, Any]]:
    """Per class its images, how wide its bar is (0–1), and its images on each side."""
    number = record["dataset"]["counts"]
    most = max(number.values())
    return [
        {"label": label, "count": count, "width": count / most, **on_sides}
        for (label, count), on_sides in zip(number.items(), sides, strict=True)
    ]


def steps(details: list[dict[str, Any]]) -> list[StepTable]:
    """The steps of a recipe in figures; values per epoch are left to the drawing."""
    return [_step(step) for step in details]


def _step(step: Mapping[str, Any]) -> StepTable:
    layers = {key: value for key, value in step.items() if _of_layers(value)}
    rest = {key: value for key, value in step.items() if key not in {*layers, *_NAMES}}
    names = dict.fromkeys(name for values in layers.values() for name in values)
    return StepTable(
        name=" ".join(str(step[key]) for key in _NAMES if key in step),
        figures=[row for row in flat(rest) if row[0].rpartition(".")[2] not in _CURVES],
        headings=list(layers),
        layers=[(name, [_text(values.get(name)) for values in layers.values()]) for name in names],
    )


def _of_layers(value: Any) -> bool:
    """Whether a value has a number for each of many layers."""
    return (
        isinstance(value, Mapping)
        and len(value) >= _MANY
        and all(isinstance(entry, int | float) for entry in value.values())
    )


def recoveries(name: str, variant: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How a variant that lost weights or bits learned again, as curves of the record."""
    parts = [part for step in variant["steps"] for part in (step, *step.values())]
    return [
        {
            "title": f"Recovery of {name}",
            "x_label": "epoch",
            "y_label": "accuracy and loss",
            "x": list(range(1, len(part["losses"]) + 1)),
            "series": {
                "validation accuracy": part["validation_accuracies"],
                "validation loss": part["validation_losses"],
                "training loss": part["losses"],
            },
        }
        for part in parts
        if isinstance(part, Mapping) and part.keys() >= _CURVES
    ]


def refusals(prediction: Mapping[str, Any]) -> list[RefusedOp]:
    """What is in the way of the Edge TPU, alike operations together, in their order."""
    alike: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for one in prediction["refused"]:
        alike.setdefault((one["op"], one["reason"], one["change"]), []).append(one)
    return [
        RefusedOp(
            op=op,
            count=len(ones),
            reason=reason,
            found=ones[0]["found"],
            change=change,
            lost=sum(sum(one["behind"].values()) for one in ones),
            rule=f"{ones[0]['source']}, {ones[0]['confidence']}",
        )
        for (op, reason, change), ones in alike.items()
    ]


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested values as (dotted name, text).

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
