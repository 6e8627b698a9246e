"""Network cameras over HTTP, from a real server: the newest frame, and their failures."""

import time

import mjpeg
import numpy as np
import pytest
from errors import raises_code
from streams import MeanTask

import edge
from edge.errors import CorruptFrameError, SourceError
from edge.frame import Frame
from edge.sources import open_source
from edge.sources.network import open_network
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


USER, SECRET = "adm1n", "s3cret"


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
@pytest.mark.parametrize(
    ("login", "encoded"),
    [(f"{USER}:x{sign}{SECRET}@", False) for sign in "#/?["]
    + [(f"{USER}:12/{SECRET}@", False), (f"{USER}:%{SECRET}@", False)]
    + [(f"{USER}:x@{SECRET}@", True), (f"{USER}:{SECRET}@", True), (f"{SECRET}@", True)],
)
def test_a_password_is_not_shown_but_its_encoding_explained(
    scheme: str, login: str, encoded: bool
) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(f"{scheme}://{login}127.0.0.1:9/stream")
    shown = str(caught.value.to_dict())
    assert SECRET not in shown
    assert USER not in shown
    assert ("%2F for /" in caught.value.fix) is not encoded


def test_a_login_that_the_camera_refuses() -> None:
    with mjpeg.camera(login=f"{USER}:{SECRET}") as address:
        for path in ("snapshot.jpg", "stream"):
            with raises_code("stream-unavailable", found="401", fix="password") as caught:
                open_source(f"{address}/{path}".replace("//", f"//{USER}:wr0ng@"))
            assert "wr0ng" not in str(caught.value)


def test_a_snapshot_address_is_polled() -> None:
    with mjpeg.camera(login=f"{USER}:x/{SECRET}") as address:
        login = f"//{USER}:x%2F{SECRET}@"
        source = open_source(f"{address}/snapshot.jpg".replace("//", login), SourceOptions(fps=50))
        assert source.live
        assert SECRET not in source.name
        start = time.perf_counter()
        frames = read_some(source, 6)
        assert time.perf_counter() - start > 4 / 50
    assert np.diff([frame.image.mean() for frame in frames]) == pytest.approx(5, abs=2)
    assert [frame.index for frame in frames] == list(range(6))


def test_a_camera_of_snapshots_that_is_gone_is_lost() -> None:
    with mjpeg.camera() as address:
        source = open_source(f"{address}/snapshot.jpg")
        source.read()
    with raises_code("source-lost", found="refused"):
        source.read()


def test_no_secret_in_statistics_or_notes(capsys: pytest.CaptureFixture[str]) -> None:
    with mjpeg.camera(frames=8, login=f"{USER}:{SECRET}") as address:
        notes: list[str] = []
        url = f"{address}/stream?token={SECRET}".replace("//", f"//{USER}:{SECRET}@")
        stats = edge.run(
            MeanTask(), url, ["jsonl:-", "text"], frames=4, say=notes.append,
            options=SourceOptions(fps=60),
        )  # fmt: skip
    shown = f"{stats} {stats.to_dict()} {notes} {capsys.readouterr()}"
    assert "127.0.0.1" in stats.source
    assert SECRET not in shown
    assert USER not in shown
