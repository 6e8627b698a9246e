"""Backgrounds behind the foreground."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from errors import raises_code

from edge.errors import ImageError
from edge.tasks.segment.background import compose, parse_background


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A red square on noise, and its cover."""
    image = np.random.default_rng(3).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    cover = np.zeros((120, 160), np.uint8)
    image[40:80, 60:100], cover[40:80, 60:100] = (0, 0, 255), 255
    return image, cover


@pytest.mark.parametrize(
    ("background", "color"),
    [
        ("green", (64, 177, 0)),
        ("grey", (128, 128, 128)),
        ("White", (255, 255, 255)),
        ("#1020fF", (255, 32, 16)),
    ],
)
def test_a_color(background: str, color: tuple[int, int, int]) -> None:
    image, cover = scene()
    composed = compose(image, cover, parse_background(background))
    assert (composed[cover == 255] == (0, 0, 255)).all()
    assert (composed[cover == 0] == color).all()


def test_blur_leaves_the_foreground_sharp_and_does_not_mix_it_in() -> None:
    image, cover = scene()
    before = image.copy()
    composed = compose(image, cover, parse_background("blur"))
    assert (image == before).all()
    assert (composed[cover == 255] == (0, 0, 255)).all()
    far, near = composed[:20], composed[36:40, 60:100]
    assert far.std() < image[:20].std() / 3
    assert abs(near[..., 2].mean() - near[..., 1].mean()) < 30  # no red shines around it


def test_an_image_fills_frames_of_any_size_in_its_proportions(tmp_path: Path) -> None:
    behind = np.zeros((40, 200, 3), np.uint8)
    cv2.circle(behind, (100, 20), 10, (255, 255, 255), cv2.FILLED)
    cv2.imwrite(str(tmp_path / "b.png"), behind)
    background = parse_background(str(tmp_path / "b.png"))
    for height, width in ((120, 160), (300, 90), (120, 160)):
        image = np.full((height, width, 3), 77, np.uint8)
        composed = compose(image, np.zeros((height, width), np.uint8), background)
        assert composed.shape == image.shape
        _, _, wide, high = cv2.boundingRect(composed[..., 0])
        assert wide == pytest.approx(min(width, high), rel=0.1)


def test_half_a_cover_is_half_of_each() -> None:
    image = np.full((4, 4, 3), 200, np.uint8)
    composed = compose(image, np.full((4, 4), 128, np.uint8), parse_background("black"))
    assert composed.max() == pytest.approx(100, abs=2)


@pytest.mark.parametrize(
    ("background", "values"), [("gren", "'green'"), ("#12", "white"), ("x", "white")]
)
def test_a_word_that_is_nothing(background: str, values: str) -> None:
    with raises_code("unknown-background", found=background, fix=values):
        parse_background(background)


def test_an_image_that_cannot_be_read(tmp_path: Path) -> None:
    broken = tmp_path / "b.jpg"
    broken.write_bytes(b"\xff\xd8 no image")
    for path in (broken, tmp_path / "none.png"):
        with pytest.raises(ImageError, match=path.name):
            parse_background(str(path))
