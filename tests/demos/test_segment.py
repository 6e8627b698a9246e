"""`edge demo segment` as a user runs it, on a tiny model."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import mask_models
import numpy as np
import pytest
from errors import error_code

from edge.installation import install_command
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.tasks.segment.segmenter import SELFIE, default_model

RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]
BLUE, GREEN = (255, 0, 0), (0, 255, 0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.tflite"
    about = ModelMetadata(labels=("background", "grass", "sky"), mean=(127.5,), std=(127.5,))
    path.write_bytes(write_metadata(mask_models.scores_model(), about))
    return path


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("image") / "view.png"
    cv2.imwrite(str(path), mask_models.halves(BLUE, GREEN))
    return path


def test_lines_and_images(run_edge: RunEdge, model: Path, image: Path, tmp_path: Path) -> None:
    done = run_edge(
        "demo", "segment", "--model", model, "--source", image, "--classes", "sky",
        "--sink", "jsonl:-", "--sink", f"frames:{tmp_path}", "--background", "white",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (line,) = map(json.loads, done.stdout.splitlines())
    assert line["task"] == "segment"
    assert line["segments"] == [
        {"label": "sky", "index": 2, "share": 0.5, "box": [0.0, 0.0, 32.0, 48.0]}
    ]
    (created,) = tmp_path.glob("*.jpg")
    drawn = cv2.imread(str(created))
    assert np.abs(drawn[5, 5].astype(int) - BLUE).max() < 40
    assert drawn[5, -5].min() > 215


@pytest.mark.parametrize(
    ("arguments", "code", "values"),
    [
        (("--classes", "skye"), "unknown-class", "'sky'"),
        (("--background", "blurr"), "unknown-background", "'blur'"),
        (("--background", "no/such.jpg"), "image-unreadable", "no/such.jpg"),
        (("--threshold", "2"), "invalid-option-value", "2"),
        (("--labels", "no/labels.txt"), "labels-unreadable", "no/labels.txt"),
        (("--model", "deeplab_v3_pascal"), "unknown-model", "deeplabv3_pascal"),
    ],
)
def test_bad_input_is_one_clear_line(
    run_here: RunEdge,
    model: Path,
    image: Path,
    arguments: tuple[str, ...],
    code: str,
    values: str,
) -> None:
    command = ("demo", "segment", "--model", model, "--source", image, "--sink", "none")
    done = run_here(*command, *arguments)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("edge: ")]
    assert values in line
    assert error_code(line) == code
    assert "Traceback" not in done.stderr


@pytest.mark.realdata
def test_without_a_model_people_are_found(run_edge: RunEdge, test_data: Path) -> None:
    if default_model() == SELFIE:
        pytest.skip(f"no mediapipe with models: {install_command('pose')}")
    portrait = test_data / "images/portrait.jpg"
    done = run_edge("demo", "segment", "--source", portrait, "--sink", "jsonl:-")
    assert done.returncode == 0, done.stderr
    (line,) = map(json.loads, done.stdout.splitlines())
    assert [item["label"] for item in line["segments"]] == ["person"]
