import numpy as np
import pytest
from errors import raises_code

from converters.training import balance
from converters.training.balance import BALANCES, fit_with, is_imbalanced, macro_log_loss
from converters.training.config import TrainingOptions
from edge import logistic_regression


def imbalanced(spread: float = 0.45) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [120, 12, 12])
    features = np.eye(3, 16)[labels] + rng.normal(0, spread, (len(labels), 16))
    return features.astype(np.float32), labels


def recall(kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Recall of each class on unseen images, as many of each."""
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], 300)
    features = np.eye(3, 16)[labels] + rng.normal(0, 0.45, (900, 16))
    right = (features @ kernel + bias).argmax(1) == labels
    return np.array([right[labels == label].mean() for label in range(3)])


@pytest.mark.parametrize("name", [name for name in BALANCES if name not in ("auto", "none")])
def test_every_balance_recognizes_more_of_the_small_classes(name: str) -> None:
    features, labels = imbalanced()
    plain, balanced = (fit_with(n, 0)(features, labels, 0.1, None) for n in ("none", name))
    before, after = recall(plain.kernel, plain.bias), recall(balanced.kernel, balanced.bias)
    assert after[1:].mean() > before[1:].mean() + 0.1
    assert after.mean() > before.mean()


def test_an_image_with_a_greater_weight_is_fitted_better() -> None:
    features, labels = imbalanced()
    odd = int(np.flatnonzero(labels == 1)[0])
    weights = np.ones(len(labels), np.float32)
    weights[odd] = 20
    plain = logistic_regression.fit(features, labels, 0.01)
    weighted = logistic_regression.fit(features, labels, 0.01, weights=weights)
    before, after = (f.probabilities(features)[odd, 1] for f in (plain, weighted))
    assert after > before + 0.2
    same = logistic_regression.fit(features, labels, 0.01, weights=np.ones_like(weights))
    np.testing.assert_array_equal(same.kernel, plain.kernel)


def test_a_start_does_not_change_a_logit_adjusted_head() -> None:
    features, labels = imbalanced()
    fit = fit_with("logit-adjusted", 0)
    alone = fit(features, labels, 0.1, None)
    continued = fit(features, labels, 0.1, fit(features, labels, 0.01, None))
    np.testing.assert_allclose(
        alone.probabilities(features), continued.probabilities(features), atol=0.01
    )


def test_macro_log_loss_counts_classes_alike() -> None:
    scores = np.array([[0.5, 0.5]] * 9 + [[0.9, 0.1]], np.float32)
    labels = np.array([0] * 9 + [1])
    assert macro_log_loss(scores, labels) == pytest.approx(-(np.log(0.5) + np.log(0.1)) / 2)


def test_drawn_rows_use_every_image_before_one_is_repeated() -> None:
    _, labels = imbalanced()
    rows = balance._drawn(labels, 30, seed=0)
    assert np.bincount(labels[rows]).tolist() == [30, 30, 30]
    times = np.bincount(rows, minlength=len(labels))
    assert set(times[labels > 0]) == {2, 3} and set(times[labels == 0]) == {0, 1}


def test_only_classes_that_differ_are_imbalanced() -> None:
    assert is_imbalanced(imbalanced()[1])
    assert not is_imbalanced(np.repeat([0, 1], [10, 13]))


def test_an_unknown_balance_is_refused() -> None:
    with raises_code("unknown-option-value", found="heavy", fix="auto"):
        TrainingOptions(balance="heavy")
