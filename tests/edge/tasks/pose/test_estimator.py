"""The task "pose" on a MoveNet that sees what the test wants."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import stick_figures
import tiny_models
from errors import raises_code

from edge.errors import UsageError
from edge.frame import Frame
from edge.results import Poses
from edge.tasks.pose.estimator import PoseEstimator
from edge.tasks.pose.keypoints import COCO
from edge.tasks.task import TaskSettings

Write = Callable[..., Path]

GRAY = np.full((480, 640, 3), 90, np.uint8)


def seen(score: float = 0.9) -> np.ndarray:
    """Return MoveNet's output for the stick figure, as it stands in a frame of 640 × 480."""
    places = stick_figures.places()
    rows = [places.get(name, (300, 180)) for name in COCO]
    return np.array([((y + 80) / 640, x / 640, score) for x, y in rows])


def result(task: PoseEstimator, frame: Frame) -> Poses:
    return task.postprocess(task.runtime.invoke(*task.preprocess(frame)), frame)


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_keypoints_are_in_pixels_of_the_frame(movenet_file: Write, kind: str) -> None:
    task = PoseEstimator.open(movenet_file(seen(), kind), threads=1)
    assert not task.prefetchable
    (actual,) = result(task, Frame(0, 0.0, GRAY, "one.png")).poses
    assert [point.name for point in actual.keypoints] == list(COCO)
    for name, place in stick_figures.places().items():
        (point,) = (point for point in actual.keypoints if point.name == name)
        assert (point.x, point.y) == pytest.approx(place, abs=0.01)
    assert actual.score == pytest.approx(0.9)
    assert actual.angles["left_knee"] == pytest.approx(175, abs=0.1)


def test_pixels_reach_the_model_as_rgb_of_0_to_255(movenet_file: Write) -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[:] = (10, 20, 250)
    for kind in ("uint8", "float32"):
        (given,) = PoseEstimator.open(movenet_file(seen(), kind), threads=1).preprocess(
            Frame(0, 0.0, image)
        )
        assert given.dtype == kind
        assert given[0, 8, 8].tolist() == [250, 20, 10]
        assert not given[0, 0].any()  # beyond the frame


def test_in_a_stream_it_looks_closer_and_alone_it_does_not(movenet_file: Write) -> None:
    task = PoseEstimator.open(movenet_file(seen()), threads=1)
    marked = GRAY.copy()
    marked[300, :100] = 255
    whole = task.preprocess(Frame(0, 0.0, marked))
    result(task, Frame(0, 0.0, marked))
    closer = task.preprocess(Frame(1, 0.1, marked))
    assert not np.array_equal(whole, closer)
    assert np.array_equal(whole, task.preprocess(Frame(2, 0.2, marked, "other.png")))


def test_nobody_is_an_empty_list(movenet_file: Write) -> None:
    actual = result(PoseEstimator.open(movenet_file(seen(0.1)), threads=1), Frame(0, 0.0, GRAY))
    values = actual.to_dict()
    assert set(values.pop("counts").values()) == {0}
    assert values == {"poses": [], "events": []}
    assert actual.summary() == ""


def test_the_score_decides_what_makes_angles_and_is_drawn(movenet_file: Write) -> None:
    task = PoseEstimator.open(movenet_file(seen(0.5)), threads=1)
    strict = task.with_settings(TaskSettings(0.6, None, ()))
    assert strict.settings() == TaskSettings(0.6, None, ())
    item, other = (result(each, Frame(0, 0.0, GRAY, "x")) for each in (task, strict))
    assert item.poses[0].angles
    assert not other.poses[0].angles
    assert len(other.poses[0].keypoints) == len(COCO)  # said in any case
    assert not np.array_equal(task.draw(GRAY.copy(), item), GRAY)
    assert np.array_equal(strict.draw(GRAY.copy(), other), GRAY)
    with raises_code("invalid-option-value"):
        task.with_settings(TaskSettings(1.5, None, ()))


def test_nothing_is_counted_where_nothing_is_asked(movenet_file: Write) -> None:
    task = PoseEstimator.open(movenet_file(seen()), count=["none"], threads=1)
    assert "events" not in result(task, Frame(0, 0.0, GRAY)).to_dict()


def test_a_model_of_another_task(tmp_path: Path) -> None:
    path = tmp_path / "colors.tflite"
    path.write_bytes(tiny_models.color_model())
    with raises_code("model-wrong-task"):
        PoseEstimator.open(path)


def test_movenet_finds_one_person(movenet_file: Write) -> None:
    with raises_code("people-not-supported"):
        PoseEstimator.open(movenet_file(seen()), people=2)
    for wrong in ({"people": 0}, {"threshold": 2.0}, {"count": ["squad"]}, {"rules": "none.toml"}):
        with pytest.raises(UsageError):
            PoseEstimator.open(movenet_file(seen()), **wrong)


def test_its_delegate_dies_and_there_is_no_model_for_the_cpu(movenet_file: Write) -> None:
    with raises_code("cpu-model-missing"):
        PoseEstimator.open(movenet_file(seen()), threads=1).fallback_to_cpu()
