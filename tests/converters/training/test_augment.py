"""Augmentation changes images as asked, and only those."""

import numpy as np
import pytest
from errors import raises_code
from numpy.typing import NDArray

from converters.training.augment import VIEWS, Augmentation, Transform


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (4, 32, 48, 3), dtype=np.uint8)


def test_the_first_view_is_the_image_itself(pixels: NDArray[np.uint8]) -> None:
    assert next(iter(VIEWS)) == "image"
    np.testing.assert_array_equal(VIEWS["image"].apply(pixels[0]), pixels[0])


def test_a_mirror_view_is_the_mirrored_image(pixels: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(VIEWS["mirror"].apply(pixels[0]), pixels[0][:, ::-1])


def test_zoom_cuts_into_the_middle() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[24:40, 24:40] = 255
    zoomed = Transform(zoom=2.0).apply(image)
    assert zoomed[18:46, 18:46].min() == 255
    assert zoomed[:14].max() == 0


def test_shift_moves_by_a_part_of_the_side(pixels: NDArray[np.uint8]) -> None:
    moved = Transform(shift_x=0.25).apply(pixels[0])
    np.testing.assert_array_equal(moved[:, 12:], pixels[0][:, :-12])


def test_brightness_adds_and_contrast_spreads() -> None:
    gray = np.full((8, 8, 3), 100, np.uint8)
    assert Transform(brightness=0.2).apply(gray)[0, 0, 0] == 151
    assert Transform(contrast=2.0).apply(gray)[0, 0, 0] == 72  # 127.5 - 2 × 27.5, rounded to even


def test_a_batch_follows_the_seed_and_spares_its_input(pixels: NDArray[np.uint8]) -> None:
    before = pixels.copy()
    first, again = (Augmentation().batch(pixels, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(pixels, before)
    assert first.shape == pixels.shape
    assert first.dtype == np.uint8
    assert np.abs(first.astype(int) - pixels).mean() > 5


def test_none_changes_nothing(pixels: NDArray[np.uint8]) -> None:
    quiet = Augmentation.parse("none")
    np.testing.assert_array_equal(quiet.batch(pixels, np.random.default_rng(0)), pixels)
    assert quiet.views() == ("image",)


@pytest.mark.parametrize(
    "name", ["flip", "rotation", "zoom", "translation", "brightness", "contrast"]
)
def test_each_switch_works_alone(name: str, pixels: NDArray[np.uint8]) -> None:
    alone = Augmentation.parse(name)
    changed = alone.batch(pixels, np.random.default_rng(0))
    assert not np.array_equal(changed, pixels)
    draws = [alone.draw(np.random.default_rng(seed)) for seed in range(20)]
    fields = {
        "flip": "mirror", "rotation": "angle", "zoom": "zoom", "translation": "shift_x",
        "brightness": "brightness", "contrast": "contrast",
    }  # fmt: skip
    for switch, field in fields.items():
        varies = len({getattr(draw, field) for draw in draws}) > 1
        assert varies == (switch == name), switch


def test_an_unknown_switch_suggests_the_nearest() -> None:
    with raises_code("unknown-augmentation", fix="'rotation'"):
        Augmentation.parse("flip,rotate")


@pytest.mark.parametrize("words", ["none,flip", "zoom,all", "non"])
def test_all_and_none_stand_alone(words: str) -> None:
    with raises_code("unknown-augmentation", fix="flip,zoom"):
        Augmentation.parse(words)
