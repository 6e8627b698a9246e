"""`edge demo pose` as a user runs it."""

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from errors import error_code

import edge

RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]

SCHEMA = json.loads((Path(edge.__file__).parent / "results.schema.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "code", "values"),
    [
        (("--model", "hand.task"), "invalid-pose-bundle", "hand.task"),
        (("--model", "colors.tflite"), "model-wrong-task", "colors.tflite"),
        (("--model", "movenet_lightening"), "unknown-model", "movenet_lightning"),
        (("--count", "squad"), "unknown-exercise", "'squat'"),
        (("--rules", "none.toml"), "file-unreadable", "none.toml"),
        (("--threshold", "2"), "invalid-option-value", "2"),
    ],
)
def test_bad_input_is_one_clear_line(
    run_here: RunEdge, tmp_path: Path, arguments: tuple[str, ...], code: str, values: str
) -> None:
    with zipfile.ZipFile(tmp_path / "hand.task", "w") as archive:
        archive.writestr("hand_detector.tflite", b"x")
    (tmp_path / "colors.tflite").write_bytes(tiny_models.color_model())
    done = run_here(
        "demo", "pose", *arguments, "--source", "synthetic:", "--sink", "none", cwd=tmp_path
    )
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("edge: ")]
    assert values in line
    assert error_code(line) == code
    assert "Traceback" not in done.stderr


@pytest.mark.realdata
@pytest.mark.parametrize("model", ["movenet_single_pose_lightning_ptq.tflite", None])
def test_squats_are_told_line_by_line(
    run_edge: RunEdge, test_data: Path, tmp_path: Path, model: str | None
) -> None:
    if model is None:
        from edge.tasks.pose import landmarker

        if not (landmarker.installed() or "").startswith("0.10"):
            pytest.skip("no mediapipe that carries its models")
    chosen = () if model is None else ("--model", test_data / "models" / model)
    stats, frames = tmp_path / "stats.json", tmp_path / "frames"
    done = run_edge(
        "demo", "pose", *chosen, "--source", test_data / "video/pose_squats.mp4",
        "--sink", "jsonl:-", "--sink", f"frames:{frames}", "--stats", stats,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for noise in ("W0000", "I0000", "INFO", "WARNING", "Traceback"):  # as MediaPipe logs
        assert noise not in done.stderr
    jsonschema = pytest.importorskip("jsonschema")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(list(frames.glob("*.jpg"))) == 65
    for line in lines:
        jsonschema.validate(line, SCHEMA)
        (pose,) = line["poses"]
        assert len(pose["keypoints"]) == (33 if model is None else 17)
        assert all(("z" in point) == (model is None) for point in pose["keypoints"])
        assert np.all([0 <= point["score"] <= 1 for point in pose["keypoints"]])
    events = [event for line in lines for event in line["events"]]
    assert events == [{"kind": "repetition", "name": "squat", "count": n} for n in (1, 2)]
    values = json.loads(stats.read_text())
    assert values["interpreter"].startswith("mediapipe" if model is None else "ai-edge-litert")
