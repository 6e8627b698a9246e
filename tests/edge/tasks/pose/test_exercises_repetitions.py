"""Exercises are counted as a trainer counts them."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
import stick_figures

from edge.results import Pose
from edge.tasks.pose import exercises
from edge.tasks.pose.exercises import RepetitionCounter

FPS = 15

Step = Callable[[float], Pose]


def squat(share: float) -> Pose:
    return stick_figures.pose(knee=175 - 95 * share, lean=30 * share)


def push_up(share: float) -> Pose:
    return stick_figures.pose(elbow=170 - 90 * share, arm=80 - 40 * share, lean=80)


def jumping_jack(share: float) -> Pose:
    return stick_figures.pose(arm=10 + 150 * share, apart=50 * share)


def curl(share: float) -> Pose:
    return stick_figures.pose(elbow=165 - 130 * share)


def moving(step: Step, times: float, seconds: float = 2.0) -> Iterator[Pose]:
    """A pose for each frame, while a movement is made so many times."""
    for frame in range(round(times * seconds * FPS) + 1):
        yield step((1 - np.cos(2 * np.pi * frame / FPS / seconds)) / 2)


def counted(
    poses: Iterator[Pose] | Sequence[Pose], counter: RepetitionCounter | None = None
) -> dict[str, int]:
    counter = counter or RepetitionCounter(exercises.read())
    events = []
    for frame, pose in enumerate(poses):
        events += counter.update([pose], frame / FPS)
    for name, count in counter.counts.items():
        assert [event.count for event in events if event.name == name] == [*range(1, count + 1)]
    return {name: count for name, count in counter.counts.items() if count}


@pytest.mark.parametrize("seconds", [0.8, 2.0, 6.0])
@pytest.mark.parametrize(
    ("step", "names"),
    [
        (squat, {"squat"}),
        (push_up, {"push_up"}),
        (jumping_jack, {"jumping_jack"}),
        (curl, {"left_biceps_curl", "right_biceps_curl"}),
    ],
)
def test_each_exercise_is_counted_and_no_other(step: Step, names: set[str], seconds: float) -> None:
    assert counted(moving(step, 5, seconds)) == dict.fromkeys(names, 5)


def test_half_a_movement_is_none() -> None:
    assert counted(moving(squat, 2.5)) == {"squat": 2}  # ends below
    assert counted([squat(0.5 * (1 - np.cos(frame / 3)) / 2) for frame in range(99)]) == {}


def test_bent_knees_alone_are_no_squat() -> None:
    """As they are guessed of somebody who stands in a long coat."""
    assert counted(moving(lambda share: stick_figures.pose(knee=175 - 95 * share), 5)) == {}


def test_trembling_around_the_border_counts_once() -> None:
    down = [squat(share) for share in np.linspace(0, 1, 15)]
    tremble = [squat(0.63 + 0.04 * (-1) ** frame) for frame in range(20)]
    assert counted([*down, *tremble, *down[::-1]]) == {"squat": 1}


def test_a_keypoint_that_jumps_for_one_frame_counts_nothing() -> None:
    still = [squat(0.0)] * 20
    assert counted([*still, squat(1.0), *still]) == {}


def test_hidden_joints_neither_count_nor_lose_a_repetition() -> None:
    random = np.random.default_rng(3)
    names = tuple(name for name in stick_figures.places() if name != "nose")

    def partly(share: float) -> Pose:
        hidden = tuple(name for name in names if random.random() < 0.1)
        return stick_figures.pose(hidden, knee=175 - 95 * share, lean=30 * share)

    assert counted(moving(partly, 6, 3.0)) == {"squat": 6}


def test_who_went_away_does_not_finish_the_repetition_of_another() -> None:
    counter = RepetitionCounter(exercises.read())
    for time, share in ((0.0, 0.0), (0.5, 1.0), (9.0, 0.0), (9.5, 0.5)):
        assert counter.update([squat(share)], time) == ()
    assert not any(counter.counts.values())


def test_one_person_is_counted_among_others() -> None:
    counter = RepetitionCounter(exercises.read())
    events = []
    for frame, pose in enumerate(moving(squat, 3)):
        passing = stick_figures.pose(shift=40 * frame - 900, size=0.9)
        people = [pose, passing] if frame % 2 else [passing, pose]
        events += counter.update(people, frame / FPS)
    assert [event.count for event in events] == [1, 2, 3]


def test_an_empty_image_is_no_error() -> None:
    assert RepetitionCounter(exercises.read()).update([], 0.0) == ()
