"""The training loop of fine-tuning and of training from scratch.

The number of epochs, and whether to train at all, is decided from the time that a first step took.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from converters import tf
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.training import epochs
from converters.training.config import TrainingOptions
from converters.training.result import Curve

_EVALUATION_COST = 0.35
"""Seconds of judging an image against those of training on it: the forward pass alone."""


@dataclass(frozen=True, slots=True)
class FitConfig:
    """``rate``: the highest learning rate; ``warm_up``: share of the steps until it is reached,
    from where it falls along a cosine to 0; ``patience``: epochs without a better validation
    result after which training stops.
    """

    what: str
    rate: float
    warm_up: float = 0.1
    patience: int = 5


@dataclass(frozen=True, slots=True)
class FitHistory:
    """What a run did; ``epochs`` is 0 where it was decided not to train.

    ``estimate``: seconds foreseen for ``planned`` epochs from the ``step_seconds`` of one measured
    step; ``seconds``: really spent. Per epoch: ``losses`` on the training side,
    ``accuracies`` and ``validation_losses`` on the validation side. ``best`` is the epoch
    (from 1) whose weights were restored.
    """

    planned: int
    epochs: int
    best: int
    step_seconds: float
    estimate: float
    seconds: float
    losses: tuple[float, ...] = ()
    accuracies: tuple[float, ...] = ()
    validation_losses: tuple[float, ...] = ()

    def curve(self, title: str) -> Curve:
        """The learning curve for the report."""
        return Curve(
            title=title,
            x_label="epoch",
            y_label="accuracy and loss",
            x=tuple(float(epoch) for epoch in range(1, self.epochs + 1)),
            series={
                "validation accuracy": self.accuracies,
                "validation loss": self.validation_losses,
                "training loss": self.losses,
            },
        )


def fit(
    model: Any,
    dataset: Dataset,
    split: Split,
    options: TrainingOptions,
    plan: FitConfig,
    decide: Callable[[float], int],
    progress: Progress,
) -> FitHistory:
    """Train ``model`` (ending in a softmax) in place and leave it at its best epoch.

    ``decide`` gets the seconds that one epoch is going to take, and says how many epochs to
    train: 0 leaves the model at a useless state a few steps on.
    """
    tf.seed_everything(options.seed)  # dropout draws from TensorFlow's own numbers
    started = time.perf_counter()
    keras = tf.keras()
    model.compile(
        optimizer=keras.optimizers.Adam(0.0),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=options.label_smoothing),
    )
    rng = np.random.default_rng(options.seed)
    batch = min(options.batch_size, len(split.train))
    steps = epochs.steps_in(len(split.train), batch)

    def epoch_of() -> Iterator[epochs.Batch]:
        return epochs.batches(dataset, split.train, options.augmentation, rng, batch)

    step_seconds = _measure(model, next(epoch_of()))
    per_epoch = step_seconds * (steps + _EVALUATION_COST * len(split.validation) / batch)
    planned = decide(per_epoch)
    log = epochs.EpochLog(model, plan.patience)
    training = epochs.train(
        model,
        planned,
        steps,
        epoch_of,
        epochs.LearningRateSchedule(plan.rate, plan.warm_up),
        lambda: epochs.validate(model, dataset, split.validation),
        log,
    )
    for _ in progress.track(training, planned * steps, plan.what):
        pass
    log.restore()
    return FitHistory(
        planned=planned,
        epochs=len(log.losses),
        best=log.best + 1 if log.losses else 0,
        step_seconds=step_seconds,
        estimate=planned * per_epoch,
        seconds=time.perf_counter() - started,
        losses=tuple(log.losses),
        accuracies=tuple(log.accuracies),
        validation_losses=tuple(log.validation_losses),
    )


def _measure(model: Any, batch: epochs.Batch) -> float:
    """Seconds of one training step, at rate 0; the first call builds the graph."""
    model.train_on_batch(*batch)
    start = time.perf_counter()
    model.train_on_batch(*batch)
    return time.perf_counter() - start
