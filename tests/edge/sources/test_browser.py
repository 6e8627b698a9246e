"""The camera of a page as a source."""

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pages
import pytest
from errors import error_code, raises_code
from streams import MeanTask, wait_until

from edge import session
from edge.sources import open_source, resolve
from edge.sources.browser import BrowserCamera
from edge.sources.source import SourceOptions


def jpeg(gray: int, size: tuple[int, int] = (64, 48), *options: int) -> bytes:
    image = np.full((size[1], size[0], 3), gray, np.uint8)
    return cv2.imencode(".jpg", image, [*options])[1].tobytes()


def test_resolves_the_address() -> None:
    assert resolve("browser") == ("browser", "")
    with raises_code("unexpected-address", fix="--source browser"):
        open_source("browser:1")


def test_the_newest_image_is_read() -> None:
    camera = BrowserCamera()
    camera.put(jpeg(10))
    camera.put(jpeg(200))
    frame = camera.read()
    assert frame is not None
    assert frame.image.shape == (48, 64, 3)
    assert abs(int(frame.image.mean()) - 200) < 3


def test_reading_waits_and_ends_when_it_is_closed() -> None:
    camera, seen = BrowserCamera(), []
    thread = threading.Thread(target=lambda: seen.append(camera.read()))
    thread.start()
    assert not seen
    camera.close()
    thread.join(5)
    assert seen == [None]


def test_applies_the_options() -> None:
    source: Any = open_source("browser", SourceOptions(size=(32, 24), rotate=90, fps=100))
    source.camera.put(jpeg(99))
    assert source.read().image.shape == (32, 24, 3)
    assert (source.live, source.fps) == (True, 100)
    source.close()


@pytest.mark.parametrize(
    "options", [(cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 4), ()]
)
def test_every_kind_of_jpeg(options: tuple[int, ...]) -> None:
    camera = BrowserCamera()
    camera.put(jpeg(50, (160, 120), *options))
    frame = camera.read()
    assert frame is not None
    assert frame.image.shape == (120, 160, 3)


def huge() -> bytes:
    """A JPEG of a few hundred bytes whose header claims 65,535 × 65,535 pixels."""
    data = bytearray(jpeg(1))
    offset = data.index(b"\xff\xc0")
    data[offset + 5 : offset + 9] = b"\xff\xff\xff\xff"
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "image-undecodable"),
        (b"\x89PNG\r\n\x1a\n", "image-undecodable"),
        (b"\xff\xd8", "image-undecodable"),
        (b"\xff\xd8" + b"\xff" * 1000, "image-undecodable"),
        (b"\xff\xd8\xff\xe0\x00\x00" * 100, "image-undecodable"),
        (jpeg(1)[:200], "image-undecodable"),
        (huge(), "image-too-large"),
    ],
)
def test_rejects_data_that_is_no_image(data: bytes, code: str) -> None:
    with raises_code(code, kind="ImageError"):
        BrowserCamera().put(data)


def test_needs_the_sink_web() -> None:
    for sinks in ((), ("text",), ("none", "jsonl:-")):
        with raises_code("source-needs-web-sink", fix="--sink web"):
            session.run(MeanTask(), "browser", sinks)


def test_capture_rejects_it(run_edge: Any, tmp_path: Path) -> None:
    done = run_edge("capture", "--source", "browser", "--out", tmp_path, "--label", "cat",
                    "--burst", "1")  # fmt: skip
    assert done.returncode == 2
    assert error_code(done.stderr) == "unsupported-source"
    assert "--source 0" in done.stderr


class TestThroughThePage:
    """Images that a client of the page sends."""

    @pytest.fixture
    def camera_page(self, tmp_path: Path) -> Any:
        pytest.importorskip("uvicorn")
        with pages.page(tmp_path, "browser") as page:
            yield page

    def test_prints_how_to_open_the_page(self, camera_page: pages.Page) -> None:
        port = camera_page.port
        assert camera_page.notes[0].endswith("/ and allow the camera")
        assert "https" in camera_page.notes[1]
        assert f"ssh -L {port}:127.0.0.1:{port} " in camera_page.notes[1]

    def test_its_images_are_the_frames(self, camera_page: pages.Page) -> None:
        with pages.Client(camera_page) as client:
            assert client.next()["camera"] is True
            for number, gray in enumerate((30, 90, 210)):
                client.socket.send(jpeg(gray))
                client.until("camera-ack")
                result = client.until("result")
                assert (result["frame"], abs(result["value"] - gray) < 3) == (number, True)

    def test_there_is_one_camera_until_it_leaves(self, camera_page: pages.Page) -> None:
        first = pages.Client(camera_page)
        first.socket.send(jpeg(30))
        first.until("camera-ack")
        with pages.Client(camera_page) as second:
            second.socket.send(jpeg(90))
            assert second.until("error")["code"] == "browser-camera-in-use"
            first.__exit__()

            def taken() -> bool:
                second.socket.send(jpeg(200))
                while True:
                    kind = second.next()["type"]
                    if kind in ("error", "camera-ack"):
                        return kind == "camera-ack"

            wait_until(taken)
            assert second.until("result")["value"] > 190

    def test_a_broken_image_is_answered_and_the_stream_goes_on(
        self, camera_page: pages.Page
    ) -> None:
        with pages.Client(camera_page) as client:
            for _ in range(150):  # more than a stream takes from a camera
                client.socket.send(b"\xff\xd8 nothing")
                client.until("camera-ack")
            client.socket.send(jpeg(120))
            client.until("camera-ack")
            assert abs(client.until("result")["value"] - 120) < 3
        assert len(camera_page.notes) == 2

    def test_without_an_image_it_waits_and_ends_at_once(self, camera_page: pages.Page) -> None:
        with pages.Client(camera_page) as client:
            client.next()
            camera_page.stop.set()
            client.until("end")
        wait_until(lambda: camera_page.done, 5)
        assert camera_page.done[0].frames == 0
