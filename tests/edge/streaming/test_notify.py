"""What systemd hears from a stream that it started."""

import socket
import threading
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest
from streams import ListedSource, MeanTask

from edge import session
from edge.errors import SourceError
from edge.streaming import notify, stream
from edge.streaming.control import StreamControl


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(address)
        told.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        yield told


def heard(told: socket.socket) -> list[dict[str, str]]:
    messages = []
    try:
        while True:
            lines = told.recv(4096).decode().splitlines()
            messages.append(dict(line.split("=", 1) for line in lines))
    except BlockingIOError:
        return messages


def test_the_first_frame_is_ready_and_later_ones_are_signs_of_life(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "_PAUSE", 0.05)
    session.run(
        MeanTask(), "synthetic:64x48@50?frames=30", ["none"],
        options=session.SourceOptions(realtime=True), say=lambda _: None,
    )  # fmt: skip
    first, *others, last = heard(systemd)
    assert first["READY"] == "1"
    assert first["STATUS"].endswith("fps on cpu")
    assert 2 <= len(others) < 29, "not every frame is told"
    assert all(message["WATCHDOG"] == "1" for message in others)
    assert last == {"STOPPING": "1"}


def test_a_stream_without_a_frame_is_never_ready(systemd: socket.socket) -> None:
    with pytest.raises(SourceError):
        session.run(MeanTask(), "/nowhere.mp4", ["none"], say=lambda _: None)
    assert heard(systemd) == []


def test_a_systemd_that_is_gone_does_not_end_the_stream(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    done = session.run(MeanTask(), "synthetic:64x48?frames=3", ["none"], say=lambda _: None)
    assert done.frames == 3


def test_an_abstract_socket() -> None:
    name = f"edge-test-{id(object())}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(f"\0{name}")
        told.settimeout(5)
        session.run(
            MeanTask(), "synthetic:64x48?frames=2",
            [notify.Notifier(f"@{name}", StreamControl(MeanTask()))], say=lambda _: None,
        )  # fmt: skip
        assert told.recv(4096).startswith(b"READY=1\n")


def test_without_systemd_there_is_nobody_to_tell() -> None:
    assert notify.notifier(StreamControl(MeanTask()), {}) is None


def test_a_pause_is_no_death(systemd: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "_PAUSE", 0.05)
    systemd.settimeout(5)
    control, stop = StreamControl(MeanTask()), threading.Event()
    notifier = notify.notifier(control)
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
    assert systemd.recv(4096) == b"WATCHDOG=1\nSTATUS=paused", "it is told again and again"
    stop.set()
    running.join()
