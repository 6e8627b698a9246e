import numpy as np
import pytest

from converters.metrics.points import count_error, match_points, point_f1

TRUE = [np.array([[10, 10], [30, 10.0]]), np.zeros((0, 2)), np.array([[5, 5.0]])]
FOUND = [
    np.array([[12, 10], [11, 10], [60, 60.0]]),  # two at the same point: the better score takes it
    np.array([[3, 3.0]]),
    np.array([[5, 8.0]]),
]
SCORES = [np.array([0.5, 0.9, 0.8]), np.array([0.7]), np.array([0.6])]


def test_each_true_point_is_matched_once_within_the_radius() -> None:
    matches = match_points(FOUND, SCORES, TRUE, 3)

    assert matches.matched.tolist() == [1, 0, 1]
    assert point_f1(matches).item() == pytest.approx(2 * 2 / (5 + 3))
    assert match_points(FOUND, SCORES, TRUE, [3, 3, 2]).matched.tolist() == [1, 0, 0]


def test_resampled_images_count_as_often_as_drawn() -> None:
    matches = match_points(FOUND, SCORES, TRUE, 3)

    f1 = point_f1(matches, np.array([[0, 0, 3], [0, 3, 0]], np.float32))

    assert f1.tolist() == [1, 0]


def test_error_of_the_count() -> None:
    error = count_error(match_points(FOUND, SCORES, TRUE, 3))

    assert error.mean == pytest.approx(2 / 3)
    assert error.relative == pytest.approx(2 / 3)
    assert error.bias == pytest.approx(2 / 3)


def test_images_without_points() -> None:
    empty = [np.zeros((0, 2))]
    matches = match_points(empty, [np.zeros(0)], empty, 3)

    assert np.isnan(point_f1(matches)).all()
    assert count_error(matches).relative is None
