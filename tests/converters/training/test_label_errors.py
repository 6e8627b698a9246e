import numpy as np

from converters.training.cross_validation import CrossValidation, cross_validate
from converters.training.label_errors import find_label_errors


def noisy_clusters(spread: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings of three classes, their labels, of which every tenth is wrong, and where."""
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(3), 40)
    embeddings = np.eye(3, 16)[truth] + rng.normal(0, spread, (120, 16))
    wrong = np.arange(0, 120, 10)
    labels = truth.copy()
    labels[wrong] = (truth[wrong] + 1) % 3
    return embeddings.astype(np.float32), labels, wrong


def test_changed_labels_are_found_with_the_class_that_they_had() -> None:
    embeddings, labels, wrong = noisy_clusters(0.15)
    validated = cross_validate(embeddings, labels, np.arange(120), 0.1, seed=0)
    assert validated is not None
    errors = find_label_errors(validated)
    worst = errors[: len(wrong)]
    assert sorted(error.index for error in worst) == wrong.tolist()
    assert all(error.likely == (labels[error.index] - 1) % 3 for error in worst)
    scores = [error.score for error in errors]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_right_labels_are_not_suspect() -> None:
    embeddings, labels, wrong = noisy_clusters(0.1)
    labels[wrong] = (labels[wrong] - 1) % 3
    validated = cross_validate(embeddings, labels, np.arange(120), 0.1, seed=0)
    assert validated is not None
    assert find_label_errors(validated) == ()


def test_a_label_that_is_often_confused_is_less_suspect_than_a_rare_one() -> None:
    """Images of class 0 are often labeled 1, once 2, and all of these are predicted alike."""
    labels = np.array([0] * 20 + [1] * 8 + [2] + [1] * 20 + [2] * 20)
    scores = np.full((1, len(labels), 3), 0.05, np.float32)
    scores[0, np.arange(len(labels)), np.where(np.arange(len(labels)) < 29, 0, labels)] = 0.9
    errors = find_label_errors(CrossValidation(scores, labels, 5))
    assert errors[0].index == 28
    assert {error.index for error in errors[1:]} == set(range(20, 28))
