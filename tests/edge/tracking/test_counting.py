"""Objects that cross a line or a zone's border are counted once, in the right direction."""

from collections.abc import Iterable

import numpy as np
import pytest
from errors import raises_code

from edge.results import Detection, Event
from edge.tracking.boundaries import Line, Zone
from edge.tracking.counting import CrossingCounter

ACROSS = Line("door", (100, 200), (500, 200))
ROOM = Zone("room", ((100, 100), (300, 100), (300, 300), (100, 300)))


def standing(x: float, y: float, identity: int = 1) -> Detection:
    """A person 100 px tall whose feet are at x, y."""
    return Detection("person", 0, 0.9, (x - 20, y - 100, x + 20, y), identity)


def walk(counter: CrossingCounter, places: Iterable[tuple[float, float]]) -> list[Event]:
    return [event for x, y in places for event in counter.update([standing(x, y)])]


def test_a_line_is_crossed_in_both_directions() -> None:
    counter = CrossingCounter([ACROSS])
    down = [(300, y) for y in range(100, 301, 7)]
    events = walk(counter, down)
    assert events == [Event("line", "door", "in", 1, "person")]
    assert walk(counter, reversed(down)) == [Event("line", "door", "out", 1, "person")]
    assert counter.counts == {"door": {"in": 1, "out": 1}}


def test_in_is_from_left_to_right_of_the_line() -> None:
    upwards = Line("gate", (300, 400), (300, 100))
    events = walk(CrossingCounter([upwards]), [(x, 300) for x in range(200, 401, 10)])
    assert [event.direction for event in events] == ["in"]


def test_a_way_past_the_end_of_a_line_is_no_crossing() -> None:
    assert walk(CrossingCounter([ACROSS]), [(550, y) for y in range(100, 301, 7)]) == []


def test_someone_standing_on_a_line_is_not_counted_again_and_again() -> None:
    random = np.random.default_rng(0)
    counter = CrossingCounter([ACROSS])
    trembling = random.normal(0, 3, 500)
    events = walk(counter, [(300, 150), *((300, 200 + y) for y in trembling), (300, 250)])
    assert [event.direction for event in events] == ["in"]


@pytest.mark.parametrize("seed", range(5))
def test_noisy_walks_are_counted_right(seed: int) -> None:
    random = np.random.default_rng(seed)
    counter = CrossingCounter([ACROSS])
    directions = random.choice(["in", "out"], 20)
    for identity, direction in enumerate(directions):
        ys = np.linspace(80, 320, 60) if direction == "in" else np.linspace(320, 80, 60)
        x = random.uniform(150, 450)
        for y in ys + random.normal(0, 4, 60):
            counter.update([standing(x, y, identity)])
    expected = {"in": (directions == "in").sum(), "out": (directions == "out").sum()}
    assert counter.counts["door"] == expected


def test_a_zone_is_entered_and_left() -> None:
    counter = CrossingCounter([ROOM])
    way = [(x, 200) for x in range(0, 401, 10)]
    events = walk(counter, way[:20])
    assert [event.direction for event in events] == ["in"]
    assert counter.counts["room"]["inside"] == 1
    events = walk(counter, way[20:])
    assert events == [Event("zone", "room", "out", 1, "person")]
    assert counter.counts["room"]["inside"] == 0


def test_who_is_first_seen_in_a_zone_has_not_come_in() -> None:
    counter = CrossingCounter([ROOM])
    assert walk(counter, [(200, 200), (210, 200)]) == []
    assert counter.counts["room"]["inside"] == 1
    assert counter.counts["room"] == {"in": 0, "out": 0, "inside": 1}


def test_a_crossing_while_hidden_is_counted() -> None:
    counter = CrossingCounter([ACROSS])
    counter.update([standing(300, 170)])
    for _ in range(20):
        assert counter.update([]) == ()
    assert len(counter.update([standing(300, 230)])) == 1


def test_several_objects_at_several_borders() -> None:
    counter = CrossingCounter([ACROSS, ROOM])
    for y in range(50, 350, 5):
        counter.update([standing(200, y, 1), standing(450, 400 - y, 2), standing(600, y, 3)])
    assert counter.counts == {"door": {"in": 1, "out": 1}, "room": {"in": 1, "out": 1, "inside": 0}}


def test_detections_without_an_id_are_not_counted() -> None:
    counter = CrossingCounter([ACROSS])
    for y in range(100, 301, 7):
        feet = standing(300, y)
        assert counter.update([Detection("person", 0, 0.9, feet.box)]) == ()


def test_a_long_stream_forgets_who_is_gone() -> None:
    counter = CrossingCounter([ACROSS])
    for identity in range(5000):
        counter.update([standing(300, 100, identity)])
    assert len(counter._tallies["door"].seen) <= 2000


def test_two_borders_of_one_name_are_refused() -> None:
    with raises_code("duplicate-name", found="'door'"):
        CrossingCounter([ACROSS, Zone("door", ROOM.corners)])


def test_a_border_that_stays_keeps_its_counts_and_one_that_is_moved_starts_again() -> None:
    counter = CrossingCounter([ACROSS, ROOM])
    walk(counter, [(200, y) for y in range(50, 250, 7)])
    assert counter.counts["room"] == {"in": 1, "out": 0, "inside": 1}
    moved = Line("door", (0, 200), (500, 200))
    counter.watch([Zone("shop", ROOM.corners), moved])
    assert counter.counts == {
        "shop": {"in": 1, "out": 0, "inside": 1},
        "door": {"in": 0, "out": 0},
    }
    walk(counter, [(200, y) for y in range(250, 400, 7)])
    assert counter.counts["shop"] == {"in": 1, "out": 1, "inside": 0}
