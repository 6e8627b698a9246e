"""Fine-tuning: the whole network goes on learning at a low rate, where it pays."""

from dataclasses import dataclass
from typing import Any

from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.training import classifier, epochs, fit
from converters.training.config import TrainingOptions
from converters.training.head import LinearHead

GOOD_ENOUGH = 0.95
"""Validation accuracy of the frozen head from which "auto" leaves it at that."""

EPOCHS = 10
"""Epochs where the user names none and time does not press."""

_FEWEST = 3
"""Epochs below which fine-tuning cannot be expected to help."""

_PLAN = fit.FitConfig("Fine-tuning", rate=1e-4, warm_up=0.2, patience=4)


@dataclass(frozen=True, slots=True)
class FineTuned:
    """``model`` is None where it was not started or not kept; ``notes`` say why."""

    model: Any | None
    validation_accuracy: float
    history: fit.FitHistory | None
    notes: tuple[str, ...]


def fine_tune(
    backbone: Backbone,
    head: LinearHead,
    dataset: Dataset,
    split: Split,
    options: TrainingOptions,
    progress: Progress,
) -> FineTuned:
    """Fine-tune backbone and head together, as ``options.fine_tune`` says.

    It starts from the frozen backbone's head. BatchNorm keeps its learned statistics. "auto"
    starts only where the frozen head leaves room and the measured time fits the budget, and keeps
    the result only if it is better.
    """
    frozen = head.validation_accuracy
    if options.fine_tune == "never":
        return FineTuned(None, frozen, None, ())
    auto = options.fine_tune == "auto"
    if auto and frozen >= GOOD_ENOUGH:
        note = (
            f"Not fine-tuned: the head on the frozen backbone already reaches {frozen:.1%} "
            f"validation accuracy (at {GOOD_ENOUGH:.0%} or more, fine-tuning is skipped)."
        )
        return FineTuned(None, frozen, None, (note,))
    model = classifier.assemble(
        backbone, len(dataset.classes), head.kernel, head.bias, options.dropout
    )
    per_epoch: list[float] = []

    def decide(seconds: float) -> int:
        per_epoch.append(seconds)
        return _affordable(seconds, options) if auto else options.epochs or EPOCHS

    with epochs.batch_norm_frozen(model):
        history = fit.fit(model, dataset, split, options, _PLAN, decide, progress)
    if not history.epochs:
        wanted = (options.epochs or _FEWEST) * per_epoch[0]
        note = (
            f"Not fine-tuned: {options.epochs or _FEWEST} epochs would take about {wanted:.0f} s "
            f"(estimated from one step), more than the budget of {options.budget:g} s. Raise "
            "--budget, or use --fine-tune always."
        )
        return FineTuned(None, frozen, history, (note,))
    return _judged(model, frozen, history, auto)


def _affordable(per_epoch: float, options: TrainingOptions) -> int:
    """Epochs within the budget; 0 where those asked for, or the fewest useful, do not fit."""
    if options.epochs is not None:
        return options.epochs if options.epochs * per_epoch <= options.budget else 0
    affordable = min(EPOCHS, int(options.budget / per_epoch))
    return affordable if affordable >= _FEWEST else 0


def _judged(model: Any, frozen: float, history: fit.FitHistory, auto: bool) -> FineTuned:
    tuned = max(history.accuracies)
    spent = f"{history.epochs} epochs ({history.seconds:.0f} s)"
    if tuned > frozen:
        note = f"Fine-tuned: validation accuracy rose from {frozen:.1%} to {tuned:.1%} in {spent}."
    elif auto:
        note = (
            f"Fine-tuning discarded: {tuned:.1%} validation accuracy after {spent}, no better "
            f"than the {frozen:.1%} of the frozen backbone."
        )
        return FineTuned(None, frozen, history, (note,))
    else:
        note = (
            f"Fine-tuned as requested: {tuned:.1%} validation accuracy after {spent}, although "
            f"that is no better than the {frozen:.1%} of the frozen backbone."
        )
    return FineTuned(model, tuned, history, (note,))
