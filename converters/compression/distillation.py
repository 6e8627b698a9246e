"""Distillation: train a compressed model towards the scores of the original one.

Hinton et al., "Distilling the Knowledge in a Neural Network", 2015; teacher and student see the
same augmented image (Beyer et al., "Knowledge distillation: A good teacher is patient and
consistent", CVPR 2022).
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.compression.context import RecipeContext
from converters.compression.scoring import scorer
from converters.training import fit
from edge.errors import UsageError

_VIEWS = 2
"""Random changes of each training image. Later epochs see them again, in another order, and cost no
scores of the teacher."""


@dataclass(frozen=True, slots=True)
class DistillationConfig:
    """Configuration of a distillation.

    ``title``: of its progress bar; ``epochs``: at least 1; ``learning_rate``: the highest, reached
    after a share ``warm_up`` of all steps; ``label_weight``: of the true label, 0 to 1, the rest
    being that of the teacher's scores; ``batch_size``: images in a step; ``patience``: epochs
    without a better validation result after which it stops, None for never; ``goal``: validation
    accuracy at which it stops.

    Raises:
        UsageError: a value outside its range.
    """

    title: str
    epochs: int
    learning_rate: float
    warm_up: float = 0.1
    label_weight: float = 0.1
    batch_size: int = 32
    patience: int | None = None
    goal: float = math.inf

    def __post_init__(self) -> None:
        for valid, expected, value, fix in (
            (self.epochs >= 1, "epochs to be at least 1", self.epochs, "epochs = 5"),
            (
                self.learning_rate > 0,
                "learning_rate to be above 0",
                self.learning_rate,
                "learning_rate = 0.001",
            ),
            (
                0 <= self.warm_up < 1,
                "warm_up to be at least 0 and below 1",
                self.warm_up,
                "warm_up = 0.1",
            ),
            (
                0 <= self.label_weight <= 1,
                "label_weight to be from 0 to 1",
                self.label_weight,
                "label_weight = 0.1",
            ),
            (
                self.batch_size >= 1,
                "batch_size to be at least 1",
                self.batch_size,
                "batch_size = 32",
            ),
        ):
            if not valid:
                raise UsageError(expected, f"{value:g}", f"use {fix}", code="option-out-of-range")


@dataclass(frozen=True, slots=True)
class DistillationLog:
    """Log of a distillation: ``best`` is the epoch (from 1) whose weights were kept.

    Per epoch: ``losses`` (cross-entropy with the targets) on the training split, and accuracy and
    log-loss on the validation split.
    """

    epochs: int
    best: int
    seconds: float
    losses: tuple[float, ...]
    validation_accuracies: tuple[float, ...]
    validation_losses: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the report."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def distill(
    student: Any,
    teacher: Any,
    context: RecipeContext,
    config: DistillationConfig,
    callbacks: Sequence[Any] = (),
    keep_from: int = 0,
) -> DistillationLog:
    """Train ``student`` in place towards the teacher's scores and leave it at its best epoch.

    Its BatchNorm stays frozen. Targets are the true label, weighted by ``label_weight``, plus the
    teacher's scores of the same augmented image. The validation split chooses the epoch.

    Args:
        student: tf_keras model to softmax [n, classes], tfmot's wrappers allowed; not compiled.
        teacher: tf_keras model of the same input and classes; not changed.
        context: images of both splits, and the seed of order, augmentation and dropout.
        config: length, learning rate and targets.
        callbacks: Keras callbacks, called at every step and epoch, such as
            ``tfmot.sparsity.keras.UpdatePruningStep()``.
        keep_from: the first epoch (from 0) that may be restored: earlier ones, of a schedule that
            still prunes, say, are not final.

    Raises:
        UsageError: ``keep_from`` is not an epoch of ``config``.
    """
    if not 0 <= keep_from < config.epochs:
        raise UsageError(
            f"keep_from to be from 0 to {config.epochs - 1}",
            str(keep_from),
            "use more epochs",
            code="option-out-of-range",
        )
    started = time.perf_counter()
    tf.seed_everything(context.seed)
    dataset, split = context.dataset, context.split
    batch = min(config.batch_size, len(split.train))
    steps = fit.steps_in(len(split.train), batch)
    log = fit.EpochLog(student, config.patience or config.epochs, keep_from, config.goal)
    with fit.batch_norm_frozen(student):
        keras = tf.keras()
        # The same layers in a model of its own, so that the student is saved without an optimizer.
        trained = keras.Model(student.inputs, student.outputs)
        fit.compile_model(trained, "categorical_crossentropy")
        training = fit.train(
            trained,
            config.epochs,
            steps,
            _Views(teacher, context, config.label_weight, batch).epoch,
            fit.LearningRateSchedule(config.learning_rate, config.warm_up),
            lambda: fit.validate(scorer(student), dataset, split.validation),
            log,
            callbacks,
        )
        for _ in context.progress.track(training, config.epochs * steps, config.title):
            pass
    log.restore()
    return DistillationLog(
        epochs=len(log.losses),
        best=log.best + 1,
        seconds=time.perf_counter() - started,
        losses=tuple(log.losses),
        validation_accuracies=tuple(log.accuracies),
        validation_losses=tuple(log.validation_losses),
    )


class _Views:
    """Augmented training images with their targets, epoch after epoch.

    Each image has ``_VIEWS`` random changes, drawn once: the teacher scores each of them when it
    first comes up, and later epochs take its scores from ``_scores``.
    """

    def __init__(
        self, teacher: Any, context: RecipeContext, label_weight: float, batch_size: int
    ) -> None:
        self._context, self._label_weight, self._batch_size = context, label_weight, batch_size
        self._score = scorer(teacher)
        self._rng = np.random.default_rng([context.seed, 0xD157])  # a stream of its own
        train, classes = context.split.train, len(context.dataset.classes)
        draw = context.augmentation.draw
        self._changes = [[draw(self._rng) for _ in train] for _ in range(_VIEWS)]
        self._scores = np.full((_VIEWS, len(train), classes), np.nan, np.float32)
        self._epoch = 0

    def epoch(self) -> Iterator[fit.Batch]:
        """Yield the batches of the next epoch, in random order."""
        view, self._epoch = self._epoch % _VIEWS, self._epoch + 1
        dataset, train = self._context.dataset, self._context.split.train
        truth = np.eye(len(dataset.classes), dtype=np.float32)[dataset.labels[train]]
        for rows in fit.shuffled(np.arange(len(train)), self._rng, self._batch_size):
            changed = [self._changes[view][row].apply(dataset.pixels[train[row]]) for row in rows]
            inputs = dataset.preprocessing.normalize(np.stack(changed))
            soft = self._teacher_scores(view, rows, inputs)
            yield inputs, self._label_weight * truth[rows] + (1 - self._label_weight) * soft

    def _teacher_scores(
        self, view: int, rows: NDArray[np.int64], inputs: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        known = self._scores[view]
        new = np.isnan(known[rows, 0])
        if new.any():
            known[rows[new]] = self._score(inputs[new])
        scores: NDArray[np.float32] = known[rows]
        return scores
