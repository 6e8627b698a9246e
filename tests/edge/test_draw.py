"""Drawing: what a person sees on the image."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from edge import draw
from edge.draw import labels
from edge.frame import BgrImage, StreamStatus
from edge.results import Classification, ClassScore, Detection

NOW = StreamStatus(fps=29.8, invoke_ms=3.4, latency_ms=12.0, dropped=7, delegate="edgetpu")
DOG = Detection("dog", 17, 0.75, (40.0, 60.0, 200.0, 180.0))
SIZES = [(1, 1), (2, 40), (8, 8), (64, 48), (640, 480), (480, 640), (3840, 2160),
         (5000, 1), (1, 5000)]  # fmt: skip


def gray(width: int = 640, height: int = 480, value: int = 128) -> BgrImage:
    return np.full((height, width, 3), value, np.uint8)


def drawn(with_: Callable[[BgrImage], None], image: BgrImage | None = None) -> BgrImage:
    canvas = gray() if image is None else image.copy()
    with_(canvas)
    return canvas


def shows(image: BgrImage, patch: BgrImage) -> bool:
    """Return True if ``patch`` is somewhere in the image, pixel by pixel."""
    _, _, (left, top), _ = cv2.minMaxLoc(cv2.matchTemplate(image, patch, cv2.TM_SQDIFF))
    height, width = patch.shape[:2]
    return np.array_equal(image[top : top + height, left : left + width], patch)


def label(image: BgrImage, text: str, number: int) -> BgrImage:
    return labels.render_label(text, labels.color_of(number), labels.style(image))


def everything(image: BgrImage) -> None:
    height, width = image.shape[:2]
    box = (-0.3 * width, -5.0, 1.4 * width, 0.9 * height)
    long = "a very long label that no small image has room for"
    actual = [replace(DOG, box=box, track_id=3), replace(DOG, label=long, box=(0, 0, 1, 1)), DOG]
    classes = tuple(ClassScore(long, i, 0.4) for i in range(5))
    draw.trails(image, {3: [(-50.0, -50.0), (2.0 * width, 9.0)], 4: [(1.0, 1.0)], 5: []})
    draw.detections(image, actual)
    draw.line(image, (-9.0, 5.0), (2.0 * width, 5.0), "door: 1 in")
    draw.zone(image, [(0.0, 0.0), (2.0 * width, 0.0), (5.0, 2.0 * height)], "zone: 2")
    draw.classification(image, Classification(classes, 0.5))
    draw.status(image, NOW)


@pytest.mark.parametrize("size", SIZES)
def test_any_size_is_drawn_on_and_nothing_outside(size: tuple[int, int]) -> None:
    width, height = size
    around = gray(width + 20, height + 20)
    inside = around[10:-10, 10:-10]
    everything(inside)
    around[10:-10, 10:-10] = 128
    assert (around == 128).all()


def test_a_box_stands_where_the_object_is() -> None:
    canvas = drawn(lambda image: draw.detections(image, [DOG]))
    changed = (canvas != 128).any(axis=2)
    assert changed[60:181, 40].all()
    assert changed[60:181, 200].all()
    assert changed[60, 40:201].all()
    assert changed[180, 40:201].all()
    assert not changed[70:170, 50:190].any()
    rows, columns = np.nonzero(changed)
    assert columns.min() == 40
    assert rows.max() == 180
    assert (canvas[100, 40:50] == labels.color_of(17)).all(axis=1).any()


@pytest.mark.parametrize("background", [0, 24, 128, 255])
def test_lines_are_seen_on_any_background(background: int) -> None:
    canvas = drawn(lambda image: draw.detections(image, [DOG]), gray(value=background))
    edge = canvas[120, 36:50].astype(int)
    assert np.abs(edge - background).sum(axis=1).max() > 200
    drawn_line = drawn(
        lambda image: draw.line(image, (20, 240), (600, 240), ""), gray(value=background)
    )
    assert np.abs(drawn_line[230:250, 60].astype(int) - background).max() > 100


def test_words_stand_out_from_their_plates() -> None:
    """A contrast of 4.5 to 1, as WCAG 2.1 (1.4.3) asks."""
    style = labels.style(gray())
    for number in range(200):
        plate = labels.render_label("HHH", labels.color_of(number), style)
        lights = np.array([_luminance(pixel) for pixel in np.unique(plate.reshape(-1, 3), axis=0)])
        assert (lights.max() + 0.05) / (lights.min() + 0.05) >= 4.5, number


def _luminance(bgr: np.ndarray) -> float:
    linear = np.where(bgr / 255 <= 0.04045, bgr / 255 / 12.92, ((bgr / 255 + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.0722, 0.7152, 0.2126))


def test_label_score_and_track_can_be_read() -> None:
    tracked = replace(DOG, track_id=5, box=(300.0, 300.0, 400.0, 400.0))
    canvas = drawn(lambda image: draw.detections(image, [DOG, tracked]))
    assert shows(canvas, label(canvas, "dog 75%", 17))
    assert shows(canvas, label(canvas, "dog #5 75%", 5))


def test_labels_do_not_hide_each_other() -> None:
    actual = [replace(DOG, score=score) for score in (0.9, 0.8, 0.7, 0.6)]
    canvas = drawn(lambda image: draw.detections(image, actual))
    for item in actual:
        assert shows(canvas, label(canvas, f"dog {100 * item.score:.0f}%", 17))


def test_a_label_does_not_hide_a_small_object() -> None:
    small = replace(DOG, box=(42.0, 46.0, 56.0, 58.0), score=0.5, index=1)
    canvas = drawn(lambda image: draw.detections(image, [DOG, small]))
    assert (canvas[46:59, 42:57] == labels.color_of(1)).all(axis=2).sum() >= 12


@pytest.mark.parametrize("box", [(0, 0, 90, 90), (600, 0, 640, 60), (560, 440, 640, 480)])
def test_labels_at_the_edges_are_whole(box: tuple[float, ...]) -> None:
    canvas = drawn(lambda image: draw.detections(image, [replace(DOG, box=box)]))
    assert shows(canvas, label(canvas, "dog 75%", 17))


def test_a_long_label_keeps_its_score() -> None:
    long = "a label that is longer than the image is wide"
    canvas = drawn(lambda p: draw.detections(p, [replace(DOG, label=long)]), gray(200, 200))
    style = labels.style(canvas)
    text = labels.truncate(long, " 75%", style, 200 - 2 * style.pad)
    assert text.startswith("a label")
    assert text.endswith(".. 75%")
    assert shows(canvas, label(canvas, text, 17))


def test_letters_that_the_font_lacks_become_their_nearest() -> None:
    assert labels.to_ascii("Käse, crème brûlée × 2") == "Kase, creme brulee x 2"
    assert labels.to_ascii("猫") == "?"


def test_a_class_has_its_color_and_neighbors_have_another() -> None:
    colors = [labels.color_of(number) for number in range(90)]
    assert colors == [labels.color_of(number) for number in range(90)]
    assert len(set(colors)) == 90
    for near, next_ in pairwise(colors):
        assert np.abs(np.subtract(near, next_)).sum() > 120


def test_text_grows_with_the_image() -> None:
    heights = [labels.height_of(labels.style(gray(w, h))) for w, h in ((640, 480), (1920, 1080))]
    assert heights[1] >= 1.7 * heights[0]
    assert labels.height_of(labels.style(gray(64, 48))) >= 6


def test_a_trail_leads_through_its_points() -> None:
    canvas = drawn(lambda p: draw.trails(p, {2: [(100, 300), (200, 300), (200, 400)]}))
    for x, y in ((100, 300), (150, 300), (200, 350), (200, 400)):
        assert (canvas[y, x] == labels.color_of(2)).all()
    assert (canvas[100:200] == 128).all()


def test_a_line_shows_its_name_and_where_in_is() -> None:
    """In is to the right of someone who looks from start to end: below, from left to right."""
    canvas = drawn(lambda p: draw.line(p, (100, 240), (500, 240), "door: 3 in, 1 out"))
    plate = labels.render_label("door: 3 in, 1 out", labels.LIGHT, labels.style(canvas))
    assert shows(canvas, plate)
    assert (canvas[246:258, 290:310] != 128).any()
    turned = drawn(lambda p: draw.line(p, (500, 240), (100, 240), ""))
    assert (turned[222:234, 290:310] != 128).any()


def test_a_zone_shows_its_outline_and_name() -> None:
    corners = [(100.0, 100.0), (400.0, 100.0), (400.0, 300.0), (100.0, 300.0)]
    canvas = drawn(lambda p: draw.zone(p, corners, "shop: 2"))
    assert (canvas[200, 100] == labels.LIGHT).all()
    assert (canvas[200, 400] == labels.LIGHT).all()
    assert (canvas[150:290, 110:390] == 128).all()
    assert shows(canvas, labels.render_label("shop: 2", labels.LIGHT, labels.style(canvas)))


def bars(image: BgrImage, number: int) -> int:
    """Length of the longest row in the color of class ``number``."""
    return int((image == labels.color_of(number)).all(axis=2).sum(axis=1).max())


def test_bars_are_as_long_as_the_scores() -> None:
    values = Classification((ClassScore("cat", 1, 0.8), ClassScore("dog", 2, 0.2)))
    canvas = drawn(lambda image: draw.classification(image, values))
    assert bars(canvas, 1) == pytest.approx(4 * bars(canvas, 2), rel=0.1)
    changed = (canvas != 128).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert rows.max() < 100
    assert columns.max() < 320


def test_unknown_is_said() -> None:
    values = Classification((ClassScore("cat", 1, 0.4),), threshold=0.5)
    known = drawn(lambda p: draw.classification(p, replace(values, threshold=0.3)))
    unknown = drawn(lambda p: draw.classification(p, values))
    assert bars(known, 1) > 50
    assert bars(unknown, 1) == 0
    rows = [np.nonzero((canvas != 128).any(axis=2))[0].max() for canvas in (known, unknown)]
    assert rows[1] > rows[0] + 10  # a line more


@pytest.mark.parametrize("width", [100, 200, 400, 640])
def test_the_status_line_shows_what_there_is_room_for(width: int) -> None:
    canvas = drawn(lambda image: draw.status(image, NOW), gray(width, 100))
    changed = (canvas != 128).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert rows.min() > 60
    assert 0.3 * width < columns.max() < width - 1


def test_an_image_too_narrow_for_words_stays_as_it_is() -> None:
    assert (drawn(lambda p: draw.status(p, NOW), gray(30, 30)) == 128).all()
