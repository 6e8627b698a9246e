"""The training loop of fine-tuning and of training from scratch.

The number of epochs, possibly 0, is decided from the measured duration of a step. Distillation and
quantization-aware training use the same epochs, batches and learning rate schedule.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.training.augment import Augmentation
from converters.training.config import Curve, TrainingOptions

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Inputs [n, h, w, 3] as the model gets them, and targets [n, classes]."""


@dataclass(frozen=True, slots=True)
class LearningRateSchedule:
    """A linear warm-up to ``peak`` over a share ``warm_up`` of all steps, then a cosine to 0.

    Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017. Keras'
    ``CosineDecay`` counts from the optimizer's iterations, which include the steps that measure
    speed, starts at rate 0 and computes in float32: weights would no longer be the same.
    """

    peak: float
    warm_up: float

    def at(self, done: float) -> float:
        """Return the learning rate after a share ``done`` of all steps."""
        if done < self.warm_up:
            return self.peak * done / self.warm_up
        rest = (done - self.warm_up) / (1 - self.warm_up)
        return self.peak * 0.5 * (1 + math.cos(math.pi * rest))


class EpochLog:
    """Results per epoch, and the weights of the best: by accuracy, ties by log-loss.

    ``patience``: epochs without improvement after which training is over, as it is at an accuracy
    of ``goal``. Epochs before ``keep_from`` are never the best: a model that is still being pruned
    is not final. Keras' ``EarlyStopping`` monitors a single metric, and restores the best weights
    only if it stops.
    """

    def __init__(
        self, model: Any, patience: int, keep_from: int = 0, goal: float = math.inf
    ) -> None:
        self.losses: list[float] = []
        self.accuracies: list[float] = []
        self.validation_losses: list[float] = []
        self.best = keep_from
        self._model, self._patience, self._goal = model, patience, goal
        self._weights: list[NDArray[np.float32]] | None = None

    def epoch(self, loss: float, accuracy: float, validation_loss: float) -> None:
        """Add the results of an epoch, and keep the model's weights if it is the best."""
        self.losses.append(loss)
        self.accuracies.append(accuracy)
        self.validation_losses.append(validation_loss)
        current, best = len(self.losses) - 1, self.best
        if current < best:
            return
        result = (accuracy, -validation_loss)
        if self._weights is None or result > (self.accuracies[best], -self.validation_losses[best]):
            self.best, self._weights = current, self._model.get_weights()

    def is_over(self) -> bool:
        """Return whether the goal is reached, or no epoch improved for ``patience`` epochs."""
        reached = self._weights is not None and self.accuracies[self.best] >= self._goal
        return reached or len(self.losses) - 1 - self.best >= self._patience

    def restore(self) -> None:
        """Set the model to the weights of its best epoch."""
        if self._weights is not None:
            self._model.set_weights(self._weights)


def steps_in(images: int, batch_size: int) -> int:
    """Return the number of steps in an epoch of :func:`batches`."""
    return math.ceil(images / batch_size)


def batches(
    dataset: Dataset,
    indices: NDArray[np.int64],
    augmentation: Augmentation,
    rng: np.random.Generator,
    batch_size: int,
) -> Iterator[Batch]:
    """Yield an epoch of the images at ``indices``, shuffled and augmented, with one-hot targets."""
    targets = np.eye(len(dataset.classes), dtype=np.float32)
    for chosen in shuffled(indices, rng, batch_size):
        pixels = augmentation.batch(dataset.pixels[chosen], rng)
        yield dataset.preprocessing.normalize(pixels), targets[dataset.labels[chosen]]


def shuffled(
    indices: NDArray[np.int64], rng: np.random.Generator, batch_size: int
) -> NDArray[np.int64]:
    """Return an epoch of ``indices`` in random order, int64 [steps, batch_size].

    All batches are full (the last repeats a few images): a smaller one would make Keras rebuild
    its graph.
    """
    order = rng.permutation(indices)
    return np.resize(order, (steps_in(len(order), batch_size), batch_size))


def compile_model(model: Any, loss: Any) -> None:
    """Compile ``model`` for :func:`train`, whose schedule sets the rate of its optimizer.

    The optimizer's variables are created here: Keras would create them while it traces the first
    step, and then has to trace the whole network a second time.
    """
    model.compile(optimizer=tf.keras().optimizers.Adam(0.0), loss=loss)
    model.optimizer.build(model.trainable_variables)


def train(
    model: Any,
    epochs: int,
    steps: int,
    epoch_batches: Callable[[], Iterator[Batch]],
    schedule: LearningRateSchedule,
    evaluate: Callable[[], tuple[float, float]],
    log: EpochLog,
    callbacks: Sequence[Any] = (),
) -> Iterator[None]:
    """Train a compiled ``model`` in place, yielding after each step, until ``log`` is over.

    ``epoch_batches`` returns an epoch's batches, ``steps`` of them; ``evaluate`` returns accuracy
    and log-loss after an epoch; ``callbacks`` are Keras callbacks.
    """
    keras_callbacks = tf.keras().callbacks.CallbackList(list(callbacks), model=model)
    keras_callbacks.on_train_begin()
    for epoch in range(epochs):
        keras_callbacks.on_epoch_begin(epoch)
        losses = []
        for step, (inputs, targets) in enumerate(epoch_batches()):
            keras_callbacks.on_train_batch_begin(step)
            model.optimizer.learning_rate.assign(
                schedule.at((epoch * steps + step + 1) / (epochs * steps))
            )
            losses.append(float(model.train_on_batch(inputs, targets)))
            keras_callbacks.on_train_batch_end(step)
            yield
        keras_callbacks.on_epoch_end(epoch)
        log.epoch(float(np.mean(losses)), *evaluate())
        if log.is_over():
            break
    keras_callbacks.on_train_end()


def validate(
    score: Callable[[NDArray[np.float32]], Any], dataset: Dataset, indices: NDArray[np.int64]
) -> tuple[float, float]:
    """Return accuracy and log-loss on unaugmented images.

    ``score`` maps inputs [n, h, w, 3] to scores [n, classes], as ``predict_on_batch`` does.
    """
    parts = np.array_split(indices, math.ceil(len(indices) / 32))
    inputs = (dataset.preprocessing.normalize(dataset.pixels[part]) for part in parts)
    scores = np.concatenate([np.asarray(score(batch)) for batch in inputs])
    labels = dataset.labels[indices]
    chosen = scores[np.arange(len(labels)), labels]
    accuracy = float(np.mean(scores.argmax(axis=1) == labels))
    return accuracy, float(-np.mean(np.log(np.maximum(chosen, 1e-7))))


@contextmanager
def batch_norm_frozen(model: Any) -> Iterator[None]:
    """Freeze the statistics, scale and shift of BatchNorm within the block.

    In Keras, BatchNorm that is not trainable also uses its moving statistics. Small batches of
    few images would degrade them.
    """
    batch_norm = tf.keras().layers.BatchNormalization
    inner = [getattr(layer, "layer", layer) for layer in model.layers]  # inside tfmot's wrappers
    norms = [layer for layer in inner if isinstance(layer, batch_norm)]
    before = [norm.trainable for norm in norms]
    try:
        for norm in norms:
            norm.trainable = False
        yield
    finally:
        for norm, trainable in zip(norms, before, strict=True):
            norm.trainable = trainable


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
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=options.label_smoothing)
    compile_model(model, loss)
    rng = np.random.default_rng(options.seed)
    batch = min(options.batch_size, len(split.train))
    steps = steps_in(len(split.train), batch)

    def epoch_batches() -> Iterator[Batch]:
        return batches(dataset, split.train, options.augmentation, rng, batch)

    step_seconds = _measure(model, next(epoch_batches()))
    per_epoch = step_seconds * (steps + _EVALUATION_COST * len(split.validation) / batch)
    planned = decide(per_epoch)
    log = EpochLog(model, config.patience)
    training = train(
        model,
        planned,
        steps,
        epoch_batches,
        LearningRateSchedule(config.learning_rate, config.warm_up),
        lambda: validate(model.predict_on_batch, dataset, split.validation),
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


def _measure(model: Any, batch: Batch) -> float:
    """Return the seconds of a training step, at rate 0; the first call builds the graph."""
    model.train_on_batch(*batch)
    start = time.perf_counter()
    model.train_on_batch(*batch)
    return time.perf_counter() - start
