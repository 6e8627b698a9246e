"""Boxes move with what they surround, and every view is a function of its seed."""

import micro_detector
import numpy as np
import pytest

from converters.tasks.detect.augmentation import BoxedImage, DetectionAugmentation

PLAIN = DetectionAugmentation(mosaic=0, color=0)
RED = np.array(micro_detector.COLORS[0])


def red_square() -> BoxedImage:
    pixels = np.full((80, 100, 3), 128, np.uint8)
    pixels[20:50, 30:70] = RED
    box = np.array([[30, 20, 70, 50]], np.float32)
    return BoxedImage(pixels, box, np.array([3]), np.zeros((0, 4), np.float32))


def view(augmentation: DetectionAugmentation, seed: int, size: int = 160) -> BoxedImage:
    return augmentation.view(size, 0, 1, lambda _: red_square(), np.random.default_rng(seed))


def extent(pixels: np.ndarray) -> list[int]:
    """The box around all red pixels."""
    rows, columns = np.nonzero(np.abs(pixels.astype(int) - RED).max(axis=2) < 60)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("vertical_flip", [False, True])
def test_boxes_surround_what_they_did(vertical_flip: bool) -> None:
    augmentation = DetectionAugmentation(mosaic=0, color=0, vertical_flip=vertical_flip)
    seen = 0
    for seed in range(30):
        changed = view(augmentation, seed)
        if len(changed.boxes):
            np.testing.assert_allclose(changed.boxes[0], extent(changed.pixels), atol=1.6)
            assert changed.labels.tolist() == [3]
            seen += 1
    assert seen > 20


def test_what_is_cut_too_far_is_neither_box_nor_background() -> None:
    zoomed = DetectionAugmentation(mosaic=0, color=0, zoom=(3.0, 4.0))
    cut = [changed for seed in range(40) if len((changed := view(zoomed, seed)).ignored)]
    assert cut
    for changed in cut:
        assert not len(changed.boxes)
        np.testing.assert_allclose(changed.ignored[0], extent(changed.pixels), atol=1.6)


def test_a_mosaic_has_the_boxes_of_four_images() -> None:
    counts = [len(view(DetectionAugmentation(mosaic=1, color=0), seed).boxes) for seed in range(20)]
    assert max(counts) == 4


def test_flips_can_be_switched_off() -> None:
    """The half of the square that is dark stays on its side."""
    source = red_square()
    source.pixels[20:50, 30:50] //= 3
    never = DetectionAugmentation(flip=False, mosaic=0, color=0, zoom=(1, 1), aspect=0)
    for seed in range(10):
        changed = never.view(160, 0, 1, lambda _: source, np.random.default_rng(seed))
        left, top, right, bottom = changed.boxes[0].astype(int)
        inside = changed.pixels[top:bottom, left:right].mean(axis=(0, 2))
        assert inside[: len(inside) // 3].mean() < inside[-len(inside) // 3 :].mean()


def test_the_same_seed_gives_the_same_view_and_another_one_another() -> None:
    colored = DetectionAugmentation()
    first, again, other = (view(colored, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.boxes, again.boxes)
    assert not np.array_equal(first.pixels, other.pixels)
