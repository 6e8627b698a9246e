"""What every training is made of: batches, a schedule, epochs, and the log of the best one."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.dataset.audit import Dataset
from converters.training.augment import Augmentation

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Inputs [n, h, w, 3] as the model gets them, and targets [n, classes]."""


@dataclass(frozen=True, slots=True)
class LearningRateSchedule:
    """A linear warm-up to ``rate`` over a share ``warm_up`` of all steps, then a cosine to 0.

    Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.
    """

    rate: float
    warm_up: float

    def at(self, done: float) -> float:
        """The learning rate after a share ``done`` of all steps."""
        if done < self.warm_up:
            return self.rate * done / self.warm_up
        rest = (done - self.warm_up) / (1 - self.warm_up)
        return self.rate * 0.5 * (1 + math.cos(math.pi * rest))


class EpochLog:
    """Results per epoch, and the weights of the best: by accuracy, ties by log-loss.

    ``patience``: epochs without a better one after which training is stale. Epochs before
    ``keep_from`` are never the best: a model that is still being changed is not done.
    """

    def __init__(self, model: Any, patience: int, keep_from: int = 0) -> None:
        self.losses: list[float] = []
        self.accuracies: list[float] = []
        self.validation_losses: list[float] = []
        self.best = keep_from
        self._model, self._patience = model, patience
        self._weights: list[NDArray[np.float32]] | None = None

    def epoch(self, loss: float, accuracy: float, validation_loss: float) -> None:
        self.losses.append(loss)
        self.accuracies.append(accuracy)
        self.validation_losses.append(validation_loss)
        now, best = len(self.losses) - 1, self.best
        if now < best:
            return
        result = (accuracy, -validation_loss)
        if self._weights is None or result > (self.accuracies[best], -self.validation_losses[best]):
            self.best, self._weights = now, self._model.get_weights()

    def stale(self) -> bool:
        return len(self.losses) - 1 - self.best >= self._patience

    def restore(self) -> None:
        """Give the model the weights of its best epoch."""
        if self._weights is not None:
            self._model.set_weights(self._weights)


def steps_in(images: int, batch_size: int) -> int:
    """Steps of one epoch of :func:`batches`."""
    return math.ceil(images / batch_size)


def batches(
    dataset: Dataset,
    indices: NDArray[np.int64],
    augmentation: Augmentation,
    rng: np.random.Generator,
    batch_size: int,
) -> Iterator[Batch]:
    """One epoch of the images at ``indices``, shuffled and augmented, with one-hot targets.

    All batches are full (the last takes a few images again): a smaller one would make Keras
    build its graph anew.
    """
    order = rng.permutation(indices)
    order = np.resize(order, steps_in(len(order), batch_size) * batch_size)
    targets = np.eye(len(dataset.classes), dtype=np.float32)
    for chosen in order.reshape(-1, batch_size):
        pixels = augmentation.batch(dataset.pixels[chosen], rng)
        yield dataset.preprocessing.normalize(pixels), targets[dataset.labels[chosen]]


def train(
    model: Any,
    epochs: int,
    steps: int,
    epoch_of: Callable[[], Iterator[Batch]],
    schedule: LearningRateSchedule,
    judged: Callable[[], tuple[float, float]],
    log: EpochLog,
    callbacks: Sequence[Any] = (),
) -> Iterator[None]:
    """Train a compiled ``model`` in place, yielding after each step, until ``log`` is stale.

    ``epoch_of`` gives an epoch's batches, ``steps`` of them; ``judged`` gives accuracy and
    log-loss after an epoch; ``callbacks`` are Keras' own.
    """
    heard = tf.keras().callbacks.CallbackList(list(callbacks), model=model)
    heard.on_train_begin()
    for epoch in range(epochs):
        heard.on_epoch_begin(epoch)
        losses = []
        for step, (inputs, targets) in enumerate(epoch_of()):
            heard.on_train_batch_begin(step)
            model.optimizer.learning_rate.assign(
                schedule.at((epoch * steps + step + 1) / (epochs * steps))
            )
            losses.append(float(model.train_on_batch(inputs, targets)))
            heard.on_train_batch_end(step)
            yield
        heard.on_epoch_end(epoch)
        log.epoch(float(np.mean(losses)), *judged())
        if log.stale():
            break
    heard.on_train_end()


def validate(model: Any, dataset: Dataset, indices: NDArray[np.int64]) -> tuple[float, float]:
    """Accuracy and log-loss of ``model`` on images as they are."""
    scores = np.concatenate(
        [
            np.asarray(
                model.predict_on_batch(dataset.preprocessing.normalize(dataset.pixels[part]))
            )
            for part in np.array_split(indices, math.ceil(len(indices) / 32))
        ]
    )
    labels = dataset.labels[indices]
    chosen = scores[np.arange(len(labels)), labels]
    accuracy = float(np.mean(scores.argmax(axis=1) == labels))
    return accuracy, float(-np.mean(np.log(np.maximum(chosen, 1e-7))))


@contextmanager
def batch_norm_frozen(model: Any) -> Iterator[None]:
    """BatchNorm keeps its learned statistics, scale and shift within the block.

    In Keras an untrainable BatchNorm also runs on its learned statistics. Small batches of few
    images would spoil them.
    """
    kind = tf.keras().layers.BatchNormalization
    inner = [getattr(layer, "layer", layer) for layer in model.layers]  # inside tfmot's wrappers
    norms = [layer for layer in inner if isinstance(layer, kind)]
    before = [norm.trainable for norm in norms]
    try:
        for norm in norms:
            norm.trainable = False
        yield
    finally:
        for norm, trainable in zip(norms, before, strict=True):
            norm.trainable = trainable
