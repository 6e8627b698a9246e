"""Accuracy and the figures beside it, and what one file lost against another."""

import numpy as np
import pytest
from conversion import Conversion

from converters.dataset.audit import Dataset
from converters.dataset.split import Split, split
from converters.tasks.classify.quality import accuracy_loss, class_figures, measure_quality
from converters.tflite import Variant
from converters.verification.evaluate import Predictions


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return Conversion(per_class=60).dataset()


@pytest.fixture(scope="module")
def halves(dataset: Dataset) -> Split:
    return split(dataset, 0)


def random_predictions(halves: Split, seed: int) -> Predictions:
    rng = np.random.default_rng(seed)
    sizes = len(halves.validation), len(halves.test)
    scores = [rng.dirichlet(np.ones(3), size).astype(np.float32) for size in sizes]
    return Predictions(Variant("int8", b""), *scores)


def test_each_image_counts_once(dataset: Dataset, halves: Split) -> None:
    predictions = random_predictions(halves, 0)
    quality = measure_quality(predictions, predictions, dataset, halves)
    truth, confusion = dataset.labels[halves.test], quality.details.confusion
    right = predictions.test.argmax(1) == truth
    assert quality.value == right.mean() and quality.images == len(truth)
    assert quality.interval[0] < quality.value < quality.interval[1]
    assert quality.interval_for(quality.images) == pytest.approx(quality.interval)
    narrow = quality.interval_for(100 * quality.images)
    assert narrow[1] - narrow[0] < 0.2 * (quality.interval[1] - quality.interval[0])
    assert confusion.sum() == len(truth) and np.trace(confusion) == right.sum()
    assert confusion.sum(1).tolist() == [row.support for row in quality.per_class]
    expected = predictions.validation.argmax(1) == dataset.labels[halves.validation]
    assert quality.validation == expected.mean()


def test_scores_are_judged_as_probabilities(dataset: Dataset, halves: Split) -> None:
    predictions = random_predictions(halves, 1)
    figures = measure_quality(predictions, predictions, dataset, halves).figures
    truth = dataset.labels[halves.test]
    own = predictions.test[np.arange(len(truth)), truth]
    assert figures["log_loss"] == pytest.approx(-np.log(own).mean(), rel=1e-3)
    assert 0 <= figures["ece"] <= 1


def test_agreement_is_with_the_reference(dataset: Dataset, halves: Split) -> None:
    first, second = random_predictions(halves, 2), random_predictions(halves, 3)
    assert measure_quality(first, first, dataset, halves).agreement == 1
    same = (first.test.argmax(1) == second.test.argmax(1)).mean()
    assert measure_quality(first, second, dataset, halves).agreement == same


def test_figures_of_classes_are_those_of_scikit_learn() -> None:
    judge = pytest.importorskip("sklearn.metrics").precision_recall_fscore_support
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 4, 30), rng.integers(0, 5, 30)  # class 4 is never true
    predicted[predicted == 1] = 0  # and 1 never predicted
    own = class_figures(truth, predicted, tuple("abcdef"))
    figures = np.array([(*row.figures.values(), row.support) for row in own])
    expected = judge(truth, predicted, labels=np.arange(6), zero_division=0)
    np.testing.assert_allclose(figures, np.stack(expected, axis=1))


def test_a_loss_names_the_classes_that_lose_worst_first() -> None:
    truth = np.repeat(np.arange(3), 10)
    before, after = np.ones(30, bool), np.ones(30, bool)
    after[:2] = after[10:16] = False  # two of a, six of b
    loss = accuracy_loss(before, after, truth, ("a", "b", "c"))
    assert loss.drop == pytest.approx(100 * 8 / 30) and loss.images == 30
    assert loss.classes == ("b", "a")
    assert loss.interval[0] < loss.drop < loss.interval[1]
    assert accuracy_loss(after, before, truth, ("a", "b", "c")).classes == ()
