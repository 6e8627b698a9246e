"""The head is fitted on the training side, chosen on validation, and one linear layer."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from converters.tasks.classify.embeddings import Embeddings
from converters.tasks.classify.head import STRENGTHS, LinearHead, fit
from converters.verification import calibration

D = 24


def blobs(
    classes: int, per_class: int, seed: int, mirror: float = 1.0, spread: float = 0.6
) -> Embeddings:
    """Gaussian classes around unit vectors; the second view has every feature times ``mirror``."""
    rng = np.random.default_rng(seed)

    def side(count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        labels = np.repeat(np.arange(classes), count)
        # Different scales and offsets: without standardization the penalty would be lopsided.
        scale = np.linspace(5, 50, D)
        views = np.eye(D)[labels] + rng.normal(0, spread, (2, len(labels), D))
        views[1] *= mirror
        features = (views * scale + 3).transpose(1, 0, 2)
        return features.astype(np.float32), labels

    (train, train_labels), (val, val_labels) = side(per_class), side(per_class // 3)
    views = ("image", "mirror")
    return Embeddings(train, train_labels, val[:, 0], val_labels, views, computed=0, cached=0)


def accuracy(head: LinearHead, embeddings: Embeddings) -> float:
    scores = embeddings.validation @ head.kernel + head.bias
    return float(np.mean(scores.argmax(1) == embeddings.validation_labels))


@pytest.mark.parametrize("classes", [2, 5])
def test_it_separates_classes_it_has_not_seen(classes: int) -> None:
    head = fit(blobs(classes, 30, seed=0, spread=0.25))
    assert head.kernel.shape == (D, classes)
    assert head.bias.shape == (classes,)
    assert head.validation_accuracy > 0.9
    assert accuracy(head, blobs(classes, 30, seed=1, spread=0.25)) > 0.9


def test_the_reported_accuracy_is_that_of_the_head_it_hands_on() -> None:
    embeddings = blobs(4, 30, seed=0)
    head = fit(embeddings)
    assert head.validation_accuracy == pytest.approx(accuracy(head, embeddings))


def test_no_weight_learns_from_the_validation_side() -> None:
    """Two validation sides that choose the same candidate get the same head."""
    embeddings = blobs(4, 30, seed=4)
    half = replace(
        embeddings,
        validation=embeddings.validation[::2],
        validation_labels=embeddings.validation_labels[::2],
    )
    whole, less = fit(embeddings), fit(half)
    assert (whole.strength, whole.views) == (less.strength, less.views)
    assert whole.validation_loss != less.validation_loss
    np.testing.assert_array_equal(whole.kernel, less.kernel)
    np.testing.assert_array_equal(whole.bias, less.bias)


def test_the_choice_goes_by_what_calibration_leaves_of_the_log_loss() -> None:
    """And kernel and bias give the scores that the choice was made by, for two classes too."""
    for classes in (2, 4):
        embeddings = blobs(classes, 30, seed=0)
        head = fit(embeddings)
        logits = (embeddings.validation @ head.kernel + head.bias).astype(np.float64)
        truth = embeddings.validation_labels
        scores = calibration.scale_probabilities(np.exp(logits - logits.max()), 1.0)
        calibrated = calibration.scale_probabilities(
            scores, calibration.likeliest_temperature(scores, truth)
        )
        loss = calibration.reliability(calibrated, truth).log_loss
        assert head.validation_loss == pytest.approx(loss, abs=1e-3)


def test_views_that_contradict_the_images_are_left_out() -> None:
    assert fit(blobs(3, 30, seed=0, mirror=-1.0)).views == ("image",)


def test_views_that_agree_are_used() -> None:
    assert fit(blobs(5, 12, seed=0, spread=0.4)).views == ("image", "mirror")


def test_noisy_features_are_regularized_more_strongly() -> None:
    noisy, clean = (fit(blobs(4, 40, 0, spread=s)).strength for s in (1.5, 0.1))
    assert noisy < clean


def test_the_curve_shows_every_strength() -> None:
    head = fit(blobs(3, 30, seed=0))
    assert head.curve.x == STRENGTHS
    assert head.validation_loss == min(head.curve.series["log-loss"])


def test_the_same_embeddings_give_the_same_head() -> None:
    first, again = (fit(blobs(3, 30, seed=0)) for _ in range(2))
    np.testing.assert_array_equal(first.kernel, again.kernel)


def test_a_feature_below_the_steps_of_int8_keeps_small_weights() -> None:
    """Else its weights, divided by its tiny spread, take the whole int8 range from the others."""
    embeddings = blobs(3, 30, 0)
    rng = np.random.default_rng(0)
    for side in (embeddings.train, embeddings.validation):
        side[..., 0] = rng.normal(0.5, 1e-5, side.shape[:-1])
    kernel = np.abs(fit(embeddings).kernel)
    assert kernel[0].max() <= kernel[1:].max()


def test_neither_scipy_nor_scikit_learn_is_imported() -> None:
    script = (
        "import sys, numpy as np\n"
        "from converters.tasks.classify import embeddings, head\n"
        "from converters.tasks.classify.quality import class_figures\n"
        "labels = np.repeat(np.arange(3), 20)\n"
        "rows = (np.eye(3)[labels] + np.random.default_rng(0).normal(0, 1, (60, 3)))\n"
        "rows = rows.astype(np.float32)\n"
        "head.fit(embeddings.Embeddings(rows[:, None], labels, rows, labels, ('image',), 0, 0))\n"
        "class_figures(labels, labels, ('a', 'b', 'c'))\n"
        "sys.exit(str({'scipy', 'sklearn', 'tensorflow'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    assert answer.stderr.strip() == "set()"


def test_auto_balances_classes_that_differ_and_leaves_others_alone() -> None:
    even = blobs(3, 30, seed=0)
    assert fit(even).balance == "none"
    rows = np.flatnonzero((even.train_labels == 0) | (np.arange(len(even.train)) % 10 == 0))
    few = replace(even, train=even.train[rows], train_labels=even.train_labels[rows])
    chosen, plain = fit(few), fit(few, balance="none")
    assert len(chosen.balances) == 5
    assert chosen.balance == min(chosen.balances, key=chosen.balances.__getitem__) != "none"
    assert accuracy(chosen, even) > accuracy(plain, even)
