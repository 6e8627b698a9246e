"""Steps of a recipe in the report: sentences, tables by layer, and curves of the training."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from converters.report.formatting import number, percent
from converters.report.sections import CurveReport
from converters.report.tables import flat, value_text
from converters.report.variant import VariantReport

_NAME_KEYS = ("step", "method", "mode")
"""Keys that name a step of a recipe."""

_MIN_LAYERS = 6
"""Number of entries from which values by layer get their own table."""

_CURVES = {"losses", "validation_accuracies", "validation_losses"}
"""Keys of the values per epoch of a step's training; they are drawn."""

_UNSAID = {"recovery_kept", "channels", "channels_before", "costs"}
"""Keys whose content is said otherwise, or too long for a sentence."""

_STAGES = {"before": "before", "reconstructed": "after reconstructing the blocks", "end": "at last"}
"""Stages of pruning channels."""


@dataclass(frozen=True, slots=True)
class StepText:
    """A step of a recipe: ``sentences``, and ``layers`` as (name, cells) under ``headings``."""

    name: str
    sentences: list[str]
    headings: list[str]
    layers: list[tuple[str, list[str]]]


def steps(details: Sequence[Mapping[str, Any]]) -> list[StepText]:
    """Describe the steps of a recipe; values per epoch are drawn instead."""
    return [_step(step) for step in details]


def _step(step: Mapping[str, Any]) -> StepText:
    layers = {key: value for key, value in step.items() if _is_by_layer(value)}
    names = dict.fromkeys(name for values in layers.values() for name in values)
    return StepText(
        name=" ".join(str(step[key]) for key in _NAME_KEYS if key in step),
        sentences=_sentences(step, layers),
        headings=[heading.replace("_", " ") for heading in layers],
        layers=[
            (name, [value_text(values.get(name)) for values in layers.values()]) for name in names
        ],
    )


def _sentences(step: Mapping[str, Any], layers: Mapping[str, Any]) -> list[str]:
    """Say what a step records; entries that no sentence is known for are listed by name."""
    lines = [sentence(step[key]) for key, sentence in _SENTENCES.items() if step.get(key)]
    if step.get("recovery_kept") is False and step.get("recovery"):
        lines.append("The training did not improve the result and was discarded.")
    if before := step.get("channels_before"):
        kept, whole = sum(step["channels"].values()), sum(before.values())
        lines.append(f"{kept:,} of {number(whole, 'channel')} inside the blocks were kept.")
    known = {*_NAME_KEYS, *_SENTENCES, *layers, *_UNSAID}
    rest = flat({key: value for key, value in step.items() if key not in known})
    if rest:
        lines.append(f"Recorded: {_listed(f'{key} {value}' for key, value in rest)}.")
    return lines


def _options(options: Mapping[str, Any]) -> str:
    return f"Options: {_listed(f'{key} = {value}' for key, value in flat(options))}."


def _zeros(share: float) -> str:
    return f"{percent(share)} of the weights in 1×1 convolutions are zero."


def _validation_accuracy(accuracy: Mapping[str, float] | float) -> str:
    return f"Validation accuracy: {_by_stage(accuracy, percent)}."


def _validation_loss(loss: Mapping[str, float] | float) -> str:
    return f"Validation loss: {_by_stage(loss, '{:.3f}'.format)}."


def _by_stage(values: Mapping[str, float] | float, written: Callable[[float], str]) -> str:
    if not isinstance(values, Mapping):
        return written(values)
    return _listed(
        f"{written(value)} {_STAGES.get(stage, stage)}" for stage, value in values.items()
    )


def _recovery(recovery: Mapping[str, Any]) -> str:
    text = f"The network was trained for {number(recovery['epochs'], 'epoch')}"
    if "seconds" in recovery:
        text += f" in {recovery['seconds']:.0f} s"
    best = recovery.get("best")
    return f"{text}; epoch {best} was the best." if best else f"{text}."


def _tried(attempts: Sequence[Mapping[str, Any]]) -> str:
    listed = _listed(
        f"{percent(attempt['accuracy'])} with {number(attempt['layers'], 'layer')}"
        for attempt in attempts
    )
    return f"Validation accuracy by the number of layers in float: {listed}."


_SENTENCES: dict[str, Callable[[Any], str]] = {
    "options": _options,
    "zeros": _zeros,
    "recovery": _recovery,
    "tried": _tried,
    "validation_accuracy": _validation_accuracy,
    "validation_loss": _validation_loss,
}
"""Keys of a step, in the order of their sentences."""


def _listed(parts: Iterable[str]) -> str:
    """Join parts as in a sentence.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else str(last)


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
