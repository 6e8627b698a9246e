"""Points are dots of their class, counted in the corner; those that are tracked have a number."""

import cv2
import numpy as np
import pytest

from edge import draw
from edge.draw import labels
from edge.results import Detection, Detections, TrackedDetections


def at(x: float, y: float, track_id: int | None = None, index: int = 1) -> Detection:
    box = (x - 10, y - 10, x + 10, y + 10)
    return Detection("cell", index, 0.9, box, track_id, (x, y))


def gray(width: int = 320, height: int = 240) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def shows(image: np.ndarray, text: str, number: int) -> bool:
    patch = labels.render_label(text, labels.color_of(number), labels.style(image))
    _, _, (left, top), _ = cv2.minMaxLoc(cv2.matchTemplate(image, patch, cv2.TM_SQDIFF))
    high, wide = patch.shape[:2]
    return np.array_equal(image[top : top + high, left : left + wide], patch)


def test_a_dot_is_where_the_object_is_and_no_box() -> None:
    image = draw.annotate(gray(), Detections((at(200, 120),)))
    assert tuple(image[120, 200]) == labels.color_of(1)
    rows, columns = np.nonzero((image[60:] != 128).any(axis=2))
    assert (rows + 60).min() > 110 and (rows + 60).max() < 130
    assert columns.min() > 190 and columns.max() < 210


def test_the_number_of_each_class_stands_in_the_corner() -> None:
    objects = (*(at(30 + 20 * n, 200) for n in range(7)), at(300, 100, index=2))
    image = draw.annotate(gray(), Detections(objects))
    assert shows(image, "cell x 7", 1) and shows(image, "cell x 1", 2)


def test_tracked_points_have_a_number_and_its_color() -> None:
    image = draw.annotate(gray(), TrackedDetections((at(200, 120, track_id=12),)))
    assert tuple(image[120, 200]) == labels.color_of(12)
    assert shows(image, "#12", 12)


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (300, 5), (40, 40)])
def test_any_size_is_drawn_on(size: tuple[int, int]) -> None:
    objects = (at(0, 0), at(size[0], size[1], track_id=3), at(2, 2, index=99))
    image = draw.annotate(gray(*size), Detections(objects))
    assert image.shape == (size[1], size[0], 3)
