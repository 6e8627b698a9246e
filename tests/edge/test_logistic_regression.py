"""The head's solver agrees with scikit-learn's, starts warm, and minds int8."""

import numpy as np
import pytest
import scikit_learn_head

from edge.logistic_regression import LogisticRegression, fit


def blobs(classes: int, count: int = 30, d: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping classes with features of different scales and offsets."""
    rng = np.random.default_rng(classes)
    labels = np.repeat(np.arange(classes), count)
    centers = rng.normal(0, 0.5, (classes, d))
    features = centers[labels] + rng.normal(0, 1, (len(labels), d))
    return (features * np.linspace(1, 20, d) + 7).astype(np.float32), labels


@pytest.mark.parametrize("classes", [2, 3, 12])
@pytest.mark.parametrize("c", [1e-3, 1e-1, 1.0])
def test_it_gives_the_probabilities_of_scikit_learn(classes: int, c: float) -> None:
    pytest.importorskip("sklearn")
    features, labels = blobs(classes)
    own = fit(features, labels, c)
    judge = scikit_learn_head.fit(features, labels, c, tolerance=1e-6)
    assert own.converged
    assert own.kernel.dtype == own.bias.dtype == np.float32
    np.testing.assert_allclose(
        own.probabilities(features), judge.probabilities(features), atol=0.01
    )


def test_the_start_changes_little() -> None:
    features, labels = blobs(5)
    cold = fit(features, labels, 0.1)
    warm = fit(features, labels, 0.1, start=fit(features[:100], labels[:100], 0.01))
    np.testing.assert_allclose(
        cold.probabilities(features), warm.probabilities(features), atol=0.02
    )


def test_a_class_is_added_to_what_was_learned() -> None:
    features, labels = blobs(4)
    known = labels < 3
    three = fit(features[known], labels[known], 0.1)
    four = fit(features, labels, 0.1, start=three)
    assert four.kernel.shape == (40, 4)
    assert (four.probabilities(features).argmax(1) == labels).mean() > 0.9


def test_scores_are_probabilities_even_of_extreme_logits() -> None:
    head = LogisticRegression(np.eye(2, dtype=np.float32) * 1e4, np.zeros(2, np.float32))
    np.testing.assert_array_equal(head.probabilities(np.eye(2, dtype=np.float32)), np.eye(2))


def test_separable_classes_without_regularization_stay_finite() -> None:
    features, labels = blobs(3)
    head = fit(features + 1000 * labels[:, None].astype(np.float32), labels, 1e6)
    assert np.isfinite(head.kernel).all()
    assert (head.probabilities(features + 1000 * labels[:, None]).argmax(1) == labels).all()


def test_embeddings_that_tell_nothing_give_the_shares_of_the_classes() -> None:
    labels = np.array([0, 0, 0, 1])
    for value in (0.0, 3.0):
        features = np.full((4, 8), value, np.float32)
        scores = fit(features, labels, 1.0).probabilities(features[:1])
        np.testing.assert_allclose(scores, [[0.75, 0.25]], atol=0.01)
