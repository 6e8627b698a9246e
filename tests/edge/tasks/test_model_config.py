"""A TOML file next to a model says how to normalize pixels, and what its head is."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tiny_models
from errors import raises_code

import edge
from edge.frame import Frame
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.modelfile.normalization import Normalization, normalization
from edge.tasks.model_config import find_config, read_model_config

SSD = 'head = "ssd"\n'
RED = np.full((48, 64, 3), (0, 0, 255), np.uint8)
UNIT, RAW = ("mean = 0\nstd = 255\n", (0.0, 1.0)), ("mean = [0]\nstd = [1]\n", (0.0, 255.0))


def test_a_described_normalization(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(SSD + "mean = 127.5\nstd = [58, 57, 57.5]\n")
    described = read_model_config(path)
    assert described.normalization == Normalization((127.5,), (58, 57, 57.5))
    path.write_text(SSD)
    assert read_model_config(path).normalization is None
    path.write_text("mean = 0\nstd = 1\n")  # without a head, for every task
    assert (read_model_config(path).head, read_model_config(path).normalization) == (
        None,
        Normalization((0.0,), (1.0,)),
    )


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('head = "yolo-gird"', {"fix": "'yolo-grid'"}),
        ("letterbox = true", {"expected": "head = "}),
        ('head = "ssd"\nletterbox = 3', {"found": "letterbox = 3"}),
        ('head = "yolo-grid"\nanchors = { x = [[1, 2]] }', {"expected": "head.toml"}),
        (SSD + "mean = [1, 2]\nstd = [1]", {"found": "mean = [1, 2]"}),
        (SSD + 'mean = ["0"]\nstd = [1]', {"found": "mean = ['0']"}),
        (SSD + "mean = [0]\nstd = [1, nan, 1]", {"found": "std = [1, nan, 1]"}),
        (SSD + "mean = [0]\nstd = [255, 0, 255]", {"found": "std = [255, 0, 255]"}),
        (SSD + "mean = [0]", {"found": "mean without std"}),
        (SSD + "std = [255]", {"found": "std without mean"}),
    ],
)
def test_a_bad_description_says_what_is_wrong(
    tmp_path: Any, text: str, fields: dict[str, str]
) -> None:
    path = tmp_path / "head.toml"
    path.write_text(text)
    with raises_code("invalid-config", kind="UsageError", **fields):
        read_model_config(path)


@pytest.mark.parametrize(
    ("text", "code", "fields"),
    [
        ('hed = "ssd"', "unknown-key", {"fix": "'head'"}),
        ("head = ", "invalid-toml", {"found": "head.toml"}),
    ],
)
def test_a_description_that_is_not_one_is_named(
    tmp_path: Any, text: str, code: str, fields: dict[str, str]
) -> None:
    path = tmp_path / "head.toml"
    path.write_text(text)
    with raises_code(code, kind="UsageError", **fields):
        read_model_config(path)


def test_the_file_of_the_cpu_model_counts_for_the_edge_tpu_model(tmp_path: Path) -> None:
    model, compiled = tmp_path / "m.tflite", tmp_path / "m_edgetpu.tflite"
    assert find_config(model) is None
    (tmp_path / "m.toml").touch()
    assert find_config(model) == find_config(compiled) == tmp_path / "m.toml"
    (tmp_path / "m_edgetpu.toml").touch()
    assert find_config(compiled) == tmp_path / "m_edgetpu.toml"
    assert find_config(model) == tmp_path / "m.toml"


def test_numbers_of_python_and_numpy_are_taken() -> None:
    assert normalization(None, None) is None
    for mean, std in ((0, 255.0), ([0], (255,)), (np.float32(0), np.array([255]))):
        assert normalization(mean, std) == Normalization((0.0,), (255.0,))
    with raises_code("invalid-normalization", found="mean without std"):
        normalization(1, None)
    for value in ("0", True, [1, 2], [], float("nan")):
        with raises_code("invalid-normalization", found="std = "):
            normalization(0, value)  # type: ignore[arg-type]


def limits(task: Any) -> tuple[float, float]:
    """The least and the greatest value that reach the model for a red image."""
    (values,) = task.preprocess(Frame(0, 0.0, RED))
    return float(values.min()), float(values.max())


def save(folder: Path, kind: str) -> Path:
    models = {
        "classify": lambda: tiny_models.color_model("float32"),
        "detect": tiny_models.ssd_model,
        "segment": lambda: tiny_models.constant_model(8, np.zeros((1, 8, 8, 3), np.float32)),
        "pose": tiny_models.movenet_model,
    }
    path = folder / "m.tflite"
    path.write_bytes(models[kind]())
    return path


OPEN: dict[str, Any] = {
    "classify": edge.Classifier.open,
    "detect": edge.Detector.open,
    "segment": edge.Segmenter.open,
    "pose": edge.PoseEstimator.open,
}


@pytest.mark.parametrize("kind", OPEN)
def test_an_option_counts_more_than_the_file_and_that_more_than_the_metadata(
    tmp_path: Path, kind: str
) -> None:
    path = save(tmp_path, kind)
    if kind != "pose":  # MoveNet takes pixels as they are
        assert limits(OPEN[kind](path)) == (-1.0, 1.0)
        about = ModelMetadata(mean=(0.0,), std=(127.5,))
        path.write_bytes(write_metadata(path.read_bytes(), about))
        assert limits(OPEN[kind](path)) == (0.0, 2.0)
    else:
        assert limits(OPEN[kind](path)) == (0.0, 255.0)
    path.with_suffix(".toml").write_text(UNIT[0])
    assert limits(OPEN[kind](path)) == UNIT[1]
    task = OPEN[kind](path, mean=[255, 0, 0], std=(1, 1, 1))
    assert limits(task)[1] == 0.0  # the pixels of the image; MoveNet's are black around it
    assert not any("normalize" in note for note in task.notes)


def test_yolo_and_tracking_take_another_range_where_they_are_told(tmp_path: Path) -> None:
    pytest.importorskip("lap")
    path = tmp_path / "m.tflite"
    path.write_bytes(tiny_models.detector_model())
    assert limits(edge.Detector.open(path)) == (0.0, 1.0)
    assert limits(edge.Detector.open(path, mean=0, std=1)) == (0.0, 255.0)
    assert limits(edge.Tracker.open(path, mean=0, std=1)) == (0.0, 255.0)
    path.with_suffix(".toml").write_text(RAW[0])
    assert limits(edge.Tracker.open(path)) == RAW[1]


def test_the_normalization_stays_when_a_delegate_fails(tmp_path: Path) -> None:
    path = save(tmp_path, "classify")
    compiled = tmp_path / "m_edgetpu.tflite"
    compiled.write_bytes(path.read_bytes())
    task = edge.Classifier.open(compiled, mean=0, std=255)
    assert limits(task.fallback_to_cpu()) == UNIT[1]
    path.with_suffix(".toml").write_text(RAW[0])
    assert limits(edge.Classifier.open(compiled).fallback_to_cpu()) == RAW[1]


def test_a_file_for_heads_alone_replaces_the_one_next_to_the_model(tmp_path: Path) -> None:
    path = save(tmp_path, "detect")
    path.with_suffix(".toml").write_text(UNIT[0])
    (tmp_path / "head.toml").write_text(SSD + RAW[0])
    assert limits(edge.Detector.open(path, head=tmp_path / "head.toml")) == RAW[1]


def test_an_unknown_key_next_to_a_classifier_is_an_error(tmp_path: Path) -> None:
    path = save(tmp_path, "classify")
    path.with_suffix(".toml").write_text("means = 0\n")
    with raises_code("unknown-key", fix="'mean'"):
        edge.Classifier.open(path)


def test_a_bundle_contains_its_normalization(tmp_path: Path) -> None:
    bundle = tmp_path / "x.task"
    bundle.write_bytes(b"PK\x03\x04")
    with raises_code("normalization-not-supported", found="x.task"):
        edge.PoseEstimator.open(bundle, mean=0, std=255)


@pytest.mark.parametrize("kind", ["classify", "detect", "segment", "pose", "track"])
def test_the_options_of_the_demos(run_here: Any, tmp_path: Path, kind: str) -> None:
    if kind == "track":
        pytest.importorskip("lap")
    path = save(tmp_path, "detect" if kind == "track" else kind)
    common = ("--source", "synthetic:?frames=1", "--sink", "none")
    demo = ("demo", kind, "--model", path, *common)
    done = run_here(*demo, "--mean", "123.7,116.3,103.5", "--std", "58.4,57.1,57.4")
    assert done.returncode == 0, done.stderr
    assert "normalize" not in done.stderr
    assert run_here(*demo, "--mean", "0").returncode == 2
    assert "[invalid-normalization]" in run_here(*demo, "--mean", "0").stderr
    assert "[invalid-option-value]" in run_here(*demo, "--mean", "a", "--std", "1").stderr


def test_classify_and_inspect(run_here: Any, tmp_path: Path) -> None:
    path, image = save(tmp_path, "classify"), tmp_path / "red.png"
    cv2.imwrite(str(image), RED)
    done = run_here("classify", path, image, "--mean", 0, "--std", 1e6, "--top", 1, "--json")
    assert json.loads(done.stdout)[0]["classes"][0]["score"] == pytest.approx(1 / 3, abs=0.01)
    path.with_suffix(".toml").write_text("mean = [1, 2, 3]\nstd = 50\n")
    shown = run_here("inspect", path)
    assert "m.toml" in shown.stdout
    assert "(pixel - [1.0, 2.0, 3.0]) / [50.0]" in shown.stdout
    assert json.loads(run_here("inspect", path, "--json").stdout)["toml"]["std"] == [50.0]
