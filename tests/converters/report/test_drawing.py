"""Drawings become SVG, and PNG of the same size."""

from xml.etree import ElementTree

import cv2
import numpy as np

from converters.report.drawing import (
    LIGHT,
    SERIES,
    Bar,
    Drawing,
    Label,
    Marker,
    Polyline,
    text_width,
    to_svg,
    to_svg_file,
)
from converters.report.png import to_png

DRAWN = Drawing(
    200,
    100,
    (
        Bar(10, 20, 30, 40, SERIES[0]),
        Polyline(((0, 0), (200, 100)), width=2),
        Marker((150, 50), "square", SERIES[1], filled=False),
        Label((60, 80), "a < b & c", covering=True),
        Label((5, 50), "up", turned=True),
    ),
)


def test_the_file_is_xml_with_the_text_as_it_is() -> None:
    root = ElementTree.fromstring(to_svg_file(DRAWN))
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert texts == ["a < b & c", "up"]
    assert "currentColor" not in to_svg_file(DRAWN)


def test_what_is_low_is_drawn_low() -> None:
    (bar,) = (
        e for e in ElementTree.fromstring(to_svg(DRAWN)).iter("rect") if e.get("width") == "30.0"
    )
    assert (bar.get("y"), bar.get("height")) == ("40.0", "40.0")  # from the top of 100 points


def test_the_png_shows_the_same_at_two_pixels_a_point() -> None:
    image = cv2.imdecode(np.frombuffer(to_png(DRAWN), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None and image.shape == (200, 400, 3)
    red, green, blue = (int(LIGHT[SERIES[0]][i : i + 2], 16) for i in (1, 3, 5))
    assert image[90, 30].tolist() == [blue, green, red]  # left of the bar's middle
    assert image[5, 390].tolist() != [255, 255, 255]  # the line's end
    assert image[30, 380].tolist() == [255, 255, 255]


def test_wide_letters_count_more() -> None:
    assert text_width("猫") > text_width("m") > text_width("i") > 0
    assert text_width("name", bold=True) > text_width("name")
