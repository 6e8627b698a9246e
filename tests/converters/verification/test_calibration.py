"""Scores say how often they are right, and below the threshold nobody is misled."""

from typing import Any

import numpy as np
import pytest
from errors import raises_code
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.verification import calibration
from converters.verification.calibration import (
    fit_temperature,
    fit_threshold,
    reliability,
    scale_logits,
    scale_probabilities,
)
from converters.verification.intervals import wilson_interval

Labels = NDArray[np.int64]
Scores = NDArray[np.float32]


def softmax(logits: NDArray[np.float64]) -> Scores:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def honest(count: int, seed: int = 0, classes: int = 6) -> tuple[NDArray[np.float64], Labels]:
    """Logits, and labels drawn just as often as their softmax says."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2.0, (count, classes))
    chances = softmax(logits).astype(np.float64).cumsum(axis=1)
    chances /= chances[:, -1:]
    return logits, (rng.random((count, 1)) > chances).sum(axis=1)


def answers(*rows: tuple[float, bool]) -> tuple[Scores, Labels]:
    """Scores of two classes: (best score, whether it is right) for each image."""
    best = np.array([score for score, _ in rows])
    scores = np.stack([best, 1 - best], axis=1).astype(np.float32)
    return scores, np.array([0 if right else 1 for _, right in rows])


@pytest.mark.parametrize("sureness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_how_much_too_sure_the_scores_are(sureness: float) -> None:
    logits, labels = honest(8000)
    fitted = fit_temperature(softmax(sureness * logits), labels)
    assert fitted == pytest.approx(sureness, rel=0.08)


@pytest.mark.parametrize("seed", range(5))
def test_the_log_loss_of_the_validation_side_never_rises(seed: int) -> None:
    logits, labels = honest(20, seed)
    probabilities = softmax(2 * logits)
    cooled = softmax(2 * logits / fit_temperature(probabilities, labels))
    before, after = reliability(probabilities, labels), reliability(cooled, labels)
    assert after.log_loss <= before.log_loss


def test_scores_are_not_sharpened_beyond_what_images_without_mistakes_prove() -> None:
    """The log-loss alone falls without end; 0 errors in 20 do not mean none in a thousand."""
    assert fit_temperature(*answers(*[(0.9, True)] * 20)) == 1.0  # they prove 83.9 %

    def sharpened(score: float, images: int) -> float:
        scores, labels = answers(*[(score, True)] * images)
        return float(scale_probabilities(scores, fit_temperature(scores, labels)).max(axis=1)[0])

    assert sharpened(0.7, 20) == pytest.approx(wilson_interval(20, 20)[0], abs=1e-4)
    assert sharpened(0.9, 200) == pytest.approx(wilson_interval(200, 200)[0], abs=1e-4)


def test_scores_that_may_be_right_are_left_alone() -> None:
    """Mistakes in 2 of 20 images fit scores of 95 % and of 80 %."""
    for score in (0.95, 0.8):
        assert fit_temperature(*answers(*[(score, True)] * 18, *[(score, False)] * 2)) == 1.0
    certain = answers(*[(0.999, True)] * 16, *[(0.999, False)] * 4)
    assert fit_temperature(*certain) > 1.5


def test_a_gain_that_may_be_chance_is_left_out() -> None:
    """Of 80 images 81 % right do not prove that scores of 70 % are too low; of 800 they do."""
    few = answers(*[(0.7, True)] * 65, *[(0.7, False)] * 15)
    many = answers(*[(0.7, True)] * 650, *[(0.7, False)] * 150)
    assert calibration.likeliest_temperature(*few) < 0.8
    assert fit_temperature(*few) == 1.0
    assert fit_temperature(*many) < 0.8


def test_the_temperature_stays_within_its_bounds() -> None:
    wrong = answers(*[(0.999, False)] * 500)
    assert fit_temperature(*wrong) == calibration.SOFTEST
    right = answers(*[(0.55, True)] * 5000)
    assert fit_temperature(*right) == calibration.SHARPEST


def test_scores_that_are_certain_and_right_are_left_alone() -> None:
    labels = np.arange(30) % 3
    certain = softmax(60 * np.eye(3)[labels])
    assert certain.max(axis=1).min() == 1
    assert fit_temperature(certain, labels) == 1.0


def test_the_head_takes_the_temperature_in(
    micro_model_and_variants: tuple[Any, object], shapes: Dataset
) -> None:
    model, _ = micro_model_and_variants
    images = shapes.preprocessing.normalize(shapes.pixels[:8])
    before = model(images, training=False).numpy()
    weights = [array.copy() for array in model.get_weights()]
    soft = scale_logits(model, 2.5)
    after = soft(images, training=False).numpy()
    np.testing.assert_allclose(after, softmax(np.log(before.astype(np.float64)) / 2.5), atol=1e-5)
    assert [layer.name for layer in soft.layers] == [layer.name for layer in model.layers]
    for mine, kept in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(mine, kept)


def test_reliability_by_hand() -> None:
    rows = (0.7, True), (0.7, False), (0.9, True), (0.95, True), (1.0, True)
    fitted = reliability(*answers(*rows), bins=5)
    low, high = fitted.bins
    assert (low.low, low.high, low.count, low.accuracy) == (0.6, 0.8, 2, 0.5)
    assert low.confidence == pytest.approx(0.7)
    assert (high.low, high.high, high.count, high.accuracy) == (0.8, 1.0, 3, 1.0)
    assert high.confidence == pytest.approx(0.95)
    assert fitted.ece == pytest.approx((2 * 0.2 + 3 * 0.05) / 5)
    loss = -np.log([0.7, 0.3, 0.9, 0.95, 1.0]).mean()
    assert fitted.log_loss == pytest.approx(loss, rel=1e-5)


def test_honest_scores_have_next_to_no_calibration_error() -> None:
    logits, labels = honest(20_000)
    assert reliability(softmax(logits), labels).ece < 0.02
    assert reliability(softmax(3 * logits), labels).ece > 0.15


def test_a_quantized_score_of_0_is_half_a_step_not_infinite() -> None:
    scores = np.array([[0, 1], [255, 1], [250, 6]], np.float32) / 256
    fitted = reliability(scores, np.array([0, 0, 0])).log_loss
    assert fitted == pytest.approx(-np.log([0.5 / 256, 255 / 256, 250 / 256]).mean(), rel=1e-5)


def test_the_threshold_accepts_as_much_as_the_precision_allows() -> None:
    images = [(0.9, True)] * 10 + [(0.8, True)] * 9 + [(0.7, False)] + [(0.6, False)]
    fitted = fit_threshold(*answers(*images), precision=0.95)
    assert fitted.met
    assert fitted.score == pytest.approx(0.65)  # midway between 0.7 and 0.6
    assert (fitted.reached, fitted.coverage, fitted.images) == (0.95, 20 / 21, 21)
    assert 0.7 < fitted.lower < 0.95
    for part in ("65.0%", "95.2% of 21 ", "95.0%"):
        assert part in fitted.words()


def test_what_is_below_the_threshold_is_what_would_be_wrong_too_often() -> None:
    logits, labels = honest(4000)
    scores = softmax(logits)
    fitted = fit_threshold(scores, labels, precision=0.9)
    accepted = scores.max(axis=1) >= fitted.score
    right = scores.argmax(axis=1) == labels
    assert right[accepted].mean() == pytest.approx(fitted.reached)
    assert accepted.mean() == pytest.approx(fitted.coverage)
    assert right.mean() < 0.8
    assert 0.9 <= fitted.reached < 0.92


def test_images_of_one_score_are_accepted_together_or_not_at_all() -> None:
    images = [(0.9, True)] * 4 + [(0.8, True)] * 5 + [(0.8, False)]
    fitted = fit_threshold(*answers(*images), precision=0.95)
    assert (fitted.coverage, fitted.reached) == (0.4, 1.0)
    assert fitted.score == pytest.approx(0.85)


def test_where_all_are_right_only_less_than_was_seen_is_unknown() -> None:
    fitted = fit_threshold(*answers((0.9, True), (0.7, True)), precision=1.0)
    assert fitted.coverage == 1
    assert fitted.score == pytest.approx(0.6)  # midway to 0.5, a guess between two


def test_quantized_scores_are_cut_between_two_steps() -> None:
    scores = np.array([[200, 56], [199, 57]], np.float32) / 256
    fitted = fit_threshold(scores, np.array([0, 1]), precision=1.0)
    assert fitted.score == 199.5 / 256


def test_a_precision_out_of_reach_is_said_with_the_best_there_is() -> None:
    images = [(0.9, True), (0.9, False), (0.8, True), (0.7, False)]
    fitted = fit_threshold(*answers(*images), precision=0.95)
    assert not fitted.met
    assert fitted.reached == pytest.approx(2 / 3)
    assert fitted.coverage == 0.75
    for part in ("95.0%", "75.0%", "66.7%"):
        assert part in fitted.words()


@pytest.mark.parametrize("precision", [0.0, 1.01, float("nan")])
def test_a_precision_out_of_range_is_an_error(precision: float) -> None:
    with raises_code("option-out-of-range", expected="--precision", kind="UsageError"):
        fit_threshold(*answers((0.9, True)), precision=precision)
