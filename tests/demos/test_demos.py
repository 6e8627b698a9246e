"""`edge demo` as a user runs it, on a generated source and a tiny model."""

import ast
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_models
from errors import error_code

import demos
from edge.commands.demo import Demos

RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]
SYNTHETIC = ("--source", "synthetic:")
NOWHERE = (*SYNTHETIC, "--sink", "none")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "colors.tflite"
    path.write_bytes(tiny_models.color_classifier())
    return path


def test_a_line_per_frame_and_statistics(run_edge: RunEdge, model: Path, tmp_path: Path) -> None:
    stats = tmp_path / "stats.json"
    done = run_edge(
        "demo", "classify", "--model", model, "--source", "synthetic:?frames=40",
        "--sink", "jsonl:-", "--stats", stats,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["frame"] for line in lines] == list(range(40))
    assert all(line["task"] == "classify" and len(line["classes"]) == 3 for line in lines)
    mention = json.loads(stats.read_text())
    assert (mention["frames"], mention["dropped"]) == (40, 0)
    assert mention["stages"]["invoke"]["p95_ms"] > 0
    assert mention["limiting"] in done.stderr


def test_several_sinks_at_once(run_edge: RunEdge, model: Path, tmp_path: Path) -> None:
    video, lines, frames = tmp_path / "o.mkv", tmp_path / "o.jsonl", tmp_path / "frames"
    done = run_edge(
        "demo", "classify", "--model", model, "--source", "synthetic:320x240@10?frames=20",
        "--sink", video, "--sink", f"jsonl:{lines}", "--sink", f"frames:{frames}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    capture = cv2.VideoCapture(str(video))
    read = 0
    while capture.read()[0]:
        read += 1
    assert read == len(lines.read_text().splitlines()) == len(list(frames.glob("*.jpg"))) == 20
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_stream_leaves_whole_files(model: Path, tmp_path: Path, number: int) -> None:
    video, stats = tmp_path / "o.mp4", tmp_path / "stats.json"
    running = subprocess.Popen(
        [sys.executable, "-m", "edge", "demo", "classify", "--model", model, "--source",
         "synthetic:320x240@50", "--realtime", "--sink", video, "--stats", stats],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + 30
    while not video.exists() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(number)
    _, mention = running.communicate(timeout=30)
    assert running.returncode == 0, mention
    frames = json.loads(stats.read_text())["frames"]
    capture = cv2.VideoCapture(str(video))
    assert frames > 5
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) >= frames


def test_a_reader_that_has_seen_enough_ends_it_quietly(model: Path, tmp_path: Path) -> None:
    stats = tmp_path / "stats.json"
    demo = f"'{sys.executable}' -m edge demo classify --model '{model}' --source synthetic:"
    command = f"{demo} --sink jsonl:- --stats '{stats}' | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False,
                          timeout=60)  # fmt: skip
    assert done.returncode == 0
    assert json.loads(done.stdout)["frame"] == 0
    assert "edge:" not in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(stats.read_text())["frames"] >= 1


def test_paths_in_any_script_and_images_of_any_size(
    run_here: RunEdge, model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "größe 猫 ✓"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number, shape in enumerate([(30, 40, 3), (121, 161, 3), (9, 7, 3), (20, 20), (20, 20, 4)]):
        image = random.integers(0, 255, shape).astype(np.uint8)
        (folder / f"é{number}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
    (folder / "é9.png").write_bytes(b"broken")
    for name in ("ü.mkv", "ü.mp4", "ü.avi"):
        done = run_here("demo", "classify", "--model", model, "--source", folder, "--sink",
                        folder / name, "--sink", f"jsonl:{folder / 'ü.jsonl'}")  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "1 corrupt" in done.stderr
        capture = cv2.VideoCapture(str(folder / name))
        sizes = set()
        while (read := capture.read())[0]:
            sizes.add(read[1].shape)
        assert sizes == {(30, 40, 3)}
        assert len((folder / "ü.jsonl").read_text().splitlines()) == 5


@pytest.mark.parametrize("source", ["synthetic:?frames=3", "{}"])
def test_a_source_with_an_end_may_be_looped(
    run_edge: RunEdge, model: Path, tmp_path: Path, source: str
) -> None:
    image = tmp_path / "one.png"
    cv2.imwrite(str(image), np.full((20, 20, 3), 90, np.uint8))
    done = run_edge("demo", "classify", "--model", model, "--loop", "--frames", "7", "--sink",
                    "jsonl:-", "--source", source.format(image))  # fmt: skip
    assert [json.loads(line)["frame"] for line in done.stdout.splitlines()] == list(range(7))


def test_without_a_screen_words_replace_the_window(
    run_edge: RunEdge, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    command = ("demo", "classify", "--model", model, "--source", "synthetic:?frames=5")
    done = run_edge(*command)
    assert done.returncode == 0, done.stderr
    assert "DISPLAY" in done.stderr
    assert any(color in done.stderr for color in ("red", "green", "blue"))
    requested = run_edge(*command, "--sink", "window")
    assert requested.returncode == 2
    assert error_code(requested.stderr) == "no-screen"


def test_the_file_of_a_demo_is_a_program_of_its_own(model: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demos.classify", "--model", model, "--source",
         "synthetic:?frames=3", "--sink", "jsonl:-"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3


def test_a_demo_is_one_screen() -> None:
    import demos.classify

    folder = Path(demos.classify.__file__).parent
    for name in ("classify", "detect", "track", "segment", "pose", "mirror"):
        assert len((folder / f"{name}.py").read_text().splitlines()) <= 70


@pytest.mark.parametrize(
    ("arguments", "code", "mention"),
    [
        (("--source", "0"), "camera-not-found", "0"),
        (("--source", "nowhere.mp4"), "source-not-found", "nowhere.mp4"),
        (("--source", "rtps://host/x"), "unknown-source", "rtsps"),
        ((*SYNTHETIC, "--sink", "jsnl:x"), "unknown-sink", "jsonl"),
        ((*SYNTHETIC, "--sink", "no/such/folder/o.mkv"), "output-directory-missing", "mkdir -p"),
        ((*SYNTHETIC, "--sink", "jsonl:no/such/x"), "output-directory-missing", "mkdir -p"),
        ((*NOWHERE, "--stats", "no/such/s.json"), "output-directory-missing", "mkdir -p"),
        ((*NOWHERE, "--stats", "."), "output-is-directory", "."),
        ((*SYNTHETIC, "--sink", "jsonl:s", "--stats", "s"), "output-path-conflict", "--stats s"),
        ((*NOWHERE, "--size", "big"), "invalid-option-value", "--size"),
        ((*NOWHERE, "--fps", "0"), "invalid-option-value", "--fps"),
        ((*NOWHERE, "--smoothing", "nan"), "invalid-option-value", "nan"),
        ((*NOWHERE, "--threshold", "7"), "invalid-option-value", "7"),
    ],
)
def test_bad_input_is_one_clear_line(
    run_here: RunEdge, model: Path, arguments: tuple[str, ...], code: str, mention: str
) -> None:
    done = run_here("demo", "classify", "--model", model, *arguments)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("edge: ")]
    assert mention in line
    assert error_code(line) == code
    assert "Traceback" not in done.stderr


def test_a_model_of_another_task(run_here: RunEdge, model: Path) -> None:
    done = run_here("demo", "detect", "--model", model, "--source", "synthetic:", "--sink", "none")
    assert done.returncode == 2
    assert error_code(done.stderr) == "model-wrong-task"
    assert "edge demo classify" in done.stderr


def test_an_unknown_demo_is_answered_with_the_nearest(run_here: RunEdge) -> None:
    done = run_here("demo", "clasify")
    assert done.returncode == 2
    assert error_code(done.stderr) == "unknown-command"
    assert "edge demo classify" in done.stderr


def test_without_a_name_the_demos_are_listed(run_here: RunEdge) -> None:
    done = run_here("demo")
    assert done.returncode == 0
    lines = [line.split() for line in done.stdout.splitlines()]
    for name in ("classify", "detect", "track", "segment", "pose", "mirror"):
        assert any(words[:1] == [name] for words in lines)


@pytest.mark.parametrize("name", Demos.entries)
def test_a_demo_that_is_copied_opens_a_public_task(name: str) -> None:
    tree = ast.parse((Path(demos.__file__).parent / f"{name}.py").read_text())
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert used & {
        "Classifier", "Detector", "Segmenter", "Tracker", "PoseEstimator", "PoseMatcher"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "option", "module", "constant"),
    [
        ("classify", "smoothing", "edge.tasks.classify.classifier", "SMOOTHING_S"),
        ("detect", "iou", "edge.tasks.detect.detector", "IOU"),
        ("segment", "threshold", "edge.tasks.segment.segmenter", "THRESHOLD"),
        ("segment", "smoothing", "edge.tasks.segment.masks", "SMOOTHING_S"),
        ("pose", "threshold", "edge.tasks.pose.estimator", "THRESHOLD"),
        ("mirror", "threshold", "edge.tasks.pose.estimator", "THRESHOLD"),
    ],
)
def test_defaults_of_options_are_those_of_the_tasks(
    name: str, option: str, module: str, constant: str
) -> None:
    command = import_module(f"demos.{name}").main
    (default,) = [param.default for param in command.params if param.name == option]
    assert default == getattr(import_module(module), constant)


@pytest.mark.parametrize("name", ["detect", "track"])
def test_detectors_have_the_threshold_of_the_model_by_default(name: str) -> None:
    """What the task takes without one is named in the help."""
    command = import_module(f"demos.{name}").main
    (option,) = [param for param in command.params if param.name == "threshold"]
    usual = import_module("edge.tasks.detect.detector").THRESHOLD
    parsed = command.make_context(name, [], resilient_parsing=True)
    assert parsed.params["threshold"] is None
    assert f"else {usual:g}]" in option.help
