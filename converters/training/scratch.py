"""Training from scratch: all layers, from random weights."""

from typing import Any

import numpy as np

from converters import tf
from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.training import classifier, fit
from converters.training.config import TrainingOptions
from converters.training.epochs import steps_in
from converters.training.result import TrainedModel

_STEPS = 800
"""Steps needed for small images with clear shapes: 600 reach 98 % on handwritten digits."""

_MIN_EPOCHS, _MAX_EPOCHS = 5, 60

_MOMENTUM = 0.95
"""Of BatchNorm in long runs: Keras' 0.999 needs thousands of steps to forget earlier weights."""

_REMEMBERED = 0.1
"""Share of a run's steps that BatchNorm's statistics go back at most."""


def train(
    backbone: Backbone,
    dataset: Dataset,
    split: Split,
    options: TrainingOptions,
    progress: Progress,
) -> TrainedModel:
    """Train all weights on the training split; keep the best epoch on the validation split."""
    model = classifier.assemble(backbone, len(dataset.classes), dropout=options.dropout)
    epochs = options.epochs or _epochs(len(split.train), options.batch_size)
    _start_batch_norm(model, dataset, split, options, epochs)
    config = fit.FitConfig(
        "Training from scratch", learning_rate=1.5e-3, warm_up=0.15, patience=max(5, epochs // 2)
    )

    def decide(seconds: float) -> int:
        progress.say(
            f"Training from scratch: {epochs} epochs, about {epochs * seconds:.0f} s "
            "(estimated from one step)."
        )
        return epochs

    history = fit.fit(model, dataset, split, options, config, decide, progress)
    accuracy = history.accuracies[history.best - 1]
    return TrainedModel(
        model=model,
        method="scratch",
        validation_accuracy=accuracy,
        notes=(
            f"Trained from scratch: {accuracy:.1%} validation accuracy after {history.epochs} "
            f"epochs ({history.seconds:.0f} s). Pretrained weights need fewer images and less "
            "time.",
        ),
        curves=(history.curve("Training from scratch"),),
        details={"training": describe(history)},
    )


def describe(history: fit.FitHistory) -> dict[str, Any]:
    """Return plain values for the report."""
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
    return min(_MAX_EPOCHS, max(_MIN_EPOCHS, round(_STEPS / steps)))


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
