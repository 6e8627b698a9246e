"""What a visitor sees, and what it may change."""

import json
import socket
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pages
import pytest
from pages import wait_until
from streams import MeanTask

from edge.results import Detection, Detections, Event
from edge.sinks.web import session

exceptions = pytest.importorskip("websockets.exceptions")
server = pytest.importorskip("edge.sinks.web.server")
httpx = pytest.importorskip("httpx")


def test_images_move_and_grow_to_their_full_size(page: pages.Page) -> None:
    with pages.Visitor(page) as visitor:
        visitor.until("image")
        end = time.monotonic() + 20
        while len(visitor.jpegs[-1]) < 1.5 * len(visitor.jpegs[0]):
            assert time.monotonic() < end
            visitor.until("image")
    images = [cv2.imdecode(np.frombuffer(data, np.uint8), 1) for data in visitor.jpegs]
    assert all(image.shape == (120, 160, 3) for image in images)
    assert (images[0] != images[-1]).any()


def test_a_result_is_the_record_of_its_frame_and_a_summary(page: pages.Page) -> None:
    with pages.Visitor(page) as visitor:
        assert visitor.next()["type"] == "hello"
        first, second = visitor.until("result"), visitor.until("result")
    assert set(first) == {"type", "schema", "frame", "time_s", "task", "value", "summary"}
    assert first["summary"] == str(first["value"])
    assert second["frame"] > first["frame"]


def test_results_come_at_most_fifteen_times_a_second(own_page: pages.Page) -> None:
    with pages.Visitor(own_page) as visitor:
        start = time.monotonic()
        for _ in range(15):
            visitor.until("result")
        assert time.monotonic() - start > 0.8


def test_statistics_come_each_second_and_are_kept_for_who_comes_later(page: pages.Page) -> None:
    with pages.Visitor(page) as visitor:
        stats = visitor.until("stats")
        newest = visitor.until("stats", lambda said: said["time_s"] > stats["time_s"])
    assert set(stats) == {
        "type", "time_s", "fps", "invoke_ms", "latency_ms", "dropped", "delegate", "clients",
        "temperature_c",
    }  # fmt: skip
    assert newest["fps"] > 0
    with pages.Visitor(page) as later:
        assert later.next()["type"] == "hello"
        assert later.next()["type"] == "stats"
        later.until("stats", lambda said: said == newest)


def test_pause_and_resume_are_told_to_all(own_page: pages.Page) -> None:
    with pages.Visitor(own_page) as one, pages.Visitor(own_page) as other:
        one.until("result")
        assert one.ask("pause")["paused"] is True
        assert other.until("state")["paused"] is True
        assert own_page.control.paused
        settled = None
        while (said := one_or_none(one, 0.5)) is not None:  # what was on its way
            settled = said if said["type"] == "result" else settled
        assert one.ask("resume")["paused"] is False
        after = one.until("result")
        assert settled is None or after["frame"] > settled["frame"]


def one_or_none(visitor: pages.Visitor, seconds: float) -> dict[str, Any] | None:
    """The next message that is no statistics, if one comes within the time."""
    try:
        message = visitor.socket.recv(timeout=seconds)
    except TimeoutError:
        return None
    if isinstance(message, bytes):
        visitor.send("ack")
        return {"type": "image"}
    said: dict[str, Any] = json.loads(message)
    return said


def test_who_comes_while_it_is_paused_sees_the_last_image(own_page: pages.Page) -> None:
    with pages.Visitor(own_page) as visitor:
        visitor.until("image")
        visitor.ask("pause")
    with pages.Visitor(own_page) as later:
        assert later.next()["paused"] is True
        later.until("image")


def test_settings_count_from_the_next_frame_on(own_page: pages.Page) -> None:
    with pages.Visitor(own_page) as visitor:
        assert visitor.ask("score", value=0.75)["settings"]["score"] == 0.75
        assert visitor.ask("classes", value=["light"])["settings"]["classes"] == ["light"]
        assert own_page.control.settings.classes == ("light",)
        assert visitor.ask("classes", value=None)["settings"]["classes"] is None
    assert own_page.control.settings.score == 0.75


@pytest.mark.parametrize(
    ("message", "code", "said"),
    [
        ('{"type":"score","value":7}', "invalid-option-value", "7.0"),
        ('{"type":"score","value":"high"}', "invalid-option-value", '"high"'),
        ('{"type":"score","value":true}', "invalid-option-value", "true"),
        ('{"type":"score"}', "invalid-option-value", "null"),
        ('{"type":"classes","value":"light"}', "invalid-message", '"light"'),
        ('{"type":"classes","value":[1]}', "invalid-message", "[1]"),
        ('{"type":"record"}', "invalid-message", '"on"'),
        ('{"type":"pose"}', "invalid-message", "'pause'"),
        ('{"type":7}', "invalid-message", '{"type":7}'),
        ("pause", "invalid-message", "pause"),
        ("", "invalid-message", ""),
        ("[" * 100_000, "invalid-message", "[[[["),
    ],
)  # fmt: skip
def test_a_wrong_message_is_answered_and_changes_nothing(
    page: pages.Page, message: str, code: str, said: str
) -> None:
    before = page.control.settings
    with pages.Visitor(page) as visitor:
        visitor.socket.send(message)
        answer = visitor.until("error")
        assert answer["code"] == code
        assert said in answer["message"]
        visitor.until("image")
    assert page.control.settings == before


def test_an_image_where_no_camera_is_wanted(page: pages.Page) -> None:
    with pages.Visitor(page) as visitor:
        visitor.socket.send(b"\xff\xd8")
        error = visitor.until("error")
        assert error["code"] == "browser-camera-not-used"
        assert "--source browser" in error["message"]


def test_a_message_that_is_too_large_is_the_end_of_that_visitor(page: pages.Page) -> None:
    with pages.Visitor(page) as visitor, pages.Visitor(page) as other:
        visitor.socket.send("x" * (session.LARGEST + 1))
        with pytest.raises(exceptions.ConnectionClosed) as caught:
            while True:
                visitor.next()
        assert caught.value.rcvd.code == 1009
        other.until("image")


def test_as_many_visitors_as_there_is_room_for(own_page: pages.Page) -> None:
    visitors = [pages.Visitor(own_page) for _ in range(session.MOST)]
    assert visitors[-1].next()["clients"] == session.MOST
    with (
        pages.Visitor(own_page) as one_more,
        pytest.raises(exceptions.ConnectionClosed) as caught,
    ):
        one_more.next()
    assert caught.value.rcvd.code == 1013
    assert "8" in caught.value.rcvd.reason
    visitors.pop().__exit__()
    with pages.Visitor(own_page) as again:
        assert again.next()["type"] == "hello"
    for visitor in visitors:
        visitor.__exit__()


def test_a_snapshot_is_the_image_of_that_moment(page: pages.Page) -> None:
    with pages.Visitor(page) as visitor:
        visitor.until("image")
        url = visitor.ask("snapshot")["url"]
        visitor.until("result")
        first, again = (httpx.get(page.url + url).content for _ in range(2))
    assert first == again


def test_who_stalls_slows_nobody(own_page: pages.Page) -> None:
    """One never acknowledges, one never reads; a third gets its images meanwhile."""
    way = socket.create_connection(("127.0.0.1", own_page.port))
    way.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    way.sendall(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with pages.Visitor(own_page) as silent, pages.Visitor(own_page) as good:
        for _ in range(15):
            good.until("image")  # each within the visitor's patience, half of the server's
        assert silent.jpegs == []
    way.close()


def test_who_takes_nothing_for_long_counts_as_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_PATIENCE", 0.3)
    with (
        pages.page(tmp_path, "synthetic:1280x720@30") as made,
        socket.create_connection(("127.0.0.1", made.port)) as way,
    ):
        way.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        way.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: made.sink.wants_images)
        wait_until(lambda: not made.sink.wants_images)


class Gate(MeanTask):
    """Reports that something crosses a line in every tenth frame."""

    def postprocess(self, outputs: tuple[Any, ...], frame: Any) -> Any:
        crossed = (Event("line", "door", "in", frame.index, "dog"),)
        found = Detection("dog", 0, 0.9, (1.0, 1.0, 9.0, 9.0), frame.index)
        return Detections((found,), crossed if frame.index % 10 == 0 else ())

    def draw(self, image: Any, result: Any) -> Any:
        return image


def test_no_event_is_missed_though_results_are_thinned(tmp_path: Path) -> None:
    with (
        pages.page(tmp_path, "synthetic:160x120@100", task=Gate()) as made,
        pages.Visitor(made) as visitor,
    ):
        frames = [
            visitor.until("result", lambda said: bool(said["events"]))["frame"] for _ in range(10)
        ]
    assert frames == list(range(frames[0], frames[0] + 100, 10))


def test_the_end_is_told(tmp_path: Path) -> None:
    with (
        pages.page(tmp_path, "synthetic:64x48@30?frames=30") as made,
        pages.Visitor(made) as visitor,
    ):
        assert visitor.until("end")["message"]
        with pytest.raises(exceptions.ConnectionClosedOK):
            while visitor.next():
                pass
