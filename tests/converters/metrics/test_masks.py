import numpy as np
import pytest

from converters.metrics.masks import (
    boundary_counts,
    boundary_f1,
    class_ious,
    mask_confusion,
    mean_iou,
    pixel_accuracy,
)
from converters.metrics.resampling import resample

SQUARE = np.zeros((100, 100), np.uint8)
SQUARE[20:60, 20:60] = 1


def test_confusion_leaves_void_out_and_counts_other_classes_as_wrong() -> None:
    true = np.array([[0, 0, 1], [1, 255, 255]], np.uint8)
    predicted = np.array([[0, 1, 1], [9, 0, 9]], np.uint8)

    counts = mask_confusion(true, predicted, 2)

    assert counts.tolist() == [[1, 1, 0], [0, 1, 1]]
    assert pixel_accuracy(counts[None]) == 0.5
    ious = class_ious(counts[None])
    assert ious[0].tolist() == pytest.approx([1 / 2, 1 / 3])


def test_class_that_does_not_occur_is_left_out_of_the_mean() -> None:
    counts = mask_confusion(SQUARE, SQUARE, 3)

    ious = class_ious(counts[None])

    assert np.isnan(ious[0, 2])
    assert mean_iou(ious)[0] == 1


def test_resampled_images_are_as_images_listed_that_often() -> None:
    random = np.random.default_rng(0)
    confusions = np.stack(
        [mask_confusion(*random.integers(0, 3, (2, 20, 20)).astype(np.uint8), 3) for _ in range(5)]
    )
    weights = resample(5, count=4)

    resampled = class_ious(confusions, weights)

    for row, ious in zip(weights.astype(int), resampled, strict=True):
        assert ious == pytest.approx(class_ious(np.repeat(confusions, row, axis=0))[0])


def test_boundary_that_is_a_little_off_is_right_and_one_far_off_is_wrong() -> None:
    near, far = np.roll(SQUARE, 1, axis=1), np.roll(SQUARE, 20, axis=(0, 1))

    f1 = [boundary_f1([boundary_counts(SQUARE, mask, 3)]) for mask in (SQUARE, near, far)]

    assert f1[0][1] == 1
    assert f1[1][1] == 1
    assert f1[2][1] < 0.1
    assert np.isnan(f1[0][2])


def test_boundary_next_to_void_counts_nothing() -> None:
    void = SQUARE.copy()
    void[15:65, 15:65] = 255
    void[20:60, 20:60] = 1

    assert boundary_counts(void, SQUARE, 2).sum() == 0
