"""Connections of strangers: they end in time, and keep no viewer out."""

import asyncio
import errno
import socket
import time
from asyncio import selector_events
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pages
import pytest
from streams import wait_until

from edge.sinks.web import connections
from edge.sinks.web.connections import ConnectionLimits, RateLimit

httpx = pytest.importorskip("httpx")
server = pytest.importorskip("edge.sinks.web.server")

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_SWEEP_S", 0.05)


@contextmanager
def strangers(page: pages.Page, number: int, sent: bytes = b"", source: str = "127.0.0.1") -> Any:
    """So many connections that send this, and nothing more."""
    with ExitStack() as closing:
        opened = []
        for _ in range(number):
            way = closing.enter_context(
                socket.create_connection(("127.0.0.1", page.port), 10, (source, 0))
            )
            way.sendall(sent)
            opened.append(way)
        yield opened


def guests(page: pages.Page) -> int:
    table: Any = page.sink._server._connections
    return len(table._connections) - table.viewers


def is_closed(way: socket.socket, seconds: float) -> bool:
    """Whether the server ends a connection in time, whatever it answers before."""
    way.settimeout(seconds)
    try:
        while way.recv(4096):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"Content-Length: 9\r\n\r\n", UPGRADE])
def test_strangers_keep_no_viewer_out(tmp_path: Path, sent: bytes) -> None:
    limits = ConnectionLimits(guests=16, guests_per_address=16)
    with pages.page(tmp_path, host="0.0.0.0", limits=limits) as page:
        cookies = {f"edge_{page.port}": page.token}
        with pages.Client(page) as viewer, strangers(page, 50, sent):
            viewer.until("image")
            wait_until(lambda: guests(page) <= 16)
            assert httpx.get(page.url, cookies=cookies).status_code == 200
            with pages.Client(page) as newcomer:
                newcomer.until("image")
            seen = len(viewer.jpegs)
            while len(viewer.jpegs) < seen + 10:
                viewer.next()
        crowded = [note for note in page.notes if "too many" in note]
    assert len(crowded) == 1 if sent in (b"", HEAD) else len(crowded) <= 1  # some are answered


@pytest.mark.parametrize(
    "sent", [b"", HEAD, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n"]
)
def test_an_idle_or_slow_connection_ends(tmp_path: Path, sent: bytes) -> None:
    limits = ConnectionLimits(request_timeout_s=0.3)
    with pages.page(tmp_path, limits=limits) as page, strangers(page, 2, sent) as (idle, slow):
        start = time.monotonic()
        with pytest.raises(OSError, match=r"pipe|reset"):
            while time.monotonic() < start + 10:
                slow.sendall(b"x")
                time.sleep(0.02)
        assert is_closed(idle, 10)
        wait_until(lambda: guests(page) == 0)


def test_a_flood_from_one_address_pushes_out_nobody_elsewhere(tmp_path: Path) -> None:
    limits = ConnectionLimits(guests=8, guests_per_address=8)
    with (
        pages.page(tmp_path, host="0.0.0.0", limits=limits) as page,
        strangers(page, 2, source="127.0.0.3") as others,
        strangers(page, 30, source="127.0.0.2") as flood,
    ):
        wait_until(lambda: sum(is_closed(way, 0.01) for way in flood) >= 22)
        assert guests(page) <= 8
        assert not any(is_closed(way, 0.01) for way in others)


def test_an_address_has_a_limit_of_its_own(tmp_path: Path) -> None:
    limits = ConnectionLimits(guests=100, guests_per_address=4)
    with pages.page(tmp_path, limits=limits) as page, strangers(page, 20):
        wait_until(lambda: guests(page) == 4)


def test_a_client_that_takes_no_file_is_disconnected(tmp_path: Path) -> None:
    name = "2026-01-01_00-00-00.mkv"
    (tmp_path / name).write_bytes(bytes(20_000_000))
    limits = ConnectionLimits(request_timeout_s=0.2, send_timeout_s=0.2)
    with pages.page(tmp_path, limits=limits) as page:
        answer = httpx.get(f"{page.url}/recordings/{name}")
        assert len(answer.content) == 20_000_000
        with strangers(page, 1, HEAD.replace(b"/", b"/recordings/" + name.encode(), 1) + b"\r\n"):
            wait_until(lambda: guests(page) == 1)
            wait_until(lambda: guests(page) == 0)


@pytest.fixture
def exhausted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The system has no more descriptors three times."""
    failures: list[int] = []
    accept = selector_events.BaseSelectorEventLoop.sock_accept

    async def failing(self: Any, listening: socket.socket) -> Any:
        if len(failures) < 3:
            failures.append(errno.EMFILE)
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept(self, listening)

    monkeypatch.setattr(selector_events.BaseSelectorEventLoop, "sock_accept", failing)
    monkeypatch.setattr(connections, "_EXHAUSTED_PAUSE_S", 0.01)
    return failures


def test_without_descriptors_it_waits_and_says_so_once(
    exhausted: list[int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pages.page(tmp_path) as page:
        assert httpx.get(page.url).status_code == 200
        assert len(exhausted) == 3
        assert [note for note in page.notes if "too many open files" in note] == [
            "web: a connection has to wait: too many open files"
        ]
    assert capfd.readouterr().err == ""


def test_the_same_line_comes_once_in_a_while() -> None:
    limit = RateLimit(0.05)
    assert [limit.count() for _ in range(3)] == [1, 0, 0]
    time.sleep(0.06)
    assert limit.count() == 3


def test_an_error_that_repeats_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    reporting: Any = server._reporting(broken)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            asyncio.run(reporting({}, None, None))
    assert capsys.readouterr().err.count("Traceback") == 1


@pytest.mark.parametrize(
    ("host", "network"),
    [("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"),
     ("2001:db8::1", "2001:db8::/64"), ("fe80::1%eth0", "fe80::/64")],
)  # fmt: skip
def test_addresses_of_one_client(host: str, network: str) -> None:
    assert connections._network(host) == network
