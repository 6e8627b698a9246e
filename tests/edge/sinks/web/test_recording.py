"""Recordings: complete files, named by their time, that never fill a disk."""

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pages
import pytest
from errors import raises_code
from streams import wait_until

from edge.errors import EdgeError
from edge.frame import Output
from edge.sinks import video
from edge.sinks.web import recording
from edge.sinks.web.recording import NAME, Recorder, Recording

Make = Callable[..., Output]


def frames(path: Path) -> int:
    capture, count = cv2.VideoCapture(str(path)), 0
    while capture.read()[0]:
        count += 1
    return count


def make_recorder(folder: Path) -> tuple[Recorder, list[str], list[EdgeError]]:
    notes: list[str] = []
    return Recorder(folder, 10, live=False, say=notes.append), notes, []


def test_records_every_image_between_start_and_stop(tmp_path: Path, output: Make) -> None:
    recorder, notes, errors = make_recorder(tmp_path / "a" / "b")
    recorder.put(output(0))
    recorder.start(errors.append)
    name = recorder.name
    assert name is not None
    assert NAME.fullmatch(name)
    recorder.start(errors.append)  # it runs already
    for index in range(1, 21):
        recorder.put(output(index))
    recorder.put(output(21, image=None))
    recorder.stop()
    recorder.put(output(22))
    recorder.stop()
    assert (recorder.name, errors) == (None, [])
    path = tmp_path / "a" / "b" / name
    assert [*path.parent.iterdir()] == [path]
    assert frames(path) == 20
    assert notes == [f"web: recording to {path}"]


def test_recordings_of_one_second_get_different_names(tmp_path: Path, output: Make) -> None:
    recordings = [Recording(tmp_path, 10, live=False, failed=lambda _: None) for _ in range(3)]
    assert len({item.path for item in recordings}) == 3
    assert all(NAME.fullmatch(item.path.name) for item in recordings)
    for item in recordings:
        item.put(output())
        item.finish()
    assert all(frames(item.path) == 1 for item in recordings)


def test_a_recording_without_images_leaves_no_file(tmp_path: Path) -> None:
    recorder, _, errors = make_recorder(tmp_path)
    recorder.start(errors.append)
    recorder.stop()
    assert list(tmp_path.iterdir()) == []


def test_stops_before_the_disk_is_full(
    tmp_path: Path, output: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, notes, errors = make_recorder(tmp_path)
    recorder.start(errors.append)
    path = tmp_path / str(recorder.name)
    for index in range(10):
        recorder.put(output(index))
    wait_until(lambda: path.stat().st_size > 1000)  # there was room for the first
    real: Any = shutil.disk_usage("/")
    monkeypatch.setattr(recording.shutil, "disk_usage", lambda _: real._replace(free=1))
    for index in range(10, 60):
        recorder.put(output(index))
    wait_until(lambda: errors)
    assert recorder.name is None
    assert errors[0].code == "disk-full"
    assert str(errors[0]) in notes[-1]
    wait_until(lambda: frames(path) == 30)
    with raises_code("disk-full"):
        recorder.start(errors.append)
    assert [*tmp_path.iterdir()] == [path]


def test_a_failure_after_the_end_does_not_stop_the_next_recording(
    tmp_path: Path, output: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first hangs in a slow disk when it is ended, and fails when the second runs."""
    reached, released = threading.Event(), threading.Event()

    def slow(*_: object) -> None:
        reached.set()
        assert released.wait(10)
        raise OSError(28, "No space left on device")

    recorder, _, errors = make_recorder(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(video.MatroskaWriter, "add", slow)
        recorder.start(errors.append)
        recorder.put(output())
        assert reached.wait(10)
        ending = threading.Thread(target=recorder.stop)
        ending.start()
        wait_until(lambda: recorder.name is None)
        recorder.start(errors.append)
        name = recorder.name
        released.set()
        ending.join(10)
    assert len(errors) == 1
    assert name is not None
    assert recorder.name == name
    recorder.put(output())
    recorder.stop()
    assert frames(tmp_path / name) == 1


def test_a_full_disk_is_reported(
    tmp_path: Path, output: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    recorder, _, errors = make_recorder(tmp_path)
    recorder.start(errors.append)
    monkeypatch.setattr(video.MatroskaWriter, "add", full)
    recorder.put(output())
    wait_until(lambda: errors)
    assert errors[0].code == "output-not-writable"
    assert "no space left" in errors[0].found


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    recorder, _, errors = make_recorder(tmp_path / "file")
    with raises_code("output-is-file", expected=str(tmp_path / "file")):
        recorder.start(errors.append)
    assert recorder.name is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_writable(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with raises_code("output-not-writable", found="permission denied"):
        make_recorder(tmp_path / "x")[0].start(lambda _: None)
    tmp_path.chmod(0o700)


class TestThroughThePage:
    """Recordings by a client of the page."""

    def test_record_and_download(self, own_page: pages.Page, tmp_path: Path) -> None:
        httpx = pytest.importorskip("httpx")
        with pages.Client(own_page) as client, pages.Client(own_page) as other:
            client.until("image")
            name = client.ask("record", on=True)["recording"]
            assert NAME.fullmatch(name)
            assert other.until("state")["recording"] == name
            for _ in range(15):
                client.until("image")
            assert client.ask("record", on=False)["recording"] is None
        answer = httpx.get(f"{own_page.url}/recordings/{name}")
        assert answer.headers["content-type"] == "video/x-matroska"
        assert f'filename="{name}"' in answer.headers["content-disposition"]
        copy = tmp_path / "copy.mkv"
        copy.write_bytes(answer.content)
        assert frames(copy) >= 10

    def test_records_without_clients_until_the_stream_ends(self, tmp_path: Path) -> None:
        pytest.importorskip("uvicorn")
        with pages.page(tmp_path / "r", "synthetic:64x48@30?frames=60") as page:
            with pages.Client(page) as client:
                client.until("image")
                client.ask("record", on=True)
            assert page.sink.wants_images
            wait_until(lambda: page.done)
        (path,) = (tmp_path / "r").iterdir()
        assert 35 <= frames(path) <= 60

    def test_a_full_disk_is_sent_to_all_and_the_stream_continues(
        self, own_page: pages.Page, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real: Any = shutil.disk_usage("/")
        with pages.Client(own_page) as client, pages.Client(own_page) as other:
            client.until("image")
            client.ask("record", on=True)
            monkeypatch.setattr(recording.shutil, "disk_usage", lambda _: real._replace(free=1))
            assert other.until("error")["code"] == "disk-full"
            state = other.until("state", lambda message: message["recording"] is None)
            assert state["paused"] is False
            other.until("image")
            assert client.ask("record", on=True)["code"] == "disk-full"
