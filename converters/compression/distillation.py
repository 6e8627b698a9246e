"""Distillation: train a compressed model towards the scores of the original one.

Hinton et al., "Distilling the Knowledge in a Neural Network", 2015; teacher and student see the
same augmented image (Beyer et al., "Knowledge distillation: A good teacher is patient and
consistent", CVPR 2022).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.compression.context import RecipeContext
from converters.training import fit
from edge.errors import UsageError


@dataclass(frozen=True, slots=True)
class DistillationConfig:
    """Configuration of a distillation.

    ``title``: of its progress bar; ``epochs``: at least 1; ``learning_rate``: the highest, reached
    after a share ``warm_up`` of all steps; ``label_weight``: of the true label, 0 to 1, the rest
    being that of the teacher's scores; ``batch_size``: images in a step.

    Raises:
        UsageError: a value outside its range.
    """

    title: str
    epochs: int
    learning_rate: float
    warm_up: float = 0.1
    label_weight: float = 0.1
    batch_size: int = 32

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
    log = fit.EpochLog(student, patience=config.epochs, keep_from=keep_from)
    with fit.batch_norm_frozen(student):
        keras = tf.keras()
        # The same layers in a model of its own, so that the student is saved without an optimizer.
        trained = keras.Model(student.inputs, student.outputs)
        fit.compile_model(trained, "categorical_crossentropy")
        training = fit.train(
            trained,
            config.epochs,
            steps,
            _epochs_with_targets(teacher, context, config.label_weight, batch),
            fit.LearningRateSchedule(config.learning_rate, config.warm_up),
            lambda: fit.validate(student, dataset, split.validation),
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


def _epochs_with_targets(
    teacher: Any, context: RecipeContext, label_weight: float, batch_size: int
) -> Callable[[], Iterator[fit.Batch]]:
    """Return a function that yields an epoch of augmented images with the mixed targets."""
    scores = tf.tensorflow().function(lambda inputs: teacher(inputs, training=False))
    rng = np.random.default_rng([context.seed, 0xD157])  # a stream of its own
    dataset, indices = context.dataset, context.split.train

    def epoch() -> Iterator[fit.Batch]:
        images = fit.batches(dataset, indices, context.augmentation, rng, batch_size)
        for inputs, truth in images:
            soft: NDArray[np.float32] = scores(inputs).numpy()
            yield inputs, label_weight * truth + (1 - label_weight) * soft

    return epoch
