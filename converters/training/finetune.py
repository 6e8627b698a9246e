"""Fine-tuning: train the whole network at a low learning rate where it helps."""

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
"""Validation accuracy of the frozen head from which "auto" does not fine-tune."""

EPOCHS = 10
"""Default number of epochs if the budget allows."""

_MIN_EPOCHS = 3
"""Number of epochs below which fine-tuning is not expected to help."""

_CONFIG = fit.FitConfig("Fine-tuning", learning_rate=1e-4, warm_up=0.2, patience=4)


@dataclass(frozen=True, slots=True)
class FineTuned:
    """Result of fine-tuning; ``model`` is None if not started or not kept, see ``notes``."""

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
    """Fine-tune backbone and head together, depending on ``options.fine_tune``.

    Training starts from the frozen backbone's head. BatchNorm keeps its statistics. "auto" starts
    only if the frozen head leaves room for improvement and the estimated time fits the budget, and
    keeps the result only if it is better.
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
        history = fit.fit(model, dataset, split, options, _CONFIG, decide, progress)
    if not history.epochs:
        count = options.epochs or _MIN_EPOCHS
        note = (
            f"Not fine-tuned: {count} epochs would take about {count * per_epoch[0]:.0f} s "
            f"(estimated from one step), more than the budget of {options.budget:g} s. Raise "
            "--budget, or use --fine-tune always."
        )
        return FineTuned(None, frozen, history, (note,))
    return _compare(model, frozen, history, auto)


def _affordable(per_epoch: float, options: TrainingOptions) -> int:
    """Return the epochs within the budget; 0 if ``options.epochs`` or the minimum do not fit."""
    if options.epochs is not None:
        return options.epochs if options.epochs * per_epoch <= options.budget else 0
    affordable = min(EPOCHS, int(options.budget / per_epoch))
    return affordable if affordable >= _MIN_EPOCHS else 0


def _compare(model: Any, frozen: float, history: fit.FitHistory, auto: bool) -> FineTuned:
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
