"""Outputs for a sink, and the context of its stream."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.frame import Output, StreamStatus
from edge.results import (
    Classification,
    ClassScore,
    Detection,
    Detections,
    Event,
    MatchedPoses,
    PoseMatch,
    Poses,
    Repetition,
    Segment,
    Segmentation,
    TrackedDetections,
)
from edge.streaming.sink import StreamContext

CAT = Classification((ClassScore("cat", 3, 0.91), ClassScore("dog", 4, 0.06)), threshold=0.5)
CAT_SEGMENT = Segment("cat", 8, 0.25, (0.0, 0.0, 32.0, 24.0))
DOG = Detection("dog", 17, 0.75, (10.0, 20.0, 30.5, 40.25), track_id=2)


@dataclass
class Stream:
    """A stream that keeps the notes of a sink."""

    fps: float | None = 10.0
    live: bool = False
    notes: list[str] = field(default_factory=list)
    stopped: int = 0

    @property
    def context(self) -> StreamContext:
        return StreamContext(self.fps, self.live, self._stop, self.notes.append)

    def _stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture
def live() -> Stream:
    return Stream(live=True)


@pytest.fixture
def output() -> Callable[..., Output]:
    """An output of frame ``index``; keywords replace its fields, ``gray`` makes its image."""

    def make(
        index: int = 0, gray: int = 128, size: tuple[int, int] = (64, 48), **with_: Any
    ) -> Output:
        fields: dict[str, Any] = {
            "time_s": index / 10,
            "name": "",
            "task": "classify",
            "result": CAT,
            "status": StreamStatus(29.9, 3.4, 12.0, 0, "cpu"),
            "captured": 0.0,
            "image": np.full((size[1], size[0], 3), gray, np.uint8),
        }
        return Output(index=index, **(fields | with_))

    return make


@pytest.fixture
def results() -> dict[str, list[Any]]:
    """Results of all tasks, by task."""
    crossed = Event("line", "door", "in", 2, "dog")
    mask = np.zeros((48, 64), np.uint8)
    return {
        "classify": [CAT, Classification(CAT.classes), Classification(CAT.classes, 0.95)],
        "detect": [
            Detections(()),
            Detections((Detection("kite", 37, 0.5, (0.0, 0.0, 9.0, 9.0)),)),
            Detections((Detection("seed", 0, 0.5, (0.0, 0.0, 9.0, 9.0), point=(4.5, 4.5)),)),
        ],
        "track": [
            TrackedDetections((DOG,), (crossed,), counts={"door": {"in": 1, "out": 0}}),
            TrackedDetections((), (), counts={"shop": {"in": 0, "out": 2, "inside": 1}}),
        ],
        "pose": [Poses((), (Repetition("squat", 3),), {"squat": 3, "push_up": 0})],
        "mirror": [
            MatchedPoses(()),
            MatchedPoses((), match=PoseMatch("a.mp4", 3, 0.97, True, Path("a.jpg"))),
        ],
        "segment": [Segmentation((), mask), Segmentation((CAT_SEGMENT,), mask, mask)],
    }
