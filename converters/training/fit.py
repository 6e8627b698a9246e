"""The training loop of fine-tuning and of training from scratch.

The number of epochs, possibly 0, is decided from the measured duration of a step.
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
"""Time to evaluate an image relative to training on it: the forward pass alone."""


@dataclass(frozen=True, slots=True)
class FitConfig:
    """Configuration of a training loop.

    ``title``: of its progress bar; ``learning_rate``: the highest, reached after a share
    ``warm_up`` of the steps, from where it falls along a cosine to 0; ``patience``: epochs without
    a better validation result after which training stops.
    """

    title: str
    learning_rate: float
    warm_up: float = 0.1
    patience: int = 5


@dataclass(frozen=True, slots=True)
class FitHistory:
    """History of a training; ``epochs`` is 0 where the decision was not to train.

    ``estimate``: predicted seconds for ``planned`` epochs, from the ``step_seconds`` of a measured
    step; ``seconds``: actual duration. Per epoch: ``losses`` on the training split,
    ``accuracies`` and ``validation_losses`` on the validation split. ``best`` is the epoch
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
        """Return the learning curve for the report."""
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
    config: FitConfig,
    decide: Callable[[float], int],
    progress: Progress,
) -> FitHistory:
    """Train ``model`` (ending in a softmax) in place and leave it at its best epoch.

    ``decide`` takes the estimated seconds of an epoch and returns the number of epochs to train;
    with 0, discard the model: its BatchNorm statistics and optimizer have changed.
    """
    tf.seed_everything(options.seed)  # dropout uses TensorFlow's random generator
    started = time.perf_counter()
    keras = tf.keras()
    model.compile(
        optimizer=keras.optimizers.Adam(0.0),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=options.label_smoothing),
    )
    rng = np.random.default_rng(options.seed)
    batch = min(options.batch_size, len(split.train))
    steps = epochs.steps_in(len(split.train), batch)

    def epoch_batches() -> Iterator[epochs.Batch]:
        return epochs.batches(dataset, split.train, options.augmentation, rng, batch)

    step_seconds = _measure(model, next(epoch_batches()))
    per_epoch = step_seconds * (steps + _EVALUATION_COST * len(split.validation) / batch)
    planned = decide(per_epoch)
    log = epochs.EpochLog(model, config.patience)
    training = epochs.train(
        model,
        planned,
        steps,
        epoch_batches,
        epochs.LearningRateSchedule(config.learning_rate, config.warm_up),
        lambda: epochs.validate(model, dataset, split.validation),
        log,
    )
    for _ in progress.track(training, planned * steps, config.title):
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
    """Return the seconds of a training step, at rate 0; the first call builds the graph."""
    model.train_on_batch(*batch)
    start = time.perf_counter()
    model.train_on_batch(*batch)
    return time.perf_counter() - start
