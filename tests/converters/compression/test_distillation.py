"""Recovery brings a damaged model back towards its teacher, the same way each time."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from errors import raises_code

from converters.compression.context import RecipeContext
from converters.compression.distillation import DistillationConfig, DistillationLog, distill
from converters.compression.scoring import scorer
from converters.tf import keras
from converters.training import fit
from converters.training.augment import Augmentation


def damaged(teacher: Any) -> Any:
    """A copy of ``teacher`` whose head is noisy and whose last convolution lost every third."""
    student = keras().models.clone_model(teacher)
    student.set_weights(teacher.get_weights())
    rng = np.random.default_rng(0)
    last = student.get_layer("block_6_expand")
    last.set_weights([last.get_weights()[0] * (np.arange(last.filters) % 3 != 0)])
    kernel, bias = student.get_layer("head").get_weights()
    noise = rng.normal(0, kernel.std(), kernel.shape)
    student.get_layer("head").set_weights([kernel + noise, bias])
    return student


def divergence(student: Any, context: RecipeContext) -> float:
    """Mean KL divergence from the teacher's scores on the validation side."""
    pixels = context.dataset.pixels[context.split.validation]
    inputs = context.dataset.preprocessing.normalize(pixels)
    p, q = (np.asarray(model(inputs, training=False)) for model in (context.teacher, student))
    return float(np.mean(np.sum(p * np.log((p + 1e-9) / (q + 1e-9)), axis=1)))


def norms(model: Any) -> list[np.ndarray]:  # type: ignore[type-arg]
    kind = keras().layers.BatchNormalization
    return [w for layer in model.layers if isinstance(layer, kind) for w in layer.get_weights()]


# Small steps, and enough of them: three of 1e-3 led some students further away.
CONFIG = DistillationConfig("recovering", 6, 2e-4, batch_size=10)


@pytest.fixture(scope="module")
def untouched(context: RecipeContext) -> list[np.ndarray]:  # type: ignore[type-arg]
    """The teacher's weights before any distillation."""
    return [weight.copy() for weight in context.teacher.get_weights()]


@pytest.fixture(scope="module")
def recovered(
    context: RecipeContext,
    untouched: list[np.ndarray],  # type: ignore[type-arg]
) -> tuple[Any, DistillationLog]:
    student = damaged(context.teacher)
    return student, distill(student, context.teacher, context, CONFIG)


def test_the_student_comes_back_towards_its_teacher(
    context: RecipeContext, recovered: tuple[Any, DistillationLog]
) -> None:
    before = divergence(damaged(context.teacher), context)
    assert divergence(recovered[0], context) < 0.5 * before


def test_the_best_epoch_is_the_one_restored(
    context: RecipeContext, recovered: tuple[Any, DistillationLog]
) -> None:
    student, recovery = recovered
    judged = fit.validate(scorer(student), context.dataset, context.split.validation)
    best = recovery.best - 1
    assert judged[0] == recovery.validation_accuracies[best] == max(recovery.validation_accuracies)
    assert judged[1] == pytest.approx(recovery.validation_losses[best], rel=1e-4)
    assert recovery.to_dict()["losses"] == list(recovery.losses)


def test_batch_norm_stays_as_it_was_and_can_be_trained_afterwards(
    context: RecipeContext, recovered: tuple[Any, DistillationLog]
) -> None:
    for before, after in zip(norms(context.teacher), norms(recovered[0]), strict=True):
        np.testing.assert_array_equal(before, after)
    assert all(layer.trainable for layer in recovered[0].layers)


@pytest.mark.usefixtures("recovered")
def test_the_teacher_is_not_touched(
    context: RecipeContext,
    untouched: list[np.ndarray],  # type: ignore[type-arg]
) -> None:
    for before, after in zip(untouched, context.teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_seed_decides_the_weights(
    context: RecipeContext, recovered: tuple[Any, DistillationLog]
) -> None:
    again, other = damaged(context.teacher), damaged(context.teacher)
    second = distill(again, context.teacher, context, CONFIG)
    third = distill(other, context.teacher, replace(context, seed=context.seed + 1), CONFIG)
    assert second.losses == pytest.approx(recovered[1].losses, rel=5e-3)
    assert third.losses != pytest.approx(recovered[1].losses, rel=5e-3)


def test_callbacks_hear_of_every_step_and_only_late_epochs_are_kept(
    context: RecipeContext,
) -> None:
    class Counter(keras().callbacks.Callback):  # type: ignore[misc]
        steps = 0

        def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
            assert self.model.optimizer is not None
            self.steps += 1

    counter = Counter()
    student = damaged(context.teacher)
    plan = DistillationConfig("recovering", 3, 1e-3, batch_size=16)
    recovery = distill(student, context.teacher, context, plan, [counter], keep_from=2)
    assert counter.steps == 3 * 2  # 30 images are two batches of 16
    assert recovery.best == 3


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"epochs": 0}, "epochs"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"label_weight": 1.5}, "label_weight"),
    ],
)
def test_a_plan_out_of_range_is_refused(wrong: dict[str, Any], named: str) -> None:
    with raises_code("option-out-of-range", expected=named, kind="UsageError"):
        DistillationConfig(**({"title": "recovering", "epochs": 1, "learning_rate": 1e-3} | wrong))


def test_an_epoch_to_keep_from_that_never_comes_is_refused(context: RecipeContext) -> None:
    with raises_code("option-out-of-range", expected="keep_from", found="2", kind="UsageError"):
        distill(
            context.teacher,
            context.teacher,
            context,
            DistillationConfig("x", 2, 1e-3),
            keep_from=2,
        )


Epochs = list[list[fit.Batch]]


def epochs_of(
    context: RecipeContext, monkeypatch: pytest.MonkeyPatch, count: int, teacher: Any
) -> Epochs:
    """What a distillation of ``count`` epochs trains on."""
    seen: Epochs = []

    def watched(model: Any, epochs: int, steps: int, batches: Any, *others: Any) -> Any:
        for _ in range(epochs):
            seen.append(list(batches()))
            others[2].epoch(0.0, 0.0, 0.0)
            yield

    monkeypatch.setattr(fit, "train", watched)
    config = DistillationConfig("recovering", count, 1e-3)
    distill(damaged(context.teacher), teacher, context, config)
    return seen


def test_images_change_only_as_they_may(
    context: RecipeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = replace(context, augmentation=Augmentation.parse("none"))
    (epoch,) = epochs_of(still, monkeypatch, 1, context.teacher)
    seen = [total for inputs, _ in epoch for total in inputs.sum((1, 2, 3)).tolist()]
    images = context.dataset.pixels[context.split.train]
    unchanged = context.dataset.preprocessing.normalize(images).sum((1, 2, 3))
    assert sorted(seen) == pytest.approx(sorted(unchanged.tolist()), rel=1e-4)


def test_the_teacher_scores_each_changed_image_once(
    context: RecipeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[int] = []

    class Counting:
        layers, inputs = context.teacher.layers, context.teacher.inputs

        def predict_on_batch(self, inputs: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
            scored.append(len(inputs))
            return np.asarray(context.teacher.predict_on_batch(inputs))

    epochs = epochs_of(context, monkeypatch, 4, Counting())
    assert sum(scored) == 2 * len(context.split.train)
    first, second, third, _ = (
        {image.tobytes(): row for batch in epoch for image, row in zip(*batch, strict=True)}
        for epoch in epochs
    )
    assert first.keys() == third.keys()
    assert not first.keys() & second.keys()
    for image, targets in first.items():
        np.testing.assert_array_equal(targets, third[image])


@pytest.mark.usefixtures("untraced")
def test_it_ends_at_its_goal(context: RecipeContext) -> None:
    plan = DistillationConfig("recovering", 4, 1e-4, batch_size=10, goal=0.0)
    assert distill(damaged(context.teacher), context.teacher, context, plan).epochs == 1


def test_the_student_is_left_without_an_optimizer(recovered: tuple[Any, DistillationLog]) -> None:
    assert getattr(recovered[0], "optimizer", None) is None
