"""Objects keep their ids: through crossings, hidden, missed, beside false detections."""

import numpy as np
import pytest

from edge.tracking.state import Tracks
from edge.tracking.tracker import MultiObjectTracker

pytestmark = pytest.mark.usefixtures("solver")

NOTHING = (np.empty((0, 4)), np.empty(0))


def person(x: float, y: float = 300.0, height: float = 100.0) -> list[float]:
    """The box of a person whose feet are at x, y."""
    return [x - 0.2 * height, y - height, x + 0.2 * height, y]


def show(
    tracker: MultiObjectTracker, *people: list[float], score: float = 0.9, **more: object
) -> Tracks:
    boxes = np.array(people, np.float64).reshape(-1, 4)
    return tracker.update(boxes, np.full(len(boxes), score), **more)  # type: ignore[arg-type]


def at(tracks: Tracks, x: float) -> int:
    """The id of the track whose middle is nearest to x, within 20 px."""
    middles = (tracks.boxes[:, 0] + tracks.boxes[:, 2]) / 2
    nearest = np.abs(middles - x).argmin()
    assert abs(middles[nearest] - x) < 20
    return int(tracks.ids[nearest])


def test_ids_are_small_and_stay() -> None:
    tracker = MultiObjectTracker()
    for frame in range(30):
        tracks = show(tracker, person(100 + 3 * frame), person(500 - 3 * frame))
    assert tracks.ids.tolist() == [1, 2]
    assert tracks.rows.tolist() == [0, 1]
    assert tracks.boxes[0] == pytest.approx(person(187), abs=2)


@pytest.mark.parametrize("hidden", [3, 10, 30])
def test_an_id_survives_being_hidden(hidden: int) -> None:
    tracker = MultiObjectTracker()
    for frame in range(20):
        show(tracker, person(100 + 4 * frame))
    for _ in range(hidden):
        show(tracker)
    for frame in range(20 + hidden, 25 + hidden):
        tracks = show(tracker, person(100 + 4 * frame))
    assert tracks.ids.tolist() == [1]


@pytest.mark.parametrize("seed", range(5))
def test_people_who_cross_keep_their_ids(seed: int) -> None:
    random = np.random.default_rng(seed)
    tracker = MultiObjectTracker()
    for frame in range(60):
        left, right = 100 + 6 * frame, 460 - 6 * frame
        seen = [person(left + random.normal(0, 2)), person(right + random.normal(0, 2), 306, 110)]
        tracks = show(tracker, *(seen[1:] if 27 <= frame <= 33 else seen))
    assert tracks.ids.tolist() == [1, 2]
    first, second = (at(tracks, x) for x in (454, 106))
    assert (first, second) == (1, 2)


def test_a_short_miss_is_bridged_along_the_way() -> None:
    tracker = MultiObjectTracker()
    for frame in range(20):
        show(tracker, person(100 + 4 * frame))
    tracks = show(tracker)
    assert tracks.ids.tolist() == [1]
    assert tracks.rows.tolist() == [-1]
    assert tracks.boxes[0] == pytest.approx(person(180), abs=3)
    assert tracks.scores == pytest.approx([0.9])


def test_who_is_gone_is_no_longer_reported() -> None:
    tracker = MultiObjectTracker()
    for _ in range(10):
        show(tracker, person(100))
    counts = [len(show(tracker).ids) for _ in range(10)]
    assert counts[-1] == 0
    assert not tracker.idle
    for _ in range(60):
        show(tracker)
    assert tracker.idle


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
def test_misses_are_bridged_for_as_many_seconds_at_every_frame_rate(fps: float) -> None:
    tracker = MultiObjectTracker()
    for frame in range(int(3 * fps)):
        show(tracker, person(100 + 40 * frame / fps), seconds=1 / fps)
    missed = 0.0
    while len(show(tracker, seconds=1 / fps).ids):
        missed += 1 / fps
    assert 0.3 <= missed <= 0.8


def test_who_is_known_for_longer_is_bridged_for_longer() -> None:
    def bridged(frames: int) -> int:
        tracker = MultiObjectTracker()
        for _ in range(frames):
            show(tracker, person(100))
        return next(missed for missed in range(100) if not len(show(tracker).ids))

    assert bridged(2) < bridged(20)


def test_who_left_the_image_is_not_reported() -> None:
    inside, known = MultiObjectTracker(), MultiObjectTracker(size=(200, 400))
    for x in range(120, 180, 4):
        show(inside, person(x))
        tracks = show(known, person(x))
        assert tracks.ids.tolist() in ([], [1])
    assert tracks.ids.tolist() == [1]
    assert show(inside).ids.tolist() == [1]
    assert show(known).ids.tolist() == []


def test_an_object_far_faster_than_people_keeps_its_id() -> None:
    """A car: 4 of its heights a second, and it brakes."""
    tracker = MultiObjectTracker()
    x = 0.0
    for frame in range(60):
        x += 27 if frame < 30 else 2
        tracks = tracker.update(np.array([[x, 200, x + 200, 300]]), np.array([0.9]))
    assert tracks.ids.tolist() == [1]
    assert tracks.rows.tolist() == [0]


def test_the_visible_part_keeps_the_track() -> None:
    tracker = MultiObjectTracker()
    for _ in range(15):
        show(tracker, person(100))
    upper_half = [80.0, 200.0, 120.0, 245.0]
    for _ in range(5):
        tracks = show(tracker, upper_half)
    assert tracks.ids.tolist() == [1]
    assert tracks.boxes[0, 3] > 260  # it is known to be larger than what is seen


def test_false_detections_become_no_tracks() -> None:
    random = np.random.default_rng(0)
    tracker = MultiObjectTracker()
    for _ in range(300):
        ghosts = [person(*random.uniform(100, 1800, 2)) for _ in range(2)]
        tracks = show(tracker, person(50), *ghosts, score=0.8)
    assert tracks.ids.tolist() == [1]


def test_doubles_of_a_detection_become_no_tracks() -> None:
    tracker = MultiObjectTracker()
    for _ in range(5):
        show(tracker, person(100))
    for _ in range(30):
        tracks = show(tracker, person(100), person(104), [85, 205, 115, 250])
    assert tracks.ids.tolist() == [1]


def test_the_better_one_of_two_doubles_is_followed() -> None:
    tracker = MultiObjectTracker()
    boxes = np.array([person(104), person(100)])
    for _ in range(5):
        tracks = tracker.update(boxes, np.array([0.5, 0.9]))
    assert tracks.rows.tolist() == [1]


def test_doubtful_detections_are_believed_later() -> None:
    def frames_until_believed(score: float) -> int:
        tracker = MultiObjectTracker()
        return next(n for n in range(1, 100) if len(show(tracker, person(9), score=score).ids))

    assert frames_until_believed(0.95) == 2
    assert 2 < frames_until_believed(0.7) < frames_until_believed(0.5) < 10


def test_weak_detections_hold_a_track_and_start_none() -> None:
    tracker, weak = MultiObjectTracker(), MultiObjectTracker()
    for _ in range(5):
        show(tracker, person(100))
    for _ in range(20):
        tracks = show(tracker, person(100), score=0.2)
        assert show(weak, person(100), score=0.2).ids.tolist() == []
    assert tracks.rows.tolist() == [0]
    assert weak.idle


def test_a_track_stays_within_its_class() -> None:
    tracker = MultiObjectTracker()
    box = np.array([person(100)])
    for _ in range(5):
        tracker.update(box, np.array([0.9]), np.array([3]))
    for _ in range(5):
        tracks = tracker.update(box, np.array([0.9]), np.array([7]))
    assert tracks.ids.tolist() == [2]
    assert tracks.classes.tolist() == [7]


def test_objects_of_two_classes_in_one_place_are_two() -> None:
    tracker = MultiObjectTracker()
    boxes = np.array([person(100), person(100)])
    for _ in range(5):
        tracks = tracker.update(boxes, np.array([0.9, 0.8]), np.array([0, 1]))
    assert tracks.classes.tolist() == [0, 1]


@pytest.mark.parametrize("every", [2, 3])
def test_frames_that_were_dropped_are_taken_into_account(every: int) -> None:
    tracker = MultiObjectTracker()
    for frame in range(30):
        tracks = show(tracker, person(100 + 5 * frame))
    for frame in range(29 + every, 60, every):
        tracks = show(tracker, person(100 + 5 * frame), seconds=every / 15)
        assert tracks.ids.tolist() == [1]
    assert tracks.rows.tolist() == [0]


def test_boxes_that_are_none_are_left_out() -> None:
    tracker = MultiObjectTracker()
    nan, inf = float("nan"), float("inf")
    good = person(100)
    bad = [[nan, 0, 9, 9], [0, 0, inf, 9], [5, 5, 5, 9], [9, 9, 5, 5]]
    for _ in range(5):
        tracks = tracker.update(np.array([*bad, good]), np.array([0.9] * 5))
        unsure = MultiObjectTracker().update(np.array([good]), np.array([nan]))
    assert tracks.ids.tolist() == [1]
    assert tracks.rows.tolist() == [4]
    assert np.isfinite(tracks.boxes).all()
    assert len(unsure.ids) == 0


def test_no_detections_at_all() -> None:
    tracker = MultiObjectTracker()
    for _ in range(3):
        tracks = tracker.update(*NOTHING)
        assert tracks.boxes.shape == (0, 4)
        assert len(tracks.ids) == len(tracks.scores) == len(tracks.rows) == 0


@pytest.mark.parametrize(
    ("boxes", "scores", "classes"),
    [
        (np.zeros((2, 4)), np.zeros(3), None),
        (np.zeros((2, 5)), np.zeros(2), None),
        (np.zeros((2, 4)), np.zeros(2), np.zeros(1)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray | None
) -> None:
    with pytest.raises(ValueError, match="boxes"):
        MultiObjectTracker().update(boxes, scores, classes)


def test_time_does_not_stand_still() -> None:
    with pytest.raises(ValueError, match="seconds"):
        MultiObjectTracker().update(*NOTHING, seconds=0)


def test_what_is_given_is_left_as_it_is_and_nothing_is_random() -> None:
    random = np.random.default_rng(0)
    frames = [random.uniform(0, 500, (8, 2)) for _ in range(20)]
    given = [np.concatenate([place, place + 40], axis=1) for place in frames]
    copies = [boxes.copy() for boxes in given]
    first, second = MultiObjectTracker(), MultiObjectTracker()
    for boxes in given:
        item = first.update(boxes, np.full(8, 0.9))
        other = second.update(boxes, np.full(8, 0.9))
        assert (item.boxes == other.boxes).all() and (item.ids == other.ids).all()
    assert all((a == b).all() for a, b in zip(given, copies, strict=True))
