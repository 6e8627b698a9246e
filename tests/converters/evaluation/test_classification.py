import numpy as np
import pytest

from converters.evaluation.classification import ClassificationEvaluation, ClassOutcome

CLASSES = ("cat", "dog")
TASK = ClassificationEvaluation()


def outcomes(*rows: tuple[int, int]) -> list[ClassOutcome]:
    names = {-1: "cow", 0: "cat", 1: "dog"}
    return [ClassOutcome(true, guess, names[guess], 0.8, 0.1 + 0.7 * (true == guess))
            for true, guess in rows]  # fmt: skip


def test_accuracy_confusion_and_figures_per_class() -> None:
    measured = TASK.measure(outcomes((0, 0), (0, 0), (0, 1), (1, -1), (1, 1)), CLASSES, 0)

    assert measured.metrics["accuracy"] == pytest.approx(3 / 5)
    assert measured.metrics["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert measured.details["confusion"] == [[2, 1, 0], [0, 1, 1]]
    assert measured.per_class["dog"]["recall"] == pytest.approx(1 / 2)
    assert measured.per_class["dog"]["precision"] == pytest.approx(1 / 2)
    low, high = measured.intervals["accuracy"]
    assert 0 < low < 3 / 5 < high < 1


def test_the_most_confident_mistakes_are_the_worst() -> None:
    sure, unsure = (ClassOutcome(0, 1, "dog", score, 0.1) for score in (0.9, 0.4))
    measured = TASK.measure([unsure, *outcomes((0, 0)), sure], CLASSES, 0)

    assert np.argsort(-measured.faults).tolist() == [2, 0, 1]
    assert TASK.describe(sure, CLASSES) == "cat (10 %) taken for dog (90 %)"


def test_two_models_are_compared_by_images_that_one_alone_has_right() -> None:
    before = TASK.measure(outcomes(*[(0, 0)] * 40, (1, 0)), CLASSES, 0)
    after = TASK.measure(outcomes(*[(0, 0)] * 20, *[(0, 1)] * 20, (1, 1)), CLASSES, 0)

    (drop,) = TASK.drops(before, after)

    assert drop.drop == pytest.approx(19 / 41)
    assert drop.proven
    assert TASK.effects(before, after) == (
        "the models differ on 21 of 41 images: 1 only this one has right, 20 only the other",
    )
    (same,) = TASK.drops(before, before)
    assert same.drop == 0
    assert not same.proven
    assert same.interval[0] < 0 < same.interval[1]


def test_images_below_the_threshold_of_the_model_are_counted_apart() -> None:
    sure = ClassOutcome(0, 0, "cat", 0.9, 0.9)
    unsure = ClassOutcome(0, 1, "dog", 0.4, 0.3, accepted=False)

    measured = TASK.measure([sure, sure, unsure, sure], CLASSES, 0)

    assert measured.metrics["accuracy"] == 3 / 4
    assert measured.metrics["accepted"] == 3 / 4
    assert measured.metrics["accepted_accuracy"] == 1
    assert "accepted" not in TASK.measure([sure], CLASSES, 0).metrics


def test_scores_are_compared_with_what_is_correct() -> None:
    measured = TASK.measure(outcomes((0, 0), (0, 0), (0, 1), (1, 0)), CLASSES, 0)

    (entry,) = measured.details["reliability"]
    assert (entry["count"], entry["correct"]) == (4, 0.5)
    assert measured.metrics["calibration_error"] == pytest.approx(0.3)
