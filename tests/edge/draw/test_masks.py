"""Drawing segments: tints, outlines, and the legend."""

from itertools import pairwise

import numpy as np
import pytest

from edge import draw
from edge.draw.masks import mask_color
from edge.frame import BgrImage
from edge.results import Segment, Segmentation


def values(width: int, height: int, classes: int = 2) -> Segmentation:
    """Columns of classes 1, 2, …, with background to the right."""
    mask = np.zeros((height, width), np.uint8)
    edges = [round(i * width / (classes + 1)) for i in range(classes + 1)]
    segments = []
    for index, (left, right) in enumerate(pairwise(edges), 1):
        mask[:, left:right] = index
        if right > left:
            box = (float(left), 0.0, float(right), float(height))
            share = (right - left) / width
            segments.append(Segment("a class with a long name", index, share, box))
    return Segmentation(tuple(segments), mask)


def gray(width: int, height: int) -> BgrImage:
    return np.full((height, width, 3), 128, np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (2, 40), (8, 8), (64, 48), (640, 480), (480, 1900)])
@pytest.mark.parametrize("classes", [1, 30])
def test_any_size_is_drawn_on_and_nothing_outside(size: tuple[int, int], classes: int) -> None:
    width, height = size
    around = gray(width + 20, height + 20)
    draw.segmentation(around[10:-10, 10:-10], values(width, height, classes))
    around[10:-10, 10:-10] = 128
    assert (around == 128).all()


def test_a_segment_is_tinted_in_its_color_and_the_rest_is_left() -> None:
    image = gray(640, 480)
    draw.segmentation(image, values(640, 480))
    for column, index in ((100, 1), (320, 2)):
        half = (np.array(mask_color(index), int) + 128) / 2
        assert np.abs(image[400, column] - half).max() <= 1
    assert (image[300:, 440:] == 128).all()


def test_the_legend_has_a_row_for_each_segment() -> None:
    item, two = gray(640, 480), gray(640, 480)
    draw.segmentation(item, values(640, 480, 1))
    draw.segmentation(two, values(640, 480, 2))
    for image, rows in ((item, 1), (two, 2)):
        for index in (1, 2):
            swatch = (image[:60, :30] == mask_color(index)).all(axis=2)
            assert swatch.sum() > 50 or index > rows


def test_nothing_found_is_nothing_drawn() -> None:
    image = gray(64, 48)
    draw.segmentation(image, Segmentation((), np.zeros((48, 64), np.uint8)))
    assert (image == 128).all()


def test_classes_can_be_told_apart_by_their_colors() -> None:
    """Of Cityscapes and PASCAL VOC, which have about 20."""
    shades = np.array([mask_color(index) for index in range(21)], float)
    apart = np.abs(shades[:, None] - shades[None]).max(axis=2) + 255 * np.eye(21)
    assert apart.min() >= 30
