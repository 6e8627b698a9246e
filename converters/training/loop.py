"""The training loop of fine-tuning and of training from scratch.

A loop of our own around Keras' ``train_on_batch``, because the number of epochs, and whether to
train at all, is decided from the time that its first steps took.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.training.options import TrainingOptions
from converters.training.trained import Curve

_EVALUATION_COST = 0.35
"""Seconds of judging a picture against those of training on it: the forward pass alone."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``rate``: the highest learning rate; ``warm_up``: share of the steps until it is reached,
    from where it falls along a cosine to 0; ``patience``: epochs without a better validation
    result after which training stops.
    """

    what: str
    rate: float
    warm_up: float = 0.1
    patience: int = 5


@dataclass(frozen=True, slots=True)
class History:
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
    plan: Plan,
    decide: Callable[[float], int],
    progress: Progress,
) -> History:
    """Train ``model`` (ending in a softmax) in place and leave it at its best epoch.

    ``decide`` gets the seconds that one epoch is going to take, and says how many epochs to
    train: 0 leaves the model at a useless state a few steps on.
    """
    started = time.perf_counter()
    keras = tf.keras()
    model.compile(
        optimizer=keras.optimizers.Adam(0.0),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=options.label_smoothing),
    )
    rng = np.random.default_rng(options.seed)
    batch = min(options.batch_size, len(split.train))
    steps = math.ceil(len(split.train) / batch)
    step_seconds = _measure(model, next(_batches(dataset, split, options, rng, batch)))
    per_epoch = step_seconds * (steps + _EVALUATION_COST * len(split.validation) / batch)
    planned = decide(per_epoch)
    log = _Log(model, plan.patience)

    def train_all() -> Iterator[None]:
        for epoch in range(planned):
            losses = []
            for step, (pixels, targets) in enumerate(_batches(dataset, split, options, rng, batch)):
                done = (epoch * steps + step + 1) / (planned * steps)
                model.optimizer.learning_rate.assign(_rate(plan, done))
                losses.append(float(model.train_on_batch(pixels, targets)))
            log.epoch(float(np.mean(losses)), *judge(model, dataset, split.validation))
            yield
            if log.stale():
                return

    for _ in progress.track(train_all(), planned, plan.what):
        pass
    log.restore()
    return History(
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


def judge(model: Any, dataset: Dataset, indices: NDArray[np.int64]) -> tuple[float, float]:
    """Accuracy and log-loss of ``model`` on pictures as they are."""
    scores = np.concatenate(
        [
            np.asarray(
                model.predict_on_batch(dataset.preprocessing.normalise(dataset.pixels[part]))
            )
            for part in np.array_split(indices, math.ceil(len(indices) / 32))
        ]
    )
    labels = dataset.labels[indices]
    chosen = scores[np.arange(len(labels)), labels]
    accuracy = float(np.mean(scores.argmax(axis=1) == labels))
    return accuracy, float(-np.mean(np.log(np.maximum(chosen, 1e-7))))


class _Log:
    """Results per epoch, and the weights of the best: by accuracy, ties by log-loss."""

    def __init__(self, model: Any, patience: int) -> None:
        self.losses: list[float] = []
        self.accuracies: list[float] = []
        self.validation_losses: list[float] = []
        self.best = 0
        self._model, self._patience = model, patience
        self._weights: list[NDArray[np.float32]] | None = None

    def epoch(self, loss: float, accuracy: float, validation_loss: float) -> None:
        self.losses.append(loss)
        self.accuracies.append(accuracy)
        self.validation_losses.append(validation_loss)
        now, best = len(self.losses) - 1, self.best
        result = (accuracy, -validation_loss)
        if self._weights is None or result > (self.accuracies[best], -self.validation_losses[best]):
            self.best, self._weights = now, self._model.get_weights()

    def stale(self) -> bool:
        return len(self.losses) - 1 - self.best >= self._patience

    def restore(self) -> None:
        if self._weights is not None:
            self._model.set_weights(self._weights)


def _measure(model: Any, batch: tuple[NDArray[np.float32], NDArray[np.float32]]) -> float:
    """Seconds of one training step, at rate 0; the first call builds the graph."""
    model.train_on_batch(*batch)
    start = time.perf_counter()
    model.train_on_batch(*batch)
    return time.perf_counter() - start


def _rate(plan: Plan, done: float) -> float:
    """The learning rate after a share of all steps: linear warm-up, then a cosine to 0.

    Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.
    """
    if done < plan.warm_up:
        return plan.rate * done / plan.warm_up
    rest = (done - plan.warm_up) / (1 - plan.warm_up)
    return plan.rate * 0.5 * (1 + math.cos(math.pi * rest))


def _batches(
    dataset: Dataset,
    split: Split,
    options: TrainingOptions,
    rng: np.random.Generator,
    batch: int,
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """One epoch of the training side, shuffled and augmented, with one-hot targets.

    All batches are full (the last takes a few pictures again): a smaller one would make Keras
    build its graph anew.
    """
    order = rng.permutation(split.train)
    order = np.resize(order, math.ceil(len(order) / batch) * batch)
    targets = np.eye(len(dataset.classes), dtype=np.float32)
    for chosen in order.reshape(-1, batch):
        pixels = options.augmentation.batch(dataset.pixels[chosen], rng)
        yield dataset.preprocessing.normalise(pixels), targets[dataset.labels[chosen]]
