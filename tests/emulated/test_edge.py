"""``edge`` on an emulated board: it installs from wheels, and its results are as here."""

import json
import re
from pathlib import Path

import pytest
from emulated_root import Board

from edge.installation import DISTRIBUTION

pytestmark = pytest.mark.board


def test_the_command_is_installed(board: Board) -> None:
    assert board.edge("--version").stdout.startswith("edge, version")


def test_it_needs_no_tensorflow(board: Board) -> None:
    listed = json.loads(board.root.run("/opt/edge/bin/pip", "list", "--format=json").stdout)
    names = {package["name"].lower() for package in listed}
    assert {DISTRIBUTION, "ai-edge-litert", "numpy", "opencv-python"} <= names
    assert not names & {"tensorflow", "keras", "tf-keras", "scipy", "matplotlib", "mediapipe"}


def test_images_are_classified_as_here(board: Board, test_data: Path, run_edge) -> None:  # type: ignore[no-untyped-def]
    models = test_data / "models"
    model, labels = "mobilenet_v1_0.25_128_quant.tflite", "imagenet_labels.txt"
    remote = board.edge(
        "classify", f"/data/{model}", "/data/images", "--labels", f"/data/{labels}",
        "--threads", 1, "--json",
    )  # fmt: skip
    local = run_edge(
        "classify", models / model, board.root.folder / "data/images", "--labels",
        models / labels, "--threads", 1, "--json",
    )  # fmt: skip
    results = [_best(done.stdout) for done in (remote, local)]
    assert results[0].keys() == results[1].keys() == {"cat.jpg", "parrot.jpg"}
    for name, (label, score) in results[0].items():
        assert label == results[1][name][0]
        assert score == pytest.approx(results[1][name][1], abs=0.03)


def _best(output: str) -> dict[str, tuple[str, float]]:
    best = {Path(entry["file"]).name: entry["classes"][0] for entry in json.loads(output)}
    return {name: (first["label"], first["score"]) for name, first in best.items()}


def test_the_demo_classifies_a_file(board: Board) -> None:
    done = board.edge(
        "demo", "classify", "--model", "/data/mobilenet_v1_0.25_128_quant.tflite",
        "--labels", "/data/imagenet_labels.txt", "--threads", 1,
        "--source", "/data/images", "--sink", "jsonl:-",
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(line["file"]).name for line in lines] == ["cat.jpg", "parrot.jpg"]
    assert lines[1]["classes"][0]["label"] == "macaw"


def test_the_demo_detects_in_a_file_and_records(board: Board) -> None:
    done = board.edge(
        "demo", "detect", "--model", "/data/coco_ssd_mobilenet_v1_1.0_quant.tflite",
        "--labels", "/data/coco_ssd_labels.txt", "--threads", 1,
        "--source", "/data/images/cat.jpg", "--sink", "jsonl:-", "--sink", "/tmp/cat.mkv",
    )  # fmt: skip
    (line,) = map(json.loads, done.stdout.splitlines())
    assert line["detections"][0]["label"] == "cat"
    recorded = (board.root.folder / "tmp/cat.mkv").read_bytes()
    assert recorded[:4] == b"\x1a\x45\xdf\xa3"


def test_the_demo_detects_in_a_video(board: Board) -> None:
    done = board.edge(
        "demo", "detect", "--model", "/data/coco_ssd_mobilenet_v1_1.0_quant.tflite",
        "--labels", "/data/coco_ssd_labels.txt", "--threads", 1,
        "--source", "/data/people.gif", "--frames", 2, "--sink", "jsonl:-",
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["frame"] for line in lines] == [0, 1]
    assert any(entry["label"] == "person" for entry in lines[0]["detections"])


def test_it_learns_a_folder_at_once(board: Board, run_edge) -> None:  # type: ignore[no-untyped-def]
    board.edge("teach", "/data/shapes", "--once", "-o", "/tmp/taught")
    assert _right(run_edge, board.root.folder / "tmp/taught/model.tflite", board) > 0.9


def test_it_converts_a_folder_with_the_extra_convert(
    board: Board, converting: str, run_edge  # type: ignore[no-untyped-def]
) -> None:  # fmt: skip
    listed = board.root.run("/opt/convert/bin/pip", "list", "--format=freeze").stdout.lower()
    assert "h5py==" in listed
    assert not {"tensorflow", "scipy", "scikit-learn"} & set(re.split("==|\n", listed))
    done = board.root.run(
        converting, "convert", "/data/shapes", "-o", "/tmp/converted", "--weights", "builtin",
        "--size", 96, "--fine-tune", "never", check=False,
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    out = board.root.folder / "tmp/converted"
    assert "<svg" in (out / "report.html").read_text()
    assert _right(run_edge, out / "model.tflite", board) > 0.9


def _right(run_edge, model: Path, board: Board) -> float:  # type: ignore[no-untyped-def]
    """Return the share of shapes that a model of the board names right here."""
    done = run_edge("classify", model, board.root.folder / "data/shapes", "--json")
    results = json.loads(done.stdout)
    right = [entry["classes"][0]["label"] == Path(entry["file"]).parent.name for entry in results]
    assert right
    return sum(right) / len(right)
