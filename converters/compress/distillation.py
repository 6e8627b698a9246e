"""Recovery: a model that lost weights or bits learns again what the whole one answers.

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
from converters.compress.context import RecipeContext
from converters.training import epochs
from edge.errors import UsageError


@dataclass(frozen=True, slots=True)
class DistillationConfig:
    """How to recover.

    ``what``: shown while it goes on; ``epochs``: at least 1; ``rate``: the highest learning rate,
    reached after a share ``warm_up`` of all steps; ``hard``: weight of the true label beside the
    teacher's scores, 0 to 1; ``batch_size``: images in a step.

    Raises:
        UsageError: a value outside its range.
    """

    what: str
    epochs: int
    rate: float
    warm_up: float = 0.1
    hard: float = 0.1
    batch_size: int = 32

    def __post_init__(self) -> None:
        for right, expected, found, fix in (
            (self.epochs >= 1, "epochs to be at least 1", self.epochs, "epochs = 5"),
            (self.rate > 0, "rate to be above 0", self.rate, "rate = 0.001"),
            (
                0 <= self.warm_up < 1,
                "warm_up to be at least 0 and below 1",
                self.warm_up,
                "warm_up = 0.1",
            ),
            (0 <= self.hard <= 1, "hard to be from 0 to 1", self.hard, "hard = 0.1"),
            (
                self.batch_size >= 1,
                "batch_size to be at least 1",
                self.batch_size,
                "batch_size = 32",
            ),
        ):
            if not right:
                raise UsageError(expected, f"{found:g}", f"use {fix}", code="option-out-of-range")


@dataclass(frozen=True, slots=True)
class DistillationLog:
    """What a recovery did: ``best`` is the epoch (from 1) whose weights were kept.

    Per epoch: ``losses`` (cross-entropy with the targets) on the training side, and accuracy and
    log-loss on the validation side.
    """

    epochs: int
    best: int
    seconds: float
    losses: tuple[float, ...]
    validation_accuracies: tuple[float, ...]
    validation_losses: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the report."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def distil(
    student: Any,
    teacher: Any,
    material: RecipeContext,
    plan: DistillationConfig,
    callbacks: Sequence[Any] = (),
    keep_from: int = 0,
) -> DistillationLog:
    """Train ``student`` in place towards the teacher's scores and leave it at its best epoch.

    Its BatchNorm stays frozen. Targets are ``hard`` parts of the true label and the rest of what
    ``teacher`` says of the same augmented image. The validation side chooses the epoch.

    Args:
        student: tf_keras model to softmax [n, classes], tfmot's wrappers allowed; not compiled.
        teacher: tf_keras model of the same input and classes; not changed.
        material: images of both sides, and the seed of order, augmentation and dropout.
        plan: how long and how hard.
        callbacks: Keras callbacks, which are told of every step and epoch, such as
            ``tfmot.sparsity.keras.UpdatePruningStep()``.
        keep_from: the first epoch (from 0) that may be the one restored: those before it, of a
            schedule that still prunes, say, are not what was asked for.

    Raises:
        UsageError: ``keep_from`` is no epoch of the plan.
    """
    if not 0 <= keep_from < plan.epochs:
        raise UsageError(
            f"keep_from to be from 0 to {plan.epochs - 1}",
            str(keep_from),
            "use more epochs",
            code="option-out-of-range",
        )
    started = time.perf_counter()
    tf.seed_everything(material.seed)
    dataset, split = material.dataset, material.split
    batch = min(plan.batch_size, len(split.train))
    steps = epochs.steps_in(len(split.train), batch)
    log = epochs.EpochLog(student, patience=plan.epochs, keep_from=keep_from)
    with epochs.batch_norm_frozen(student):
        keras = tf.keras()
        # The same layers in a model of its own: the student is saved without an optimizer.
        pupil = keras.Model(student.inputs, student.outputs)
        pupil.compile(optimizer=keras.optimizers.Adam(0.0), loss="categorical_crossentropy")
        training = epochs.train(
            pupil,
            plan.epochs,
            steps,
            _teacher_logits(teacher, material, plan.hard, batch),
            epochs.LearningRateSchedule(plan.rate, plan.warm_up),
            lambda: epochs.judge(student, dataset, split.validation),
            log,
            callbacks,
        )
        for _ in material.progress.track(training, plan.epochs * steps, plan.what):
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


def _teacher_logits(
    teacher: Any, material: RecipeContext, hard: float, batch_size: int
) -> Callable[[], Iterator[epochs.Batch]]:
    """Epochs of augmented images with the mixed targets."""
    answer = tf.tensorflow().function(lambda inputs: teacher(inputs, training=False))
    rng = np.random.default_rng([material.seed, 0xD157])  # a stream of its own
    dataset, indices = material.dataset, material.split.train

    def epoch() -> Iterator[epochs.Batch]:
        images = epochs.batches(dataset, indices, material.augmentation, rng, batch_size)
        for inputs, truth in images:
            soft: NDArray[np.float32] = answer(inputs).numpy()
            yield inputs, hard * truth + (1 - hard) * soft

    return epoch
