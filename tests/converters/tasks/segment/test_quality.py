"""Quality of masks: mIoU with its interval, figures per class, and paired losses."""

import numpy as np
import pytest

from converters.dataset.annotations import VOID
from converters.tasks.segment import predictions, quality
from converters.tasks.segment.masks import PackedMask

CLASSES = ("background", "thing")


def packed(*masks: np.ndarray) -> tuple[PackedMask, ...]:
    return tuple(PackedMask.pack(mask) for mask in masks)


@pytest.fixture
def true() -> list[np.ndarray]:
    """Twenty masks whose right half is the thing, and the last row void."""
    mask = np.zeros((16, 16), np.uint8)
    mask[:, 8:] = 1
    mask[-1] = VOID
    return [mask.copy() for _ in range(20)]


def test_masks_survive_packing(true: list[np.ndarray]) -> None:
    assert np.array_equal(PackedMask.pack(true[0]).read(), true[0])
    assert len(PackedMask.pack(true[0]).content) < true[0].nbytes


def test_right_masks_are_right_but_for_the_interval(true: list[np.ndarray]) -> None:
    made = quality.measure_quality(packed(*true), packed(*true), 1.0, 0.5, CLASSES, seed=0)
    assert made.value == 1
    assert made.interval[0] < 1 == made.interval[1]
    assert made.figures == {
        "boundary_f1": 1, "pixel_accuracy": 1, "common_share": 0.5, "enlarging_ms": 0.5
    }  # fmt: skip
    assert [(row.label, row.support) for row in made.per_class] == [(c, 20) for c in CLASSES]


def test_figures_are_those_of_all_pixels(true: list[np.ndarray]) -> None:
    wide = [np.where(np.arange(16) >= 4, 1, 0)[None].repeat(16, 0).astype(np.uint8)] * 20
    made = quality.measure_quality(packed(*true), packed(*wide), 0.5, 0.5, CLASSES, seed=0)
    # Of 16 columns 4 are right background, 8 right thing, and 4 background that is named thing.
    assert [row.figures["iou"] for row in made.per_class] == pytest.approx([0.5, 8 / 12])
    assert made.value == pytest.approx((0.5 + 8 / 12) / 2)
    assert made.figures["pixel_accuracy"] == pytest.approx(0.75)
    assert made.figures["boundary_f1"] == 0


def test_a_loss_is_paired_by_image(true: list[np.ndarray]) -> None:
    worse = [mask.copy() for mask in true]
    for mask in worse[:5]:
        mask[:, 8:10] = 0
    counts = [quality.confusions(packed(*true), packed(*each), 2) for each in (true, worse)]
    lost = quality.miou_loss(*counts, CLASSES, seed=0)
    assert 0 < lost.interval[0] < lost.drop < lost.interval[1]
    assert lost.drop == pytest.approx(100 * (1 - quality.miou(counts[1])))
    assert lost.images == 20
    assert lost.classes == ("thing", "background")
    none = quality.miou_loss(counts[0], counts[0], CLASSES, seed=0)
    assert none.drop == 0
    assert none.interval[0] < 0 < none.interval[1]


def test_naming_the_commonest_class_is_half_of_its_share() -> None:
    mask = np.zeros((10, 10), np.uint8)
    mask[0] = 1
    counts = quality.confusions(packed(mask), packed(mask), 2)
    assert quality.common_share(counts) == (0, 0.9)
    guess = quality.confusions(packed(mask), packed(np.zeros_like(mask)), 2)
    assert quality.without_knowledge(counts) == pytest.approx(quality.miou(guess)) == 0.45


def test_the_same_class_everywhere_tells_nothing() -> None:
    plain = np.zeros((4, 4), np.uint8)
    assert not predictions.is_informative(packed(plain, plain))
    assert predictions.is_informative(packed(plain, plain + 1))
