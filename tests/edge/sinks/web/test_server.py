"""The routes of the page, while a stream runs."""

import re
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pages
import pytest
from errors import error_code
from streams import wait_until

httpx = pytest.importorskip("httpx")
pytest.importorskip("uvicorn")


def decoded(jpeg: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_the_page_and_all_that_it_names(page: pages.Page) -> None:
    index = httpx.get(page.url)
    assert index.headers["content-type"].startswith("text/html")
    for path in re.findall(r'(?:src|href)="(/static/[^"#]+)"', index.text):
        answer = httpx.get(page.url + path)
        assert answer.status_code == 200, path
        if path.endswith(".js"):
            assert "javascript" in answer.headers["content-type"]


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/static/", "/static/%00", "/recordings/%00.mkv",
     "/static/../server.py", "/static/%2e%2e/server.py",
     "/recordings/", "/recordings/..%2f..%2fpyproject.toml", "/recordings/none.mkv",
     "/recordings/2026-01-01_00-00-00.mkv"],
)  # fmt: skip
def test_unknown_paths(page: pages.Page, path: str) -> None:
    assert httpx.get(page.url + path).status_code == 404


def test_the_state_for_scripts(page: pages.Page) -> None:
    state = httpx.get(f"{page.url}/api/state").json()
    assert state == {
        "type": "hello", "version": 1, "task": "mean", "model": "mean.tflite",
        "source": pages.STREAM, "camera": False, "labels": ["dark", "light"],
        "settings": {"score": 0.5, "classes": None, "boundaries": None}, "paused": False,
        "recording": None,
        "ended": False, "clients": 0,
    }  # fmt: skip


def test_a_snapshot_without_clients_is_current(page: pages.Page) -> None:
    first = httpx.get(f"{page.url}/snapshot.jpg")
    again = httpx.get(f"{page.url}/snapshot.jpg")
    assert first.headers["content-type"] == "image/jpeg"
    assert decoded(first.content).shape == (120, 160, 3)
    names = [answer.headers["content-disposition"] for answer in (first, again)]
    assert names[0] != names[1]
    assert "mean-" in names[0]


def test_the_mjpeg_stream_moves(page: pages.Page) -> None:
    with httpx.stream("GET", f"{page.url}/stream.mjpg") as answer:
        assert answer.headers["content-type"].startswith("multipart/x-mixed-replace")
        data, parts = b"", []
        for chunk in answer.iter_bytes():
            data += chunk
            while (end := data.find(b"\r\n--frame\r\n")) > 0:
                part, data = data[:end], data[end + 2 :]
                head, _, jpeg = part.partition(b"\r\n\r\n")
                assert f"Content-Length: {len(jpeg)}".encode() in head
                parts.append(decoded(jpeg))
            if len(parts) >= 5:
                break
    assert all(part.shape == (120, 160, 3) for part in parts)
    assert (parts[0] != parts[-1]).any()


def test_opencv_reads_the_stream_as_a_source_does(page: pages.Page) -> None:
    capture = cv2.VideoCapture(f"{page.url}/stream.mjpg", cv2.CAP_FFMPEG)
    success, image = capture.read()
    capture.release()
    assert success
    assert image.shape == (120, 160, 3)


def test_draws_nothing_without_clients(own_page: pages.Page) -> None:
    assert not own_page.sink.wants_images
    with pages.Client(own_page) as client:
        client.until("image")
        assert own_page.sink.wants_images
    wait_until(lambda: not own_page.sink.wants_images)


def test_the_end_of_the_stream_is_the_end_of_the_server(tmp_path: Path) -> None:
    before = threading.active_count()
    with pages.page(tmp_path) as page, httpx.stream("GET", f"{page.url}/stream.mjpg") as answer:
        chunks = answer.iter_bytes()
        next(chunks)
        page.stop.set()
        for _ in chunks:  # ends, and cleanly
            pass
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(page.url)
    assert page.done[0].lost == {}


def test_prints_its_address(page: pages.Page) -> None:
    assert page.notes[0] == f"web: open {page.url}/"


def test_prints_the_tunnel_over_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22")
    with pages.page(tmp_path) as page:
        port = page.port
        assert f"ssh -L {port}:127.0.0.1:{port} " in page.notes[1]
        assert "open http://127.0.0.1" in page.notes[1]


def test_the_command_reports_a_port_in_use(page: pages.Page, run_edge: Any, tmp_path: Path) -> None:
    from tiny_models import color_model

    model = tmp_path / "colors.tflite"
    model.write_bytes(color_model())
    done = run_edge(
        "demo", "classify", "--model", model, "--source", "synthetic:", "--sink",
        f"web:127.0.0.1:{page.port}",
    )  # fmt: skip
    assert done.returncode == 2
    assert error_code(done.stderr) == "port-in-use"
    assert f"port {page.port} on 127.0.0.1" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
