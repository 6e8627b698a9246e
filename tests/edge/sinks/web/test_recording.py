"""Recordings: whole files, named by their time, that never fill a disk."""

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
from pages import wait_until

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


def recorder(folder: Path) -> tuple[Recorder, list[str], list[EdgeError]]:
    said: list[str] = []
    return Recorder(folder, 10, live=False, say=said.append), said, []


def test_it_holds_every_image_between_its_beginning_and_its_end(
    tmp_path: Path, output: Make
) -> None:
    kept, said, errors = recorder(tmp_path / "a" / "b")
    kept.put(output(0))
    kept.begin(errors.append)
    name = kept.name
    assert name is not None
    assert NAME.fullmatch(name)
    kept.begin(errors.append)  # it runs already
    for index in range(1, 21):
        kept.put(output(index))
    kept.put(output(21, image=None))
    kept.end()
    kept.put(output(22))
    kept.end()
    assert (kept.name, errors) == (None, [])
    path = tmp_path / "a" / "b" / name
    assert [*path.parent.iterdir()] == [path]
    assert frames(path) == 20
    assert said == [f"web: recording to {path}"]


def test_two_in_one_second_get_names_of_their_own(tmp_path: Path, output: Make) -> None:
    made = [Recording(tmp_path, 10, live=False, failed=lambda _: None) for _ in range(3)]
    assert len({one.path for one in made}) == 3
    assert all(NAME.fullmatch(one.path.name) for one in made)
    for one in made:
        one.put(output())
        one.finish()
    assert all(frames(one.path) == 1 for one in made)


def test_one_without_an_image_leaves_no_file(tmp_path: Path) -> None:
    kept, _, errors = recorder(tmp_path)
    kept.begin(errors.append)
    kept.end()
    assert list(tmp_path.iterdir()) == []


def test_it_stops_before_the_disk_is_full(
    tmp_path: Path, output: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, said, errors = recorder(tmp_path)
    kept.begin(errors.append)
    path = tmp_path / str(kept.name)
    for index in range(10):
        kept.put(output(index))
    wait_until(lambda: path.stat().st_size > 1000)  # there was room for the first
    monkeypatch.setattr(recording, "ROOM", 1 << 60)
    for index in range(10, 60):
        kept.put(output(index))
    wait_until(lambda: errors)
    assert kept.name is None
    assert errors[0].code == "disk-full"
    assert str(errors[0]) in said[-1]
    wait_until(lambda: frames(path) == 30)
    with raises_code("disk-full"):
        kept.begin(errors.append)
    assert [*tmp_path.iterdir()] == [path]


def test_a_failure_after_the_end_leaves_the_next_recording_alone(
    tmp_path: Path, output: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first hangs in a slow disk when it is ended, and fails when the second runs."""
    reached, gone_on = threading.Event(), threading.Event()

    def slow(*_: object) -> None:
        reached.set()
        assert gone_on.wait(10)
        raise OSError(28, "No space left on device")

    kept, _, errors = recorder(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(video.MatroskaWriter, "add", slow)
        kept.begin(errors.append)
        kept.put(output())
        assert reached.wait(10)
        ending = threading.Thread(target=kept.end)
        ending.start()
        wait_until(lambda: kept.name is None)
        kept.begin(errors.append)
        name = kept.name
        gone_on.set()
        ending.join(10)
    assert len(errors) == 1
    assert name is not None
    assert kept.name == name
    kept.put(output())
    kept.end()
    assert frames(tmp_path / name) == 1


def test_a_disk_that_is_full_is_said(
    tmp_path: Path, output: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    kept, _, errors = recorder(tmp_path)
    kept.begin(errors.append)
    monkeypatch.setattr(video.MatroskaWriter, "add", full)
    kept.put(output())
    wait_until(lambda: errors)
    assert errors[0].code == "output-not-writable"
    assert "no space left" in errors[0].found


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept, _, errors = recorder(tmp_path / "file")
    with raises_code("output-is-file", expected=str(tmp_path / "file")):
        kept.begin(errors.append)
    assert kept.name is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with raises_code("output-not-writable", found="permission denied"):
        recorder(tmp_path / "x")[0].begin(lambda _: None)
    tmp_path.chmod(0o700)


class TestThroughThePage:
    """What a visitor does."""

    def test_record_and_download(self, own_page: pages.Page, tmp_path: Path) -> None:
        httpx = pytest.importorskip("httpx")
        with pages.Visitor(own_page) as visitor, pages.Visitor(own_page) as other:
            visitor.until("image")
            name = visitor.ask("record", on=True)["recording"]
            assert NAME.fullmatch(name)
            assert other.until("state")["recording"] == name
            for _ in range(15):
                visitor.until("image")
            assert visitor.ask("record", on=False)["recording"] is None
        answer = httpx.get(f"{own_page.url}/recordings/{name}")
        assert answer.headers["content-type"] == "video/x-matroska"
        assert f'filename="{name}"' in answer.headers["content-disposition"]
        copy = tmp_path / "copy.mkv"
        copy.write_bytes(answer.content)
        assert frames(copy) >= 10

    def test_it_goes_on_without_visitors_to_the_end_of_the_stream(self, tmp_path: Path) -> None:
        pytest.importorskip("uvicorn")
        with pages.page(tmp_path / "r", "synthetic:64x48@30?frames=60") as made:
            with pages.Visitor(made) as visitor:
                visitor.until("image")
                visitor.ask("record", on=True)
            assert made.sink.wants_images
            wait_until(lambda: made.done)
        (path,) = (tmp_path / "r").iterdir()
        assert 35 <= frames(path) <= 60

    def test_a_full_disk_is_told_to_all_and_the_stream_goes_on(
        self, own_page: pages.Page, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real: Any = shutil.disk_usage("/")
        with pages.Visitor(own_page) as visitor, pages.Visitor(own_page) as other:
            visitor.until("image")
            visitor.ask("record", on=True)
            monkeypatch.setattr(recording.shutil, "disk_usage", lambda _: real._replace(free=1))
            assert other.until("error")["code"] == "disk-full"
            state = other.until("state", lambda said: said["recording"] is None)
            assert state["paused"] is False
            other.until("image")
            assert visitor.ask("record", on=True)["code"] == "disk-full"
