import numpy as np
import pytest

from converters.metrics.boxes import box_ious, clip

UNIT = np.array([[0, 0, 10, 10.0]])


def test_intersection_over_union() -> None:
    others = np.array([[5, 0, 15, 10.0], [10, 0, 20, 10], [2, 2, 4, 4]])

    assert box_ious(UNIT, others)[0].tolist() == pytest.approx([1 / 3, 0, 0.04])


def test_detection_inside_of_a_crowd_covers_it() -> None:
    small = np.array([[2, 2, 4, 4.0]])

    assert box_ious(small, UNIT, np.array([True])).item() == 1


def test_empty_boxes_overlap_nothing() -> None:
    point = np.array([[5, 5, 5, 5.0]])

    assert box_ious(point, np.concatenate([point, UNIT])).tolist() == [[0, 0]]


def test_boxes_are_clipped_to_the_picture_in_their_own_precision() -> None:
    clipped = clip(np.array([[-5, -5, 50, 20]], np.float32), 40, 30)

    assert clipped.tolist() == [[0, 0, 40, 20]]
    assert clipped.dtype == np.float32
