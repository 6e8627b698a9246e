"""Recovery brings a damaged model back towards its teacher, the same way each time."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from errors import raises_code

from converters.compress.context import RecipeContext
from converters.compress.distillation import DistillationConfig, DistillationLog, distil
from converters.tf import keras
from converters.training import epochs
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


def divergence(student: Any, material: RecipeContext) -> float:
    """Mean KL divergence from the teacher's scores on the validation side."""
    pixels = material.dataset.pixels[material.split.validation]
    inputs = material.dataset.preprocessing.normalize(pixels)
    p, q = (np.asarray(model(inputs, training=False)) for model in (material.teacher, student))
    return float(np.mean(np.sum(p * np.log((p + 1e-9) / (q + 1e-9)), axis=1)))


def norms(model: Any) -> list[np.ndarray]:  # type: ignore[type-arg]
    kind = keras().layers.BatchNormalization
    return [w for layer in model.layers if isinstance(layer, kind) for w in layer.get_weights()]


@pytest.fixture(scope="module")
def recovered(material: RecipeContext) -> tuple[Any, DistillationLog]:
    student = damaged(material.teacher)
    return student, distil(
        student, material.teacher, material, DistillationConfig("recovering", 3, 1e-3)
    )


def test_the_student_comes_back_towards_its_teacher(
    material: RecipeContext, recovered: tuple[Any, DistillationLog]
) -> None:
    before = divergence(damaged(material.teacher), material)
    assert divergence(recovered[0], material) < 0.7 * before


def test_the_best_epoch_is_the_one_restored(
    material: RecipeContext, recovered: tuple[Any, DistillationLog]
) -> None:
    student, recovery = recovered
    judged = epochs.judge(student, material.dataset, material.split.validation)
    best = recovery.best - 1
    assert judged[0] == recovery.validation_accuracies[best] == max(recovery.validation_accuracies)
    assert judged[1] == pytest.approx(recovery.validation_losses[best], rel=1e-4)
    assert recovery.to_dict()["losses"] == list(recovery.losses)


def test_batch_norm_stays_as_it_was_and_can_be_trained_afterwards(
    material: RecipeContext, recovered: tuple[Any, DistillationLog]
) -> None:
    for before, after in zip(norms(material.teacher), norms(recovered[0]), strict=True):
        np.testing.assert_array_equal(before, after)
    assert all(layer.trainable for layer in recovered[0].layers)


def test_the_teacher_is_not_touched(material: RecipeContext) -> None:
    before = material.teacher.get_weights()
    student = damaged(material.teacher)
    distil(student, material.teacher, material, DistillationConfig("recovering", 1, 1e-2))
    for ours, theirs in zip(before, material.teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_seed_decides_the_weights(
    material: RecipeContext, recovered: tuple[Any, DistillationLog]
) -> None:
    again, other = damaged(material.teacher), damaged(material.teacher)
    plan = DistillationConfig("recovering", 3, 1e-3)
    second = distil(again, material.teacher, material, plan)
    third = distil(other, material.teacher, replace(material, seed=4), plan)
    assert second.losses == pytest.approx(recovered[1].losses, rel=1e-3)
    assert third.losses != pytest.approx(recovered[1].losses, rel=1e-3)


def test_callbacks_hear_of_every_step_and_only_late_epochs_are_kept(
    material: RecipeContext,
) -> None:
    class Counter(keras().callbacks.Callback):  # type: ignore[misc]
        steps = 0

        def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
            assert self.model.optimizer is not None
            self.steps += 1

    counter = Counter()
    student = damaged(material.teacher)
    plan = DistillationConfig("recovering", 3, 1e-3, batch_size=16)
    recovery = distil(student, material.teacher, material, plan, [counter], keep_from=2)
    assert counter.steps == 3 * 2  # 30 images are two batches of 16
    assert recovery.best == 3


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"epochs": 0}, "epochs"), ({"rate": 0.0}, "rate"), ({"hard": 1.5}, "hard")],
)
def test_a_plan_out_of_range_is_refused(wrong: dict[str, Any], named: str) -> None:
    with raises_code("option-out-of-range", expected=named, kind="UsageError"):
        DistillationConfig(**({"what": "recovering", "epochs": 1, "rate": 1e-3} | wrong))


def test_an_epoch_to_keep_from_that_never_comes_is_refused(material: RecipeContext) -> None:
    with raises_code("option-out-of-range", expected="keep_from", found="2", kind="UsageError"):
        distil(
            material.teacher,
            material.teacher,
            material,
            DistillationConfig("x", 2, 1e-3),
            keep_from=2,
        )


def test_images_change_only_as_they_may(
    material: RecipeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = replace(material, augmentation=Augmentation.parse("none"))
    seen: list[float] = []
    train = epochs.batches

    def watched(*arguments: Any) -> Any:
        for inputs, targets in train(*arguments):
            seen.extend(inputs.sum((1, 2, 3)).tolist())
            yield inputs, targets

    monkeypatch.setattr(epochs, "batches", watched)
    distil(
        damaged(material.teacher),
        material.teacher,
        still,
        DistillationConfig("recovering", 1, 1e-3),
    )
    images = material.dataset.pixels[material.split.train]
    unchanged = material.dataset.preprocessing.normalize(images).sum((1, 2, 3))
    assert sorted(seen) == pytest.approx(sorted(unchanged.tolist()), rel=1e-4)


def test_the_student_is_left_without_an_optimizer(recovered: tuple[Any, DistillationLog]) -> None:
    assert getattr(recovered[0], "optimizer", None) is None
