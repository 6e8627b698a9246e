import math

import numpy as np
import pytest

from converters.metrics.resampling import drop_interval, interval, resample
from converters.verification.intervals import paired_difference_interval, wilson_interval


def test_images_are_drawn_with_replacement_and_the_same_for_a_seed() -> None:
    weights = resample(50, seed=1, count=400)

    assert weights.shape == (400, 50)
    assert (weights.sum(axis=1) == 50).all()
    assert (weights == 0).mean() == pytest.approx((1 - 1 / 50) ** 50, abs=0.02)
    assert (weights == resample(50, seed=1, count=400)).all()
    assert (weights != resample(50, seed=2, count=400)).any()


def test_a_share_of_images_has_about_the_interval_of_the_formula() -> None:
    right = np.arange(200) < 150
    samples = (resample(200) @ right) / 200

    assert interval(samples.astype(np.float64), 200) == pytest.approx(
        wilson_interval(150, 200), abs=0.01
    )


def test_a_paired_drop_is_as_sure_as_the_formula() -> None:
    weights, first = resample(200).astype(np.float64), np.arange(200) < 150
    second = np.arange(200) < 140
    before, after = (weights @ right / 200 for right in (first, second))

    assert drop_interval(before, after, 200) == pytest.approx(
        paired_difference_interval(10, 0, 200), abs=0.015
    )


@pytest.mark.parametrize("images", [5, 23, 500])
def test_where_nothing_varies_the_interval_is_as_wide_as_the_number_of_images_asks_for(
    images: int,
) -> None:
    perfect = np.ones(1000)

    assert interval(perfect, images) == pytest.approx(wilson_interval(images, images))
    low, high = drop_interval(perfect, perfect, images)
    assert -low == high == pytest.approx(1 - wilson_interval(images, images)[0])


def test_undefined_resamples_are_left_out() -> None:
    assert interval(np.array([np.nan, 0.25, 0.75, np.nan]), 4) == pytest.approx((0.2625, 0.7375))
    assert all(map(math.isnan, interval(np.full(3, np.nan), 4)))
