"""Training of the whole network: from random weights, or fine-tuning of a pretrained backbone."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from converters import tf
from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.tasks.classify.head import LinearHead, assemble
from converters.training import fit
from converters.training.config import TrainedModel, TrainingOptions
from converters.training.fit import steps_in
from converters.writer.classifier import ClassifierNetwork
from edge.installation import install_command
from edge.quantities import counted

_SCRATCH_STEPS = 800
"""Steps needed for small images with clear shapes: 600 reach 98 % on handwritten digits."""

_MIN_SCRATCH_EPOCHS, _MAX_SCRATCH_EPOCHS = 5, 60
"""Limits of the epochs that make up these steps."""

_MOMENTUM = 0.95
"""Of BatchNorm in long runs: Keras' 0.999 needs thousands of steps to forget earlier weights."""

_REMEMBERED = 0.1
"""Share of a run's steps that BatchNorm's statistics go back at most."""


def train_from_scratch(
    backbone: Backbone,
    dataset: Dataset,
    split: Split,
    options: TrainingOptions,
    progress: Progress,
) -> TrainedModel:
    """Train all weights on the training split; keep the best epoch on the validation split."""
    model = assemble(backbone, len(dataset.classes), dropout=options.dropout)
    epochs = options.epochs or _epochs(len(split.train), options.batch_size)
    _start_batch_norm(model, dataset, split, options, epochs)
    config = fit.FitConfig(
        "Training from scratch", learning_rate=1.5e-3, warm_up=0.15, patience=max(5, epochs // 2)
    )

    def decide(seconds: float) -> int:
        progress.say(
            f"Training from scratch: {counted(epochs, 'epoch')}, about {epochs * seconds:.0f} s "
            "(estimated from one step)."
        )
        return epochs

    history = fit.fit(model, dataset, split, options, config, decide, progress)
    accuracy = history.accuracies[history.best - 1]
    return TrainedModel(
        network=ClassifierNetwork.from_model(model),
        method="scratch",
        validation_quality=accuracy,
        notes=(
            f"Trained from scratch: {accuracy:.1%} validation accuracy after "
            f"{counted(history.epochs, 'epoch')} ({history.seconds:.0f} s). Pretrained weights "
            "need fewer images and less time.",
        ),
        curves=(history.curve("Training from scratch"),),
        details={"training": history_record(history)},
    )


def history_record(history: fit.FitHistory) -> dict[str, Any]:
    """Return a history as plain values for the report."""
    return {
        "epochs_planned": history.planned,
        "epochs": history.epochs,
        "best_epoch": history.best,
        "seconds_per_step": history.step_seconds,
        "seconds_estimated": history.estimate,
        "seconds": history.seconds,
    }


def _epochs(images: int, batch_size: int) -> int:
    steps = max(1, images // batch_size)
    return min(_MAX_SCRATCH_EPOCHS, max(_MIN_SCRATCH_EPOCHS, round(_SCRATCH_STEPS / steps)))


def _start_batch_norm(
    model: Any, dataset: Dataset, split: Split, options: TrainingOptions, epochs: int
) -> None:
    """Let BatchNorm start from the statistics of a batch, and forget at the pace of the run.

    Keras starts moving averages at mean 0 and variance 1, far above the variances inside a random
    network. In a short run this start outweighs the batches, and the network, sound in training,
    predicts the same class for every image.
    """
    batch = min(options.batch_size, len(split.train))
    chosen = np.random.default_rng(options.seed).choice(split.train, batch, replace=False)
    steps = epochs * steps_in(len(split.train), batch)
    norms = [
        layer for layer in model.layers if isinstance(layer, tf.keras().layers.BatchNormalization)
    ]
    for norm in norms:
        norm.momentum = 0.0
    model(dataset.preprocessing.normalize(dataset.pixels[chosen]), training=True)
    for norm in norms:
        norm.momentum = min(_MOMENTUM, max(0.0, 1 - 1 / (_REMEMBERED * steps)))


GOOD_ENOUGH = 0.95
"""Validation accuracy of the frozen head from which "auto" does not fine-tune.

Nor are views other than the image embedded: on grocery6 the head on images alone was as accurate
then (98.6 %, and 95.1 % with the built-in backbone, means of 12 splits), at half the time.
"""

BUDGET = 60.0
"""Seconds of fine-tuning, by default."""

TUNING_EPOCHS = 10
"""Default number of epochs of fine-tuning, if the budget allows."""

_MIN_TUNING_EPOCHS = 3
"""Number of epochs below which fine-tuning is not expected to help."""

_TUNING_CONFIG = fit.FitConfig("Fine-tuning", learning_rate=1e-4, warm_up=0.2, patience=4)


@dataclass(frozen=True, slots=True)
class FineTuned:
    """Result of fine-tuning; ``network`` is None if not started or not kept, see ``notes``."""

    network: ClassifierNetwork | None
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
    if auto and not tf.is_installed():
        note = (
            "Not fine-tuned: TensorFlow is not installed. To try whether it would help: "
            f"{install_command('train')} (Python 3.11 or 3.12)."
        )
        return FineTuned(None, frozen, None, (note,))
    model = assemble(backbone, len(dataset.classes), head.kernel, head.bias, options.dropout)
    per_epoch: list[float] = []

    def decide(seconds: float) -> int:
        per_epoch.append(seconds)
        return _affordable(seconds, options) if auto else options.epochs or TUNING_EPOCHS

    with fit.batch_norm_frozen(model):
        history = fit.fit(model, dataset, split, options, _TUNING_CONFIG, decide, progress)
    if not history.epochs:
        count = options.epochs or _MIN_TUNING_EPOCHS
        note = (
            f"Not fine-tuned: {counted(count, 'epoch')} would take about "
            f"{count * per_epoch[0]:.0f} s (estimated from one step), more than the "
            f"budget of {_budget(options):g} s. Raise --budget, or use --fine-tune always."
        )
        return FineTuned(None, frozen, history, (note,))
    return _compare(model, frozen, history, auto)


def _budget(options: TrainingOptions) -> float:
    return BUDGET if options.budget is None else options.budget


def _affordable(per_epoch: float, options: TrainingOptions) -> int:
    """Return the epochs within the budget; 0 if ``options.epochs`` or the minimum do not fit."""
    if options.epochs is not None:
        return options.epochs if options.epochs * per_epoch <= _budget(options) else 0
    affordable = min(TUNING_EPOCHS, int(_budget(options) / per_epoch))
    return affordable if affordable >= _MIN_TUNING_EPOCHS else 0


def _compare(model: Any, frozen: float, history: fit.FitHistory, auto: bool) -> FineTuned:
    tuned = max(history.accuracies)
    spent = f"{counted(history.epochs, 'epoch')} ({history.seconds:.0f} s)"
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
    return FineTuned(ClassifierNetwork.from_model(model), tuned, history, (note,))
