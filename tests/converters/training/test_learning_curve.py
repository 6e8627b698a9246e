import numpy as np
import pytest

from converters.training.learning_curve import LearningCurve, measure_curve


def clusters(per_class: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), per_class)
    embeddings = np.eye(3, 32)[labels] + rng.normal(0, spread, (len(labels), 32))
    return embeddings.astype(np.float32), labels


def errors_by_power_law(exponent: float, images: int = 4000) -> LearningCurve:
    """A curve of two classes whose errors are 0.8 × photos to the power of -exponent."""
    totals = np.array([50.0, 100, 200, 400])
    labels = np.arange(images) % 2
    ranks = np.arange(images) / images
    correct = ranks[None] >= 0.8 * totals[:, None] ** -exponent
    return LearningCurve(np.stack([totals / 2, totals / 2], axis=1), correct, labels)


def test_more_photos_are_more_accurate_and_each_size_is_stratified() -> None:
    embeddings, labels = clusters(64, 0.5)
    curve = measure_curve(embeddings, labels, np.arange(192), 0.1, seed=0)
    assert curve is not None
    assert curve.accuracy[-1] > curve.accuracy[0] + 0.05
    np.testing.assert_allclose(curve.totals, [18, 38.4, 76.8, 153.6], atol=2)
    assert (np.ptp(curve.photos, axis=1) <= 1).all()


def test_the_power_law_continues_what_was_measured() -> None:
    curve = errors_by_power_law(0.5)
    (doubled,) = curve.predict([800])
    assert doubled.value == pytest.approx(1 - 0.8 * 800**-0.5, abs=0.002)
    assert doubled.low < doubled.value < doubled.high
    assert doubled.high - doubled.low < 0.02


def test_few_images_have_a_wide_interval() -> None:
    few, many = (errors_by_power_law(0.5, images).predict([800])[0] for images in (100, 4000))
    assert few.high - few.low > 3 * (many.high - many.low)


def test_gains_are_those_of_the_power_law_and_none_where_the_curve_is_flat() -> None:
    now = 0.8 * 400**-0.5
    for gain in errors_by_power_law(0.5).gains([2, 2]):
        assert gain.value == pytest.approx(now * (1 - 2**-0.5), rel=0.1)
        assert 0 < gain.low < gain.value < gain.high
    for gain in errors_by_power_law(0).gains([2, 2]):
        assert gain.value == pytest.approx(0, abs=0.005)


def test_a_class_without_enough_images_for_folds_has_no_curve() -> None:
    embeddings, labels = clusters(4, 0.1)
    assert measure_curve(embeddings, labels, np.arange(12), 0.1, seed=0) is None
    embeddings, labels = clusters(10, 0.1)
    alike = np.where(labels == 0, 0, np.arange(30))
    assert measure_curve(embeddings, labels, alike, 0.1, seed=0) is None
    assert measure_curve(embeddings, labels, np.arange(30), 0.1, 0, most_work=1) is None
