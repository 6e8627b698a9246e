"""Points are matched with the middles of true boxes, once each, and counted by image."""

import numpy as np
import pytest

from converters.metrics.boxes import TrueBoxes
from converters.metrics.operating_point import best_f1, operating_points
from converters.metrics.points import (
    NEUTRAL,
    WRONG,
    DetectedPoints,
    count_errors,
    counts_above,
    match_image,
    match_points,
    point_f1,
)


def boxes(*rows: tuple[float, float, float, int], ignored: int = 0) -> TrueBoxes:
    """Square boxes: x and y of the middle, side, class; the last ``ignored`` do not count."""
    table = np.array(rows, np.float32).reshape(-1, 4)
    half = table[:, 2:3] / 2
    corners = np.concatenate([table[:, :2] - half, table[:, :2] + half], axis=1)
    last = np.arange(len(table)) >= len(table) - ignored
    return TrueBoxes(corners, table[:, 3].astype(np.int64), last)


def points(*rows: tuple[float, float, float, int]) -> DetectedPoints:
    """Points: x, y, score, class."""
    table = np.array(rows, np.float64).reshape(-1, 4)
    return DetectedPoints(table[:, :2], table[:, 2], table[:, 3].astype(np.int64))


TRUE = [boxes((10, 10, 6, 0), (30, 10, 6, 0)), boxes(), boxes((5, 5, 6, 0))]
FOUND = [
    # Two at the same object: the better score takes it.
    points((12, 10, 0.5, 0), (11, 10, 0.9, 0), (60, 60, 0.8, 0)),
    points((3, 3, 0.7, 0)),
    points((5, 8, 0.6, 0)),
]


def test_each_object_is_matched_once_within_half_of_its_side() -> None:
    assert match_image(TRUE[0], FOUND[0]).tolist() == [WRONG, 0, WRONG]
    assert match_image(TRUE[2], FOUND[2]).tolist() == [0]
    assert match_image(boxes((5, 5, 5.9, 0)), FOUND[2]).tolist() == [WRONG]


def test_the_nearest_free_object_of_the_class_is_taken() -> None:
    true = boxes((10, 10, 20, 0), (16, 10, 20, 0), (13, 10, 20, 1))
    found = points((14, 10, 0.9, 0), (15, 10, 0.8, 0), (12, 10, 0.7, 1), (12, 10, 0.6, 0))
    assert match_image(true, found).tolist() == [1, 0, 2, WRONG]


def test_where_nothing_is_known_a_point_is_neither_right_nor_wrong() -> None:
    true = boxes((10, 10, 6, 0), (40, 10, 10, 0), ignored=1)
    found = points((10, 10, 0.9, 0), (43, 13, 0.9, 0), (80, 10, 0.9, 0), (40, 10, 0.9, 1))
    assert match_image(true, found).tolist() == [0, NEUTRAL, WRONG, WRONG]
    counts = counts_above(match_points([true], [found], 2), 0.5)
    assert (counts.matched.tolist(), counts.detected.tolist(), counts.true.tolist()) == (
        [1], [3], [1],
    )  # fmt: skip


def test_f1_is_that_of_the_threshold_and_of_the_images_drawn() -> None:
    matches = match_points(TRUE, FOUND, 1)
    counts = counts_above(matches, 0.55)
    assert counts.matched.tolist() == [1, 0, 1]
    assert point_f1(counts).item() == pytest.approx(2 * 2 / (4 + 3))
    drawn = np.array([[0, 0, 3], [0, 3, 0]], np.float32)
    assert point_f1(counts, drawn).tolist() == [1, 0]


def test_the_best_threshold_keeps_what_is_right() -> None:
    best = best_f1(operating_points(match_points(TRUE, FOUND, 1)))
    assert best is not None
    assert (best.score, best.f1) == (0.6, pytest.approx(2 * 2 / (4 + 3)))


def test_error_of_the_count() -> None:
    counts = counts_above(match_points(TRUE, FOUND, 1), 0.0)
    errors = count_errors(counts)
    assert errors.mean.item() == pytest.approx(2 / 3)
    assert errors.relative.item() == pytest.approx(2 / 3)
    assert errors.bias.item() == pytest.approx(2 / 3)
    first = count_errors(counts, np.array([[3, 0, 0]], np.float32))
    assert (first.mean.item(), first.relative.item()) == (1, 0.5)


def test_images_without_points() -> None:
    counts = counts_above(match_points([boxes()], [points()], 2), 0.4)
    assert np.isnan(point_f1(counts)).all()
    assert np.isnan(count_errors(counts).relative).all()
