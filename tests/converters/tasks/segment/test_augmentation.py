"""Changed images and their masks stay together."""

import micro_segmenter
import numpy as np
import pytest

from converters.dataset.annotations import VOID
from converters.tasks.segment.augmentation import SegmentationAugmentation

SIZE = micro_segmenter.SIZE


@pytest.mark.parametrize("seed", range(6))
def test_masks_move_with_their_images(seed: int) -> None:
    (image,) = micro_segmenter.images(1, seed=seed)
    rng = np.random.default_rng(seed)
    changed = SegmentationAugmentation(color=0.0).view(SIZE, image, rng)
    assert changed.pixels.shape == (SIZE, SIZE, 3)
    for index, color in enumerate(micro_segmenter.COLORS, start=1):
        near = np.abs(changed.pixels.astype(int) - color).max(axis=2) < 40
        shown = changed.mask == index
        assert np.logical_xor(near, shown).mean() < 0.04
        assert shown.any() == (image.mask == index).any() or not near.any()


def test_outside_of_a_smaller_image_the_mask_is_void() -> None:
    (image,) = micro_segmenter.images(1)
    half = SegmentationAugmentation(flip=False, zoom=(0.5, 0.5), aspect=0.0, color=0.0)
    changed = half.view(SIZE, image, np.random.default_rng(0))
    assert np.mean(changed.mask == VOID) == pytest.approx(0.75, abs=0.03)
    assert (changed.pixels[changed.mask == VOID] == 114).mean() > 0.9


def test_without_limits_nothing_changes() -> None:
    (image,) = micro_segmenter.images(1)
    still = SegmentationAugmentation(flip=False, zoom=(1.0, 1.0), aspect=0.0, color=0.0)
    changed = still.view(SIZE, image, np.random.default_rng(0))
    assert np.array_equal(changed.mask, image.mask)
    assert np.array_equal(changed.pixels, image.pixels)


def test_half_of_the_images_are_mirrored() -> None:
    (image,) = micro_segmenter.images(1)
    mirroring = SegmentationAugmentation(zoom=(1.0, 1.0), aspect=0.0, color=0.0)
    views = [mirroring.view(SIZE, image, np.random.default_rng(n)).mask for n in range(40)]
    mirrored = sum(np.array_equal(view, image.mask[:, ::-1]) for view in views)
    assert mirrored + sum(np.array_equal(view, image.mask) for view in views) == 40
    assert 10 <= mirrored <= 30
