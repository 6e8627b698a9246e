"""Video files."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from errors import raises_code

import edge
from edge.sinks import open_sink

SUFFIXES = (".mkv", ".mp4", ".avi")
ROOT = str(Path(edge.__file__).parents[1])


def record(path: Path, stream: Any, outputs: list[Any]) -> None:
    sink = open_sink(str(path), stream.context)
    for output in outputs:
        sink.write(output)
    sink.close()


def play(path: Path) -> tuple[list[float], list[float]]:
    """The mean of each image, and its time in seconds."""
    video = cv2.VideoCapture(str(path))
    grays, times = [], []
    while (got := video.read())[0]:
        grays.append(float(np.mean(got[1])))
        times.append(video.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    return grays, times


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_files_frames_come_back_in_order_at_its_rate(
    suffix: str, tmp_path: Path, stream: Any, output: Any
) -> None:
    path = tmp_path / f"out{suffix}"
    record(path, stream, [output(index, gray=8 * index) for index in range(25)])
    grays, times = play(path)
    assert np.allclose(grays, 8 * np.arange(25), atol=4)
    assert np.allclose(times, np.arange(25) / 10, atol=0.002)
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 25


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_live_source_plays_at_true_speed(
    suffix: str, tmp_path: Path, live: Any, output: Any
) -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.4, 30))
    grays = 8 * np.arange(30)
    outputs = [output(i, gray=int(g), time_s=t) for i, (g, t) in enumerate(zip(grays, times))]  # noqa: B905
    record(tmp_path / f"out{suffix}", live, outputs)
    shown, at = play(tmp_path / f"out{suffix}")
    video = cv2.VideoCapture(str(tmp_path / f"out{suffix}"))
    length = video.get(cv2.CAP_PROP_FRAME_COUNT) / video.get(cv2.CAP_PROP_FPS)
    assert length == pytest.approx(times[-1] - times[0], abs=0.3)
    for gray, moment in zip(grays[::7], (times - times[0])[::7], strict=True):
        near = np.abs(np.array(at) - moment) <= 0.15
        assert np.min(np.abs(np.array(shown)[near] - gray)) <= 3 * 8


def test_any_place_can_be_jumped_to(tmp_path: Path, stream: Any, output: Any) -> None:
    path = tmp_path / "out.mkv"
    record(path, stream, [output(index, gray=2 * index) for index in range(100)])
    video = cv2.VideoCapture(str(path))
    for second in (7, 2):
        video.set(cv2.CAP_PROP_POS_MSEC, 1000 * second)
        assert float(np.mean(video.read()[1])) == pytest.approx(20 * second, abs=5)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "size", [(161, 121), (32, 16), (1920, 1080), (1, 1), (5000, 1), (1, 5000), (3, 40)]
)
def test_sizes(
    suffix: str, size: tuple[int, int], tmp_path: Path, stream: Any, output: Any
) -> None:
    path = tmp_path / f"out{suffix}"
    record(path, stream, [output(0, size=size), output(1, size=(200, 100))])  # all like the first
    video = cv2.VideoCapture(str(path))
    shape = video.read()[1].shape
    smallest = 1 if suffix == ".mkv" else 16
    assert 0 <= shape[1] - max(size[0], smallest) <= 1
    assert 0 <= shape[0] - max(size[1], smallest) <= 1
    assert video.read()[0]


def test_a_lost_camera_does_not_fill_the_disk(tmp_path: Path, live: Any, output: Any) -> None:
    day = 24 * 3600.0
    outputs = [output(0), output(1), replace(output(2), time_s=day), output(3, time_s=day + 0.1)]
    for suffix in SUFFIXES:
        path = tmp_path / f"out{suffix}"
        record(path, live, outputs)
        assert path.stat().st_size < 1_000_000
        assert play(path)[0]


def test_without_frames_there_is_no_file(tmp_path: Path, stream: Any) -> None:
    path = tmp_path / "out.mkv"
    path.write_bytes(b"of an earlier run")
    record(path, stream, [])
    assert path.read_bytes() == b"of an earlier run"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_place_that_cannot_be_written(suffix: str, stream: Any, output: Any) -> None:
    folder = Path("/proc")  # not even by root
    if not folder.is_dir():
        pytest.skip("no /proc here")
    with raises_code("output-not-writable", expected="/proc/out"):
        record(folder / f"out{suffix}", stream, [output()])


def test_a_size_that_the_encoder_refuses(tmp_path: Path, stream: Any, output: Any) -> None:
    with raises_code("video-encoder-rejected", fix="out.mkv"):
        record(tmp_path / "out.mp4", stream, [output(size=(9000, 16))])


def test_a_killed_recording_plays_to_its_last_image(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import time; import numpy as np\n"
        "from edge.frame import Output, StreamStatus\n"
        "from edge.results import Detections\n"
        "from edge.sinks import open_sink\n"
        "from edge.streaming.sink import StreamContext\n"
        "sink = open_sink(sys.argv[2], StreamContext(30.0, True, lambda: None, print))\n"
        "status = StreamStatus(1.0, 1.0, 1.0, 0, 'cpu')\n"
        "for i in range(45):\n"
        "    image = np.full((48, 64, 3), 5 * i, np.uint8)\n"
        "    sink.write(Output(i, i / 30, '', 'detect', Detections(()), status, 0.0, image))\n"
        "print('written', flush=True)\n"
        "time.sleep(60)\n"
    )
    run = subprocess.Popen([sys.executable, "-c", program, ROOT, str(path)], stdout=subprocess.PIPE)
    assert run.stdout is not None
    assert run.stdout.readline() == b"written\n"
    run.send_signal(signal.SIGKILL)
    run.wait(timeout=10)
    run.stdout.close()
    grays, times = play(path)
    assert np.allclose(grays, 5 * np.arange(45), atol=3)
    assert times[-1] == pytest.approx(44 / 30, abs=0.002)


def test_an_image_that_was_cut_in_half_leaves_those_before(
    tmp_path: Path, stream: Any, output: Any
) -> None:
    path = tmp_path / "out.mkv"
    sink = open_sink(str(path), stream.context)
    for index in range(5):
        sink.write(output(index, gray=40 * index))
    whole = path.read_bytes()  # never closed
    path.write_bytes(whole[:-300])
    assert np.allclose(play(path)[0][:4], 40 * np.arange(4), atol=3)


@pytest.mark.parametrize(
    "name",
    ["12:30:00.mp4", "http:x.avi", "-x.mp4", "%03d.mp4", "a[1],📷.mkv", "no UTF-8 \udcff.mp4"],
)
def test_files_of_any_name(
    name: str, stream: Any, output: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    record(Path(name), stream, [output(index) for index in range(3)])
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert len(play(Path(name).rename("plain.video"))[0]) == 3
