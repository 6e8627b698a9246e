"""Telling systemd that the stream lives, where it started the program as a service.

Protocol: sd_notify(3). READY comes with the first processed frame, not with the start of the
program: a camera that gives nothing, or a model that fails, is no service that runs.
"""

import os
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from edge.frame import Output
from edge.streaming.control import StreamControl

SOCKET = "NOTIFY_SOCKET"
"""Environment variable with the address of systemd's socket; "@" stands for an abstract one."""

_PAUSE = 1.0
"""Least seconds between two messages."""


def notifier(
    control: StreamControl, environment: Mapping[str, str] = os.environ
) -> "Notifier | None":
    """A sink that tells systemd of processed frames; None where no systemd asks for it."""
    address = environment.get(SOCKET)
    return Notifier(address, control) if address else None


class Notifier:
    """READY for the first frame, then WATCHDOG with the pace, at most once a second; while somebody
    pauses the stream, too, since then no frame has to come."""

    name, wants_images, queue_size = "systemd", False, 0

    def __init__(self, address: str, control: StreamControl) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._ready, self._next = False, 0.0
        self._control, self._closed = control, threading.Event()
        self._thread = threading.Thread(target=self._watch, name="systemd", daemon=True)

    def write(self, output: Output) -> None:
        now = time.monotonic()
        if self._ready and now < self._next:
            return
        said = "WATCHDOG=1" if self._ready else "READY=1"
        status = output.status
        self._tell(f"{said}\nSTATUS={output.task}: {status.fps:.1f} fps on {status.delegate}")
        if not self._ready:
            self._thread.start()
        self._ready, self._next = True, now + _PAUSE

    def close(self) -> None:
        if self._ready:
            self._closed.set()
            self._thread.join()
            self._tell("STOPPING=1")
        self._socket.close()

    def _watch(self) -> None:
        while not self._closed.wait(_PAUSE):
            if self._control.paused:
                self._tell("WATCHDOG=1\nSTATUS=paused")

    def _tell(self, message: str) -> None:
        # Nobody listens any more: systemd judges by its watchdog, and the stream has its frames.
        with suppress(OSError):
            self._socket.sendto(message.encode(), self._address)
