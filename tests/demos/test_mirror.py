"""`edge demo mirror` as a user runs it, with MoveNet on a real video."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from errors import error_code

pytestmark = pytest.mark.realdata
RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(test_data: Path) -> tuple[object, ...]:
    model = test_data / "models/movenet_single_pose_lightning_ptq.tflite"
    source = test_data / "video/pose_squats.mp4"
    return "demo", "mirror", "--model", model, "--source", source, "--frames", "5"


def test_lines_and_images(
    run_edge: RunEdge, command: tuple[object, ...], test_data: Path, tmp_path: Path
) -> None:
    done = run_edge(*command, "--index", test_data / "images", "--sink", "jsonl:-",
                    "--sink", f"frames:{tmp_path}")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"poses of {test_data / 'images'}" in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    names = {path.name for path in (test_data / "images").iterdir()}
    for line in lines:
        assert line["task"] == "mirror"
        assert len(line["poses"]) == 1
        assert line["match"]["name"] in names
        assert 0 < line["match"]["similarity"] <= 1
    images = [cv2.imread(str(path)) for path in tmp_path.glob("*.jpg")]
    assert [image.shape for image in images] == [(1280, 1440, 3)] * 5


@pytest.mark.parametrize(
    ("index", "code", "values"),
    [
        ("{tmp}/nothing", "source-not-found", "nothing"),
        ("{tmp}/empty", "no-images", "empty"),
        ("{tmp}/gray.png", "no-poses-found", "gray.png"),
        ("0", "index-not-a-file", "--index 0"),
    ],
)
def test_bad_input_is_one_clear_line(
    run_edge: RunEdge,
    command: tuple[object, ...],
    tmp_path: Path,
    index: str,
    code: str,
    values: str,
) -> None:
    (tmp_path / "empty").mkdir()
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((200, 200, 3), 90, np.uint8))
    done = run_edge(*command, "--index", index.format(tmp=tmp_path), "--sink", "none")
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("edge: ")]
    assert values in line
    assert error_code(line) == code
    assert "Traceback" not in done.stderr


def test_a_model_of_another_task(
    run_edge: RunEdge, command: tuple[object, ...], test_data: Path
) -> None:
    other = test_data / "models/mobilenet_v2_1.0_224_quant.tflite"
    done = run_edge(*command, "--index", test_data / "images", "--model", other, "--sink", "none")
    assert done.returncode == 2
    assert error_code(done.stderr) == "model-wrong-task"
