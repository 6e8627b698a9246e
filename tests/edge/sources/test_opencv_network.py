"""Network cameras over HTTP, from a real server: the newest frame, and their failures."""

import time

import mjpeg
import numpy as np
import pytest
from errors import raises_code

from edge.errors import CorruptFrameError
from edge.frame import Frame
from edge.sources import open_source
from edge.sources.opencv import open_network
from edge.sources.source import Source, SourceOptions


def read_some(source: Source, number: int) -> list[Frame]:
    frames = [source.read() for _ in range(number)]
    source.close()
    return [frame for frame in frames if frame is not None]


def test_a_network_camera_is_live() -> None:
    with mjpeg.camera() as address:
        source = open_source(f"{address}/stream")
        assert source.live
        frames = read_some(source, 5)
    grays = [frame.image.mean() for frame in frames]
    assert np.diff(grays) == pytest.approx(5, abs=2)


def test_a_network_camera_that_hangs_up_is_lost() -> None:
    with mjpeg.camera(frames=5) as address:
        source = open_source(f"{address}/stream")
        with raises_code("source-lost"):
            for _ in range(10):
                source.read()
        source.close()


def test_a_broken_frame_of_a_network_camera_is_skipped() -> None:
    with mjpeg.camera(broken=(3, 6)) as address:
        source = open_source(f"{address}/stream")
        grays, corrupt = [], 0
        while len(grays) < 8:
            try:
                frame = source.read()
            except CorruptFrameError:
                corrupt += 1
                continue
            assert frame is not None
            grays.append(frame.image.mean())
        source.close()
    assert corrupt == 2
    assert grays == pytest.approx([0, 5, 10, 20, 25, 35, 40, 45], abs=2)


def test_size_and_rate_of_a_network_camera() -> None:
    with mjpeg.camera(fps=100) as address:
        source = open_source(f"{address}/stream", SourceOptions(size=(80, 48), fps=20))
        start = time.perf_counter()
        frames = read_some(source, 12)
        seconds = time.perf_counter() - start
    assert source.fps == pytest.approx(20)
    assert seconds > 11 / 22
    assert all(frame.image.shape == (48, 80, 3) for frame in frames)


@pytest.mark.parametrize(("path", "reason"), [("missing", "404"), ("text", "video")])
def test_an_address_without_a_camera(path: str, reason: str) -> None:
    with mjpeg.camera() as address, raises_code("stream-unavailable", found=reason):
        open_source(f"{address}/{path}")


def test_a_silent_camera_times_out() -> None:
    with mjpeg.camera() as address:
        start = time.perf_counter()
        with raises_code("stream-unavailable"):
            open_network(f"{address}/hang", SourceOptions(), timeout_ms=500)
        assert time.perf_counter() - start < 25  # a hang guard: FFmpeg itself would wait for 30


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_nobody_listens(scheme: str) -> None:
    with raises_code("stream-unavailable", found="refused"):
        open_source(f"{scheme}://127.0.0.1:9/stream")


def test_a_password_is_not_shown() -> None:
    with raises_code("stream-unavailable") as caught:
        open_source("rtsp://user:secret@127.0.0.1:9/stream")
    assert "secret" not in str(caught.value)
