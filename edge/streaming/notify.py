"""Notifications to systemd, where it started the program as a service.

Protocol: sd_notify(3). READY is sent with the first processed frame, not at the start of the
program: a service whose camera delivers nothing, or whose model fails, is not running.
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
"""Environment variable with the address of systemd's socket; "@" begins an abstract one."""

MIN_INTERVAL_S = 1.0
"""Minimum seconds between two messages."""


def notifier(
    control: StreamControl,
    environment: Mapping[str, str] = os.environ,
    min_interval_s: float = MIN_INTERVAL_S,
) -> "SystemdNotifier | None":
    """Make a sink that notifies systemd of processed frames; None where no systemd asks for it."""
    address = environment.get(SOCKET)
    return SystemdNotifier(address, control, min_interval_s) if address else None


class SystemdNotifier:
    """Sends READY for the first frame, then WATCHDOG with the frame rate, at most once a second.

    While the stream is paused it sends WATCHDOG, too, since then no frames are expected.
    """

    name, wants_images, queue_size = "systemd", False, 0

    def __init__(
        self, address: str, control: StreamControl, min_interval_s: float = MIN_INTERVAL_S
    ) -> None:
        self._min_interval_s = min_interval_s
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._ready, self._next = False, 0.0
        self._control, self._closed = control, threading.Event()
        self._thread = threading.Thread(target=self._watch, name="systemd", daemon=True)

    def write(self, output: Output) -> None:
        """Notify systemd of a processed frame."""
        now = time.monotonic()
        if self._ready and now < self._next:
            return
        state = "WATCHDOG=1" if self._ready else "READY=1"
        status = output.status
        self._send(f"{state}\nSTATUS={output.task}: {status.fps:.1f} fps on {status.delegate}")
        if not self._ready:
            self._thread.start()
        self._ready, self._next = True, now + self._min_interval_s

    def close(self) -> None:
        """Notify systemd of the end."""
        if self._ready:
            self._closed.set()
            self._thread.join()
            self._send("STOPPING=1")
        self._socket.close()

    def _watch(self) -> None:
        while not self._closed.wait(self._min_interval_s):
            if self._control.paused:
                self._send("WATCHDOG=1\nSTATUS=paused")

    def _send(self, message: str) -> None:
        # A lost socket must not end the stream; systemd acts by its watchdog.
        with suppress(OSError):
            self._socket.sendto(message.encode(), self._address)
