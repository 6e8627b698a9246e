"""The loss of a segmenter: void counts nothing, right is better than wrong, rare classes weigh."""

import numpy as np
import pytest

from converters import tf
from converters.dataset.annotations import VOID
from converters.tasks.segment.losses import class_weights, segmentation_loss

ONES = np.ones(3, np.float32)


def loss(logits: np.ndarray, masks: np.ndarray) -> float:
    tensorflow = tf.tensorflow()
    return float(segmentation_loss(tensorflow.constant(logits), tensorflow.constant(masks), ONES))


@pytest.fixture
def masks() -> np.ndarray:
    """Two masks of 8 × 8 pixels whose cells of 4 × 4 have one class each."""
    cells = np.array([[[0, 1], [2, 0]], [[1, 1], [0, 0]]], np.uint8)
    return cells.repeat(4, axis=1).repeat(4, axis=2)


def test_right_logits_have_the_least_loss(masks: np.ndarray) -> None:
    right = 20 * np.eye(3, dtype=np.float32)[masks[:, ::4, ::4]]
    assert loss(right, masks) == pytest.approx(0, abs=0.01)
    assert loss(-right, masks) > loss(np.zeros_like(right), masks) > 1


def test_void_pixels_count_nothing(masks: np.ndarray) -> None:
    right = 20 * np.eye(3, dtype=np.float32)[masks[:, ::4, ::4]]
    masks[0, :4, :4] = VOID
    wrong = right.copy()
    wrong[0, 0, 0] = (-20, 20, -20)
    assert loss(wrong, masks) == pytest.approx(loss(right, masks), abs=1e-5)
    masks[:] = VOID
    assert loss(wrong, masks) == pytest.approx(0, abs=1e-5)


def test_a_cell_is_to_have_the_shares_of_its_pixels() -> None:
    masks = np.zeros((1, 4, 4), np.uint8)
    masks[:, :1] = 1  # a quarter
    losses = [
        loss(np.array([[[[0.0, value, -20.0]]]], np.float32), masks) for value in (-3.0, -1.1, 1.0)
    ]
    assert losses[1] == min(losses)


def test_rare_classes_weigh_more_but_not_all() -> None:
    weights = class_weights(np.array([9_000, 900, 100, 0]))
    assert weights[0] < weights[1] < weights[2] <= 4
    assert weights[3] == 1
    assert weights[2] / weights[0] < 90
