"""Lines and zones as text, and where they lie in the frame."""

import shlex

import pytest
from errors import raises_code

from edge.tracking.boundaries import Boundary, Line, Zone, check_in_frame, overhang, to_option

SIZE = (640, 480)


def test_lines_and_zones_are_read_from_text() -> None:
    assert Line.parse("door:100,200,540.5,200") == Line("door", (100, 200), (540.5, 200))
    assert Zone.parse("a:b:0,0,9,0,9,9") == Zone("a:b", ((0, 0), (9, 0), (9, 9)))
    assert Line.parse("1,2,3,4").name == "1,2,3,4"


@pytest.mark.parametrize("text", ["", "door", "door:1,2,3", "door:1,2,x,4", "door:1,2,3,nan",
                                  "door:1,2,3,4,5,6", "door:1,2,1,2", ":1,2,3,4"])  # fmt: skip
def test_no_line(text: str) -> None:
    with raises_code("invalid-line", fix="door:100,200,540,200"):
        Line.parse(text)


@pytest.mark.parametrize("text", ["", "z:1,2,3,4", "z:0,0,5,5,10,10", "z:0,0,5,5,10"])
def test_no_zone(text: str) -> None:
    with raises_code("invalid-zone", fix="shop:0,200"):
        Zone.parse(text)


@pytest.mark.parametrize(
    "boundary",
    [
        Line("front door's", (1, 2.5), (1920, 1079.25)),
        Zone("$(rm -rf ~); a:b", ((0, 0), (9, 0), (9, 9))),
    ],
)
def test_the_option_of_a_boundary_makes_it_again(boundary: Line | Zone) -> None:
    option, text = shlex.split(to_option(boundary))
    assert option == f"--{boundary.kind}"
    assert type(boundary).parse(text) == boundary


@pytest.mark.parametrize(
    ("boundary", "partly"),
    [
        (Line("door", (0, 0), (640, 480)), False),
        (Line("door", (-5, 200), (300, 200)), True),
        (Zone("room", ((600, 10), (700, 10), (700, 100))), True),
    ],
)
def test_what_reaches_outside_the_frame_is_told(boundary: Boundary, partly: bool) -> None:
    check_in_frame(boundary, SIZE)
    assert ("640 × 480" in overhang(boundary, SIZE)) is partly


@pytest.mark.parametrize(
    "boundary",
    [
        Line("door", (700, 0), (700, 480)),
        Line("door", (0, -9), (640, -1)),
        Zone("room", ((0, 500), (9, 500), (9, 900))),
    ],
)
def test_what_is_outside_the_frame_is_refused(boundary: Boundary) -> None:
    with raises_code("boundary-outside-frame", expected="640 × 480", found=boundary.name):
        check_in_frame(boundary, SIZE)
