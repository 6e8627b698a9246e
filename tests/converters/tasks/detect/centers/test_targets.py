"""Cells with the middle of an object are to be 1, and those around it learn where it is."""

import numpy as np
import pytest

from converters.tasks.detect.augmentation import BoxedImage
from converters.tasks.detect.centers.targets import IGNORED, targets_of


def image(*boxes: tuple[float, float, float, int], ignored: tuple = ()) -> BoxedImage:
    """64 × 48 pixels with square boxes: x and y of the middle, side, class."""
    table = np.array(boxes, np.float32).reshape(-1, 4)
    half = table[:, 2:3] / 2
    return BoxedImage(
        np.zeros((48, 64, 3), np.uint8),
        np.concatenate([table[:, :2] - half, table[:, :2] + half], axis=1),
        table[:, 3].astype(np.int64),
        np.array(ignored, np.float32).reshape(-1, 4),
    )


def test_the_cell_of_a_middle_is_one_and_others_fall_off() -> None:
    heat, offsets = targets_of(image((22, 13, 8, 1)), 2)
    assert heat.shape == (6, 8, 2) and offsets.shape == (6, 8, 3)
    assert not heat[..., 0].any()
    assert np.argwhere(heat[..., 1] == 1).tolist() == [[1, 2]]
    assert 1 > heat[1, 3, 1] > heat[1, 4, 1] > heat[1, 5, 1]
    # In cells from the middle of the cell: 22 / 8 - 2.5, 13 / 8 - 1.5.
    assert offsets[1, 2, :2].tolist() == [0.25, 0.125]
    assert offsets[1, 3, :2].tolist() == [-0.75, 0.125]
    assert offsets[1, 2, 2] == 1
    assert (offsets[..., 2] > 0).sum() == 9


def test_larger_objects_are_wider_in_the_map() -> None:
    small, large = (targets_of(image((28, 28, side, 0)), 1)[0] for side in (8, 60))
    assert small.sum() < large.sum()


def test_each_of_two_neighbors_has_its_cell_and_offset() -> None:
    heat, offsets = targets_of(image((20, 20, 8, 0), (28, 20, 8, 0)), 1)
    assert np.argwhere(heat[..., 0] == 1).tolist() == [[2, 2], [2, 3]]
    assert offsets[2, 2:4, :2].tolist() == [[0, 0], [0, 0]]


def test_where_nothing_is_known_nothing_is_learned_but_of_objects() -> None:
    heat, _ = targets_of(image((20, 20, 8, 0), ignored=((16, 16, 40, 24),)), 1)
    assert heat[2, 2:5, 0].tolist() == [1, IGNORED, IGNORED]
    assert (heat[3:] > IGNORED).all()


@pytest.mark.parametrize("place", [(0, 0), (64, 48), (0, 48)])
def test_a_middle_at_the_edge_is_in_a_cell(place: tuple[int, int]) -> None:
    heat, offsets = targets_of(image((*place, 6, 0)), 1)
    assert (heat == 1).sum() == 1
    assert np.abs(offsets[..., :2]).max() <= 1.5
