import numpy as np
import pytest

from converters.training.cross_validation import CrossValidation, cross_validate, fold_numbers


def clusters(per_class: int, spread: float, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), per_class)
    embeddings = np.eye(classes, 16)[labels] + rng.normal(0, spread, (len(labels), 16))
    return embeddings.astype(np.float32), labels


def test_folds_are_stratified_and_keep_groups_together() -> None:
    labels = np.repeat([0, 1, 2], [40, 25, 11])
    groups = np.arange(len(labels))
    groups[:8] = 0  # eight photos of the same thing
    numbers = fold_numbers(labels, groups, 5, seed=1)
    assert len(set(numbers[:8])) == 1
    for label in range(3):
        counts = np.bincount(numbers[labels == label], minlength=5)
        assert np.ptp(counts) <= 1, counts
    np.testing.assert_array_equal(numbers, fold_numbers(labels, groups, 5, seed=1))
    assert (numbers != fold_numbers(labels, groups, 5, seed=2)).any()


def test_no_image_is_predicted_by_a_head_that_saw_it_or_its_copy() -> None:
    """Copies of images with random labels: whoever saw one knows the other."""
    rng = np.random.default_rng(0)
    embeddings = np.repeat(rng.normal(size=(60, 64)), 2, axis=0).astype(np.float32)
    labels = np.repeat(rng.permutation(np.arange(60) % 3), 2)
    copies = np.repeat(np.arange(60), 2)
    honest = cross_validate(embeddings, labels, copies, 1.0, seed=0)
    leaky = cross_validate(embeddings, labels, np.arange(120), 1.0, seed=0)
    assert honest is not None and leaky is not None
    assert honest.accuracy < 0.5
    assert leaky.accuracy > 0.7


def test_every_image_is_predicted_once_per_repetition() -> None:
    embeddings, labels = clusters(20, 0.05)
    validated = cross_validate(embeddings, labels, np.arange(60), 1.0, seed=0)
    assert validated is not None
    assert validated.scores.shape == (3, 60, 3)
    np.testing.assert_allclose(validated.scores.sum(2), 1, atol=1e-5)
    assert validated.accuracy == 1
    summary = validated.summary()
    assert summary.confusion == ((20, 0, 0), (0, 20, 0), (0, 0, 20))
    assert (summary.images, summary.folds, summary.repetitions) == (60, 5, 3)


def test_the_interval_is_wider_than_if_the_heads_were_independent() -> None:
    scores = np.zeros((3, 60, 2), np.float32)
    scores[:, :, 0] = 1
    labels = np.repeat([0, 1], [54, 6])
    validated = CrossValidation(scores, labels, 5)
    assert validated.accuracy == pytest.approx(0.9)
    # Wilson's for 60 / (1/3 + 5/4) = 37.9 images; for 60 it is 0.799 to 0.953.
    assert validated.interval == pytest.approx((0.765, 0.963), abs=0.002)


def test_small_classes_get_fewer_folds_and_large_data_sets_no_cross_validation() -> None:
    embeddings, labels = clusters(3, 0.05)
    few = cross_validate(embeddings, labels, np.arange(9), 1.0, seed=0)
    assert few is not None and few.folds == 3
    alike = np.where(labels == 0, 0, np.arange(9))
    assert cross_validate(embeddings, labels, alike, 1.0, seed=0) is None
    work = embeddings.size * 3 * 3
    cheaper = cross_validate(embeddings, labels, np.arange(9), 1.0, seed=0, most_work=1.5 * work)
    assert cheaper is not None and cheaper.repetitions == 1
    assert not cross_validate(embeddings, labels, np.arange(9), 1.0, seed=0, most_work=0.5 * work)
