"""The mirror on a real video: each frame finds itself, also mirrored or in another size."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.errors import EdgeError
from edge.frame import Frame
from edge.results import PoseMatch
from edge.sources import open_source
from edge.tasks.pose import bundle
from edge.tasks.pose_match.task import PoseMatcher

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module", params=["movenet", "mediapipe"])
def opened(request: pytest.FixtureRequest, test_data: Path) -> Callable[[], PoseMatcher]:
    if request.param == "movenet":
        model = test_data / "models/movenet_single_pose_lightning_ptq.tflite"
    else:
        try:
            model = bundle.wheel_bundle()
        except EdgeError as error:
            pytest.skip(str(error))
    return lambda: PoseMatcher.open(test_data / "video/pose_squats.mp4", model)


@pytest.fixture(scope="module")
def frames(test_data: Path) -> list[Frame]:
    source = open_source(str(test_data / "video/pose_squats.mp4"))
    read = list(iter(source.read, None))
    source.close()
    assert len(read) == 65
    return read


def matches(
    task: PoseMatcher, frames: list[Frame], change: Callable[[Any], Any] = lambda image: image
) -> list[PoseMatch]:
    actual = []
    for frame in frames:
        shown = replace(frame, image=np.asarray(change(frame.image), np.uint8))
        result = task.postprocess(task.runtime.invoke(*task.preprocess(shown)), shown)
        assert result.match is not None
        actual.append(result.match)
    return actual


def test_a_frame_finds_itself(opened: Callable[[], PoseMatcher], frames: list[Frame]) -> None:
    actual = matches(opened(), frames)
    assert [item.frame for item in actual] == [frame.index for frame in frames]
    assert min(item.similarity for item in actual) > 0.9999
    assert not any(item.mirrored for item in actual)


@pytest.mark.parametrize(
    ("change", "turned"),
    [(lambda item: cv2.resize(item, (360, 640)), False), (lambda item: cv2.flip(item, 1), True)],
    ids=["smaller", "mirrored"],
)
def test_also_in_another_size_and_mirrored(
    opened: Callable[[], PoseMatcher],
    frames: list[Frame],
    change: Callable[[Any], Any],
    turned: bool,
) -> None:
    """Keypoints differ a little there: among frames of one pose another one may be closer."""
    task = opened()
    actual = matches(task, frames, change)
    assert [item.mirrored for item in actual] == [turned] * len(frames)
    assert min(item.similarity for item in actual) > 0.99
    poses = task.index.database.vectors
    alike = [float(poses[item.frame or 0] @ poses[i]) for i, item in enumerate(actual)]
    assert min(alike) > 0.995
    itself = np.mean([abs((item.frame or 0) - i) <= 2 for i, item in enumerate(actual)])
    assert itself >= (0.85 if "mediapipe" in task.runtime.package else 0.65)
