"""Messages to and from a client of the page."""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pages
import pytest
from streams import MeanTask, wait_until

from edge.results import Detection, Detections, Event
from edge.sinks.web import requests, session
from edge.sinks.web.connections import ConnectionLimits
from edge.tracking.boundaries import Line, Zone

exceptions = pytest.importorskip("websockets.exceptions")
pytest.importorskip("edge.sinks.web.server")
httpx = pytest.importorskip("httpx")


def test_images_move_and_grow_to_their_full_size(page: pages.Page) -> None:
    with pages.Client(page) as client:
        client.until("image")
        end = time.monotonic() + 20
        while len(client.jpegs[-1]) < 1.5 * len(client.jpegs[0]):
            assert time.monotonic() < end
            client.until("image")
    images = [cv2.imdecode(np.frombuffer(data, np.uint8), 1) for data in client.jpegs]
    assert all(image.shape == (120, 160, 3) for image in images)
    assert (images[0] != images[-1]).any()


def test_a_result_is_the_record_of_its_frame_and_a_summary(page: pages.Page) -> None:
    with pages.Client(page) as client:
        assert client.next()["type"] == "hello"
        first, second = client.until("result"), client.until("result")
    assert set(first) == {"type", "schema", "frame", "time_s", "task", "value", "summary", "size"}
    assert first["size"] == [160, 120]
    assert first["summary"] == str(first["value"])
    assert second["frame"] > first["frame"]


def test_results_come_at_most_fifteen_times_a_second(own_page: pages.Page) -> None:
    with pages.Client(own_page) as client:
        start = time.monotonic()
        for _ in range(15):
            client.until("result")
        assert time.monotonic() - start > 0.8


def test_statistics_come_each_second_and_are_kept_for_new_clients(page: pages.Page) -> None:
    with pages.Client(page) as client:
        stats = client.until("stats")
        newest = client.until("stats", lambda message: message["time_s"] > stats["time_s"])
    assert set(stats) == {
        "type", "time_s", "fps", "invoke_ms", "latency_ms", "dropped", "delegate", "clients",
        "temperature_c",
    }  # fmt: skip
    assert newest["fps"] > 0
    with pages.Client(page) as later:
        assert [later.next()["type"] for _ in range(3)] == ["hello", "events", "stats"]
        later.until("stats", lambda message: message == newest)


def test_pause_and_resume_are_sent_to_all(own_page: pages.Page) -> None:
    with pages.Client(own_page) as first, pages.Client(own_page) as other:
        first.until("result")
        assert first.ask("pause")["paused"] is True
        assert other.until("state")["paused"] is True
        assert own_page.control.paused
        settled = None
        while (message := next_message(first, 0.5)) is not None:  # what was on its way
            settled = message if message["type"] == "result" else settled
        assert first.ask("resume")["paused"] is False
        after = first.until("result")
        assert settled is None or after["frame"] > settled["frame"]


def next_message(client: pages.Client, seconds: float) -> dict[str, Any] | None:
    """The next message that is no statistics, if one comes within the time."""
    try:
        message = client.socket.recv(timeout=seconds)
    except TimeoutError:
        return None
    if isinstance(message, bytes):
        client.send("ack")
        return {"type": "image"}
    content: dict[str, Any] = json.loads(message)
    return content


def test_a_new_client_during_a_pause_gets_the_last_image(own_page: pages.Page) -> None:
    with pages.Client(own_page) as client:
        client.until("image")
        client.ask("pause")
    with pages.Client(own_page) as later:
        assert later.next()["paused"] is True
        later.until("image")


def test_settings_apply_from_the_next_frame(own_page: pages.Page) -> None:
    with pages.Client(own_page) as client:
        assert client.ask("score", value=0.75)["settings"]["score"] == 0.75
        assert client.ask("classes", value=["light"])["settings"]["classes"] == ["light"]
        assert own_page.control.settings.classes == ("light",)
        assert client.ask("classes", value=None)["settings"]["classes"] is None
    assert own_page.control.settings.score == 0.75


class Counting(MeanTask):
    """Has a line already, and space for others."""

    def __init__(self) -> None:
        super().__init__()
        self.chosen = replace(self.chosen, boundaries=(Line("door", (1, 2), (30, 40)),))


DOOR = {"kind": "line", "name": "door", "points": [[1, 2], [30, 40]]}
SHOP = {"kind": "zone", "name": "shop <b>", "points": [[0, 0], [50, 0], [50, 60.5]]}


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pages.Page]:
    """A page whose task counts; leave it as you found it."""
    with pages.page(tmp_path_factory.mktemp("recordings"), task=Counting()) as page:
        yield page


def test_lines_and_zones_are_added_changed_and_removed(counting: pages.Page) -> None:
    with pages.Client(counting) as client:
        (first,) = client.next()["settings"]["boundaries"]
        assert first == DOOR | {"option": "--line door:1,2,30,40"}
        added = client.ask("boundary", name=None, value=SHOP)["settings"]["boundaries"]
        assert added[1] == SHOP | {"option": "--zone 'shop <b>:0,0,50,0,50,60.5'"}
        gate = DOOR | {"name": "gate", "points": [[5, 5], [30, 40]]}
        state = client.ask("boundary", name="door", value=gate)
        assert [item["name"] for item in state["settings"]["boundaries"]] == ["gate", "shop <b>"]
        assert counting.control.settings.boundaries == (
            Line("gate", (5, 5), (30, 40)),
            Zone("shop <b>", ((0, 0), (50, 0), (50, 60.5))),
        )
        client.ask("boundary", name="shop <b>", value=None)
        state = client.ask("boundary", name="gate", value=DOOR)
        assert state["settings"]["boundaries"] == [first]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        (None, None, "invalid-message"),
        (None, "door", "invalid-message"),
        (None, DOOR | {"kind": "circle"}, "invalid-message"),
        (None, DOOR | {"points": [[1, 2]]}, "invalid-message"),
        (None, DOOR | {"points": [[1, 2], [3, 4], [5, 6]]}, "invalid-message"),
        (None, DOOR | {"points": [[1, 2], [3, "4"]]}, "invalid-message"),
        (None, DOOR | {"points": [[1, 2], [3, float("nan")]]}, "invalid-message"),
        (None, DOOR | {"points": [[1, 2], [3, 10**400]]}, "invalid-message"),
        (None, DOOR | {"points": [[1, 2], [3, True]]}, "invalid-message"),
        (None, DOOR | {"points": {"0": [1, 2]}}, "invalid-message"),
        (None, SHOP | {"points": [[0, index] for index in range(100)]}, "invalid-message"),
        (None, DOOR | {"name": "x", "points": [[1, 2], [1, 2]]}, "invalid-line"),
        (None, SHOP | {"points": [[0, 0], [5, 5], [9, 9]]}, "invalid-zone"),
        (None, DOOR | {"name": ""}, "invalid-name"),
        (None, DOOR | {"name": "x" * 41}, "invalid-name"),
        (None, DOOR | {"name": "a\nb"}, "invalid-name"),
        (None, DOOR | {"name": 7}, "invalid-name"),
        ("gate", DOOR, "unknown-boundary"),
        (["door"], DOOR, "unknown-boundary"),
    ],
)  # fmt: skip
def test_an_invalid_line_or_zone_is_answered_and_changes_nothing(
    counting: pages.Page, name: Any, value: Any, code: str
) -> None:
    before = counting.control.settings
    with pages.Client(counting) as client:
        answer = client.ask("boundary", name=name, value=value)
        assert (answer["type"], answer["code"]) == ("error", code)
        assert len(answer["message"]) < 400
    assert counting.control.settings == before


def test_there_are_only_so_many_lines(tmp_path: Path) -> None:
    with pages.page(tmp_path, task=Counting()) as page, pages.Client(page) as client:
        for number in range(requests.MAX_BOUNDARIES - 1):
            answer = client.ask("boundary", name=None, value=DOOR | {"name": f"line {number}"})
            assert answer["type"] == "state"
        answer = client.ask("boundary", name=None, value=DOOR | {"name": "last"})
        assert answer["code"] == "too-many-boundaries"


def test_a_task_without_lines_refuses_them(page: pages.Page) -> None:
    with pages.Client(page) as client:
        assert client.ask("boundary", value=DOOR)["code"] == "boundaries-not-supported"


@pytest.mark.parametrize(
    ("message", "code", "quoted"),
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
def test_an_invalid_message_is_answered_and_changes_nothing(
    page: pages.Page, message: str, code: str, quoted: str
) -> None:
    before = page.control.settings
    with pages.Client(page) as client:
        client.socket.send(message)
        answer = client.until("error")
        assert answer["code"] == code
        assert quoted in answer["message"]
        client.until("image")
    assert page.control.settings == before


def test_an_image_without_the_source_browser_is_an_error(page: pages.Page) -> None:
    with pages.Client(page) as client:
        client.socket.send(b"\xff\xd8")
        error = client.until("error")
        assert error["code"] == "browser-camera-not-used"
        assert "--source browser" in error["message"]


def test_a_too_large_message_disconnects_its_client(page: pages.Page) -> None:
    with pages.Client(page) as client, pages.Client(page) as other:
        client.socket.send("x" * (session.MAX_MESSAGE_BYTES + 1))
        with pytest.raises(exceptions.ConnectionClosed) as caught:
            while True:
                client.socket.recv()  # without acknowledging: a write would hide the closing frame
        # With the rest of the message unread, the system may reset the connection at once.
        assert caught.value.rcvd is None or caught.value.rcvd.code == 1009
        other.until("image")


def test_limits_the_number_of_clients(own_page: pages.Page) -> None:
    clients = [pages.Client(own_page) for _ in range(session.MAX_CLIENTS)]
    assert clients[-1].next()["clients"] == session.MAX_CLIENTS
    with (
        pages.Client(own_page) as extra,
        pytest.raises(exceptions.ConnectionClosed) as caught,
    ):
        extra.next()
    assert caught.value.rcvd.code == 1013
    assert "8" in caught.value.rcvd.reason
    clients.pop().__exit__()
    with pages.Client(own_page) as again:
        assert again.next()["type"] == "hello"
    for client in clients:
        client.__exit__()


def test_a_snapshot_is_the_image_of_that_moment(page: pages.Page) -> None:
    with pages.Client(page) as client:
        client.until("image")
        url = client.ask("snapshot")["url"]
        client.until("result")
        first, again = (httpx.get(page.url + url).content for _ in range(2))
    assert first == again


def test_a_stalled_client_slows_no_other(own_page: pages.Page) -> None:
    """One never acknowledges, one never reads; a third gets its images meanwhile."""
    stalled = socket.create_connection(("127.0.0.1", own_page.port))
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.sendall(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with pages.Client(own_page) as silent, pages.Client(own_page) as good:
        for _ in range(15):
            good.until("image")  # each within the client's patience, half of the server's
        assert silent.jpegs == []
    stalled.close()


def test_a_client_that_takes_no_data_is_disconnected(tmp_path: Path) -> None:
    with (
        pages.page(
            tmp_path, "synthetic:1280x720@30", limits=ConnectionLimits(send_timeout_s=0.3)
        ) as page,
        socket.create_connection(("127.0.0.1", page.port)) as stalled,
    ):
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: page.sink.wants_images)
        wait_until(lambda: not page.sink.wants_images)


class Gate(MeanTask):
    """Reports that something crosses a line in every tenth frame."""

    def postprocess(self, outputs: tuple[Any, ...], frame: Any) -> Any:
        crossed = (Event("line", "door", "in", frame.index, "dog"),)
        detection = Detection("dog", 0, 0.9, (1.0, 1.0, 9.0, 9.0), frame.index)
        return Detections((detection,), crossed if frame.index % 10 == 0 else ())

    def draw(self, image: Any, result: Any) -> Any:
        return image


def test_every_event_is_sent_although_results_are_limited(tmp_path: Path) -> None:
    with (
        pages.page(tmp_path, "synthetic:160x120@100", task=Gate()) as page,
        pages.Client(page) as client,
    ):
        frames = [
            client.until("result", lambda message: bool(message["events"]))["frame"]
            for _ in range(10)
        ]
        assert frames == list(range(frames[0], frames[0] + 100, 10))
        with pages.Client(page) as later:
            events = later.until("events")["events"]
    assert events[-len(frames)]["track_id"] >= frames[0]
    assert {key: events[-1][key] for key in ("kind", "name", "direction", "label")} == {
        "kind": "line", "name": "door", "direction": "in", "label": "dog",
    }  # fmt: skip
    ages = [event["ago_s"] for event in events]
    assert ages == sorted(ages, reverse=True)
    assert 0 <= ages[-1] < 10


def test_the_end_is_sent(tmp_path: Path) -> None:
    with (
        pages.page(tmp_path, "synthetic:64x48@30?frames=30") as page,
        pages.Client(page) as client,
    ):
        assert client.until("end")["message"]
        with pytest.raises(exceptions.ConnectionClosedOK):
            while client.next():
                pass
