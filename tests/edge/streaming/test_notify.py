"""Notifications that systemd gets from a stream."""

import socket
import threading
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest
from streams import ListedSource, MeanTask

from edge import session
from edge.errors import SourceError
from edge.sources import open_source
from edge.sources.source import SourceOptions
from edge.streaming import notify, stream
from edge.streaming.control import StreamControl


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(address)
        server.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        yield server


def received(server: socket.socket) -> list[dict[str, str]]:
    messages = []
    try:
        while True:
            lines = server.recv(4096).decode().splitlines()
            messages.append(dict(line.split("=", 1) for line in lines))
    except BlockingIOError:
        return messages


def test_a_session_notifies_systemd(systemd: socket.socket) -> None:
    session.run(MeanTask(), "synthetic:64x48?frames=2", ["none"], say=lambda _: None)
    first, *_, last = received(systemd)
    assert first["READY"] == "1"
    assert last == {"STOPPING": "1"}


def test_sends_ready_for_the_first_frame_and_watchdog_for_later_ones(
    systemd: socket.socket,
) -> None:
    control = StreamControl(MeanTask())
    notifier = notify.notifier(control, min_interval_s=0.05)
    assert notifier is not None
    source = open_source("synthetic:64x48@50?frames=30", SourceOptions(realtime=True))
    stream.run(lambda: source, control.task, [notifier], control=control, say=lambda _: None)
    first, *others, last = received(systemd)
    assert first["READY"] == "1"
    assert first["STATUS"].endswith("fps on cpu")
    assert 2 <= len(others) < 29, "not every frame is sent"
    assert all(message["WATCHDOG"] == "1" for message in others)
    assert last == {"STOPPING": "1"}


def test_a_stream_without_a_frame_is_never_ready(systemd: socket.socket) -> None:
    with pytest.raises(SourceError):
        session.run(MeanTask(), "/nowhere.mp4", ["none"], say=lambda _: None)
    assert received(systemd) == []


def test_a_missing_socket_does_not_end_the_stream(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    done = session.run(MeanTask(), "synthetic:64x48?frames=3", ["none"], say=lambda _: None)
    assert done.frames == 3


def test_an_abstract_socket() -> None:
    name = f"edge-test-{id(object())}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(f"\0{name}")
        server.settimeout(5)
        session.run(
            MeanTask(), "synthetic:64x48?frames=2",
            [notify.SystemdNotifier(f"@{name}", StreamControl(MeanTask()))], say=lambda _: None,
        )  # fmt: skip
        assert server.recv(4096).startswith(b"READY=1\n")


def test_without_systemd_there_is_no_notifier() -> None:
    assert notify.notifier(StreamControl(MeanTask()), {}) is None


def test_sends_watchdog_during_a_pause(systemd: socket.socket) -> None:
    systemd.settimeout(5)
    control, stop = StreamControl(MeanTask()), threading.Event()
    notifier = notify.notifier(control, min_interval_s=0.05)
    assert notifier is not None
    running = threading.Thread(
        target=stream.run, args=(lambda: ListedSource(repeat(1)), MeanTask(), [notifier]),
        kwargs={"stop": stop, "control": control, "say": lambda _: None},
    )  # fmt: skip
    running.start()
    assert systemd.recv(4096).startswith(b"READY=1\n")
    control.pause()
    while systemd.recv(4096) != b"WATCHDOG=1\nSTATUS=paused":
        pass
    assert systemd.recv(4096) == b"WATCHDOG=1\nSTATUS=paused", "sent repeatedly"
    stop.set()
    running.join()
