"""The public way to run a stream: a task, the address of a source, sinks, and what they may be."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tiny_models
from errors import raises_code
from streams import ListingSink, MeanTask

import edge
from edge import session
from edge.frame import Output

PROGRAM = """
import sys

import edge

seen = []


def act(output):
    seen.append(output.result.best.label)


model, video = sys.argv[1:]
task = edge.Classifier.open(model, threads=1)
options = edge.SourceOptions(size=(160, 120), realtime=True)
done = edge.run(task, "synthetic:@50", [video, edge.callback_sink(act)], options=options)
assert done.frames == len(seen)
print(done.frames, set(seen) <= {"red", "green", "blue"})
"""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mkv"
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, 10, (64, 48))
    for gray in range(0, 250, 50):
        writer.write(np.full((48, 64, 3), gray, np.uint8))
    writer.release()
    return path


def test_a_program_of_a_user_and_ctrl_c(tmp_path: Path) -> None:
    model, video, program = (tmp_path / name for name in ("m.tflite", "o.mp4", "mine.py"))
    model.write_bytes(tiny_models.color_classifier())
    program.write_text(PROGRAM)
    running = subprocess.Popen(
        [sys.executable, program, model, video], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(edge.__file__).parents[1])},
    )  # fmt: skip
    end = time.monotonic() + 30
    while not video.exists() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=30)
    assert running.returncode == 0
    frames, known = out.split()
    assert known == "True"
    capture = cv2.VideoCapture(str(video))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) >= int(frames) > 5


def test_what_is_public_is_there_and_loaded_late() -> None:
    code = (
        "import sys, edge; assert not {'numpy', 'cv2', 'click'} & set(sys.modules)\n"
        "for name in edge.__all__: getattr(edge, name)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_sinks_by_address_and_sinks_of_ones_own(clip: Path, tmp_path: Path) -> None:
    lines, mine = tmp_path / "o.jsonl", ListingSink()
    done = edge.run(MeanTask(), str(clip), [f"jsonl:{lines}", mine], say=print)
    assert done.frames == len(mine.got) == len(lines.read_text().splitlines()) == 5
    assert mine.closed == 1


def test_an_error_of_a_users_function_ends_the_stream() -> None:
    def act(_: Output) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        edge.run(MeanTask(), "synthetic:64x48", [edge.callback_sink(act)])


def test_a_stream_may_run_in_a_thread(clip: Path) -> None:
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.append(edge.run(MeanTask(), str(clip), ["none"])))
    thread.start()
    thread.join(20)
    assert done[0].frames == 5


@pytest.mark.parametrize("sink", ["{}", "video:{}", "jsonl:{}"])
def test_a_sink_never_writes_over_the_source(clip: Path, sink: str) -> None:
    before = clip.read_bytes()
    link = clip.with_name("link.mkv")
    link.symlink_to(clip)
    with raises_code("output-path-conflict", found="--source"):
        edge.run(MeanTask(), str(clip), [sink.format(link)])
    assert clip.read_bytes() == before


@pytest.mark.parametrize("pair", [("jsonl:a", "jsonl:./a"), ("jsonl:-", "jsonl:-"),
                                  ("o.mkv", "video:o.mkv")])  # fmt: skip
def test_two_sinks_never_share_a_file(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with raises_code("output-path-conflict", found=f"--sink {pair[1]}"):
        edge.run(MeanTask(), "synthetic:", pair)
    assert not list(tmp_path.iterdir())


def test_when_one_sink_cannot_be_opened_the_others_are_closed(tmp_path: Path) -> None:
    mine = ListingSink()
    with raises_code("output-directory-missing", fix="mkdir -p"):
        edge.run(MeanTask(), "synthetic:", [mine, f"jsonl:{tmp_path}/no/such"])
    assert mine.closed == 1


def test_an_earlier_stats_file_may_be_replaced(tmp_path: Path) -> None:
    session.check_output_paths(
        "synthetic:", [("--stats s", tmp_path / "s"), ("--sink o", tmp_path / "o")]
    )


def test_sources_and_sinks_may_be_paths(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    assert edge.run(MeanTask(), clip, [out]).frames > 0
    assert out.stat().st_size > 0
    assert len(list(edge.stream(MeanTask(), clip, frames=1))) == 1


def test_a_camera_may_be_a_number() -> None:
    with raises_code("camera-not-found"):
        list(edge.stream(MeanTask(), 63))
    with raises_code("camera-not-found"):
        edge.open_source(63)


@pytest.mark.parametrize("frames", [0, -1])
def test_no_stream_is_without_frames(frames: int) -> None:
    with raises_code("invalid-option-value"):
        edge.run(MeanTask(), "synthetic:64x48", ["none"], frames=frames)
    with raises_code("invalid-option-value"):
        list(edge.stream(MeanTask(), "synthetic:64x48", frames=frames))


def test_a_function_is_no_sink_by_itself() -> None:
    with raises_code("unknown-sink", fix="wrap a function with edge.callback_sink"):
        edge.run(MeanTask(), "synthetic:64x48?frames=1", [print])
