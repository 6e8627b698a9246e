"""Every box is learned somewhere, by cells inside it, on the levels that fit its size."""

import numpy as np
import pytest

from converters.tasks.detect.assignment import IGNORED, NEGATIVE, assign, cells, choose_strides

SIZE = 320
NONE = np.zeros((0, 4), np.float32)


def test_cells_are_the_middles_of_squares_row_by_row() -> None:
    grid = cells(64, (16, 32))
    assert grid.centers[:5].tolist() == [[8, 8], [24, 8], [40, 8], [56, 8], [8, 24]]
    assert grid.strides.tolist() == [16] * 16 + [32] * 4


@pytest.mark.parametrize("strides", [(8, 16, 32), (16, 32)])
def test_boxes_of_every_size_are_learned_by_cells_that_they_cover(strides: tuple[int, ...]) -> None:
    grid = cells(SIZE, strides)
    for side in (3, 8, 20, 40, 47, 60, 90, 110, 200, 320):
        box = np.array([[0, 0, side, side]], np.float32) + min(150, SIZE - side)
        labels, targets = assign(box, np.array([4]), NONE, grid)
        learns = labels == 4
        assert learns.any(), side
        assert (targets[learns] == box).all()
        middle = box[0, :2] + side / 2
        away = np.abs(grid.centers[learns] - middle).max(axis=1) / grid.strides[learns]
        assert away.max() <= 1.5, side


def test_small_boxes_train_fine_levels_and_large_ones_coarse_levels() -> None:
    grid = cells(SIZE, (8, 16, 32))

    def levels(side: int) -> set[float]:
        box = np.array([[100, 100, 100 + side, 100 + side]], np.float32)
        return set(grid.strides[assign(box, np.array([0]), NONE, grid)[0] == 0].tolist())

    assert levels(20) == {8}
    assert levels(40) == {8, 16}
    assert levels(100) == {16, 32}
    assert levels(200) == {32}


def test_the_smaller_of_two_boxes_wins() -> None:
    boxes = np.array([[60, 60, 220, 220], [110, 110, 170, 170]], np.float32)
    grid = cells(SIZE, (16, 32))
    labels, _ = assign(boxes, np.array([0, 1]), NONE, grid)
    center = np.abs(grid.centers - 140).max(axis=1) < 12
    assert set(labels[center & (grid.strides == 16)]) == {1}
    assert 0 in labels


def test_areas_without_knowledge_are_no_background() -> None:
    grid = cells(SIZE, (32,))
    box = np.array([[0, 0, 64, 64]], np.float32)
    area = np.array([[0, 0, 160, 160]], np.float32)
    labels, _ = assign(box, np.array([2]), area, grid)
    assert {*labels[:2]} == {2}
    assert labels[3] == IGNORED
    assert labels[-1] == NEGATIVE


def test_an_image_without_boxes_is_background() -> None:
    labels, _ = assign(NONE, np.zeros(0, np.int64), NONE, cells(SIZE, (16, 32)))
    assert set(labels) == {NEGATIVE}


def test_the_finest_level_is_left_out_where_all_boxes_are_large() -> None:
    large = np.array([[0, 0, 60, 60]] * 97 + [[0, 0, 10, 10]] * 3, np.float32)
    small = np.array([[0, 0, 60, 60]] * 80 + [[0, 0, 10, 10]] * 20, np.float32)
    assert choose_strides(large) == (16, 32)
    assert choose_strides(small) == (8, 16, 32)
