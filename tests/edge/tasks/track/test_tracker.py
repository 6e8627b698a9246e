"""The task "track" takes out what its camera does between two frames."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import pytest
from errors import raises_code

from edge.frame import Frame
from edge.results import Detection, Detections
from edge.tasks.task import TaskSettings
from edge.tasks.track.tracker import Tracker
from edge.tracking.boundaries import Line

pytest.importorskip("lap", reason="the extra 'track' is not installed")

FPS = 10.0
JOLTS = (0, 40, 55, 10, 70, 20, 60, 5, 45, 15)
"""Position of the camera in pixels, frame by frame: objects are 30 px wide and 50 px apart."""


@dataclass(frozen=True)
class Seen:
    """Stands for a detector that sees two objects at rest where the camera's jolts put them."""

    threshold: float = 0.4
    finds_points: bool = False

    def postprocess(self, _: Any, frame: Frame) -> Detections:
        shift = JOLTS[frame.index % len(JOLTS)]
        boxes = [(x - shift, 100.0, x - shift + 30.0, 160.0) for x in (120.0, 170.0)]
        return Detections(tuple(Detection("cup", 0, 0.9, box) for box in boxes))

    def label(self, index: int) -> str:
        return "cup"

    def settings(self) -> TaskSettings:
        return TaskSettings(self.threshold, None, ())

    def with_settings(self, settings: TaskSettings) -> "Seen":
        return self


def textured(width: int, height: int) -> np.ndarray:
    """Return an image with large and small structures, as what a camera sees has."""
    random = np.random.default_rng(0)
    layers = [random.uniform(0, 80, (height // cell, width // cell, 3)) for cell in (50, 20, 10)]
    scaled = [cv2.resize(layer, (width, height)) for layer in layers]
    return np.sum(scaled, axis=0).astype(np.uint8)


def ids(camera: Any) -> set[tuple[int | None, ...]]:
    """Return the ids from left to right, of all frames in which both objects are reported."""
    scenery = textured(500, 300)
    task = Tracker.from_detector(Seen(), camera=camera)  # type: ignore[arg-type]
    seen = set()
    for index in range(30):
        shift = JOLTS[index % len(JOLTS)]
        image = np.ascontiguousarray(scenery[:, shift : shift + 400])
        result = task.postprocess((), Frame(index, index / FPS, image))
        rows = sorted(result.detections, key=lambda item: item.box[0])
        if len(rows) == 2:
            seen.add(tuple(item.track_id for item in rows))
    return seen


def test_a_moving_camera_costs_no_ids() -> None:
    assert ids("moving") == ids("auto") == {(1, 2)}
    assert ids("static") != {(1, 2)}


def test_an_unknown_mode_is_refused() -> None:
    with raises_code("invalid-option-value"):
        ids("shaky")


def watching(*lines: Line) -> tuple[Tracker, list[str]]:
    notes: list[str] = []
    return Tracker.from_detector(Seen(), lines, "static", notes.append), notes  # type: ignore[arg-type]


def frames(task: Tracker, count: int) -> Any:
    for index in range(count):
        result = task.postprocess((), Frame(index, index / FPS, np.zeros((300, 400, 3), np.uint8)))
    return result


def test_a_line_outside_the_first_frame_is_an_error_and_in_part_told_once() -> None:
    task, notes = watching(Line("door", (10, 200), (900, 200)))
    assert frames(task, 3).counts == {"door": {"in": 0, "out": 0}}
    assert len(notes) == 1
    assert "400 × 300" in notes[0]
    task, _ = watching(Line("door", (10, 400), (300, 400)))
    with raises_code("boundary-outside-frame"):
        frames(task, 1)


def test_lines_are_settings_that_apply_from_the_next_frame() -> None:
    task, _ = watching(Line("door", (0, 200), (300, 200)))
    frames(task, 3)
    settings = task.settings()
    assert settings.boundaries == task.boundaries
    gate = Line("gate", (130, 0), (130, 300))
    other = task.with_settings(replace(settings, boundaries=(gate,)))
    assert set(frames(other, 10).counts) == {"gate"}
    assert set(frames(task, 1).counts) == {"door"}
    image = np.zeros((300, 400, 3), np.uint8)
    assert other.draw(image.copy(), frames(other, 1))[20, 130].min() > 200
    for wrong in ((gate, gate), (Line("far", (500, 0), (500, 300)),)):
        with raises_code("duplicate-name" if len(wrong) == 2 else "boundary-outside-frame"):
            task.with_settings(replace(settings, boundaries=wrong))


@dataclass(frozen=True)
class SeenPoints(Seen):
    """Sees the middles of five objects of 20 pixels in a column, which moves to the right."""

    finds_points: bool = True

    def postprocess(self, _: Any, frame: Frame) -> Detections:
        x = 8.0 * frame.index
        places = [(x, 40.0 + 40 * n) for n in range(5)] if x <= 400 else []
        return Detections(
            tuple(
                Detection(
                    "cup", 0, 0.9, (max(0.0, a - 10), b - 10, min(400.0, a + 10), b + 10),
                    point=(a, b),
                )
                for a, b in places
            )
        )  # fmt: skip


def test_points_are_tracked_and_counted_where_they_are() -> None:
    line = Line("gate", (200, 300), (200, 0))
    task = Tracker.from_detector(SeenPoints(), (line,), "static")  # type: ignore[arg-type]
    for index in range(49):
        image = np.zeros((300, 400, 3), np.uint8)
        result = task.postprocess((), Frame(index, index / FPS, image))
        for detection in result.detections:
            assert detection.point is not None
            # Half of the object is still outside of the frame at first.
            assert detection.point[0] == pytest.approx(8.0 * index, abs=3)
            assert detection.position == detection.point
    assert len(result.detections) == 5
    assert result.counts == {"gate": {"in": 5, "out": 0}}
    assert {detection.track_id for detection in result.detections} == {1, 2, 3, 4, 5}
    assert all(path[-1][1] in (40, 80, 120, 160, 200) for path in result.trails.values())
