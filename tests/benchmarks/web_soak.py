"""A long stream with clients that come, stall and leave: memory stays flat, the rate unharmed.

    python tests/benchmarks/web_soak.py [--minutes 30]

A stream at the pace of a camera, 640 × 480 at 30 a second, through a tiny classifier into the page
of the sink ``web``. Times without and with clients take turns, so that both meet the same machine.
The clients, in a process of their own: some that look, one that comes and goes, one that never
acknowledges an image, one that never reads what it gets, and a slow reader of the plain stream.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import pages
import tiny_models

from edge.tasks.classify.classifier import Classifier
from edge.terminal import suppress_native_stderr

PHASE = 10.0
"""Seconds without clients, then with them, and so on."""

SETTLING = 2.0
"""Seconds at the beginning of a phase that are not counted."""

LOOKING = 3
HARM, GROWTH_MB = 0.03, 2.0
"""Allowed: share of the frame rate; growth of memory over 30 minutes."""

LEAST = 20.0
"""Minutes from which on the memory is judged: before, it still finds its level."""


def look(page: Any, ending: threading.Event, *, stay: float, acknowledge: bool) -> None:
    """Visit the page again and again, for ``stay`` seconds each time."""
    while not ending.is_set():
        with suppress(Exception), pages.Client(page) as client:
            until = time.monotonic() + stay
            while time.monotonic() < until and not ending.is_set():
                client.next() if acknowledge else client.socket.recv(timeout=1)


def stall(port: int, path: str, ending: threading.Event, every: float | None) -> None:
    """Ask for ``path`` and read a little of it now and then; never, where ``every`` is None."""
    upgrade = (
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    )
    with socket.create_connection(("127.0.0.1", port)) as way:
        way.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode()
        way.sendall(head + (upgrade if path == "/ws" else b"") + b"\r\n")
        while not ending.wait(every or 0.2):
            if every is not None:
                way.recv(2048)


def clients(url: str) -> None:
    """Come and go as the lines "on" and "off" on stdin say."""
    page: Any = argparse.Namespace(url=url, port=int(url.rpartition(":")[2]), token="")
    with ExitStack() as here:
        for line in sys.stdin:
            here.close()
            if line.strip() == "on":
                come(page, here)


def come(page: Any, here: ExitStack) -> None:
    ending = threading.Event()
    kinds: list[tuple[Any, ...]] = [
        *[(look, page, ending, {"stay": 1e9, "acknowledge": True})] * LOOKING,
        (look, page, ending, {"stay": 0.5, "acknowledge": True}),
        (look, page, ending, {"stay": 1e9, "acknowledge": False}),
    ]
    threads = [
        threading.Thread(target=kind, args=given, kwargs=options) for kind, *given, options in kinds
    ]
    threads.append(threading.Thread(target=stall, args=(page.port, "/ws", ending, None)))
    threads.append(threading.Thread(target=stall, args=(page.port, "/stream.mjpg", ending, 0.1)))
    for thread in threads:
        thread.start()
        here.callback(thread.join, 5)
    here.callback(ending.set)


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def held() -> tuple[int, int]:
    """Threads and open files of this process."""
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


class Counting:
    """The sink of the page, with its frames and the time it takes for them counted."""

    def __init__(self, sink: Any) -> None:
        self._sink, self.frames, self.late = sink, 0, 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)

    def write(self, output: Any) -> None:
        self._sink.write(output)
        self.frames += 1
        self.late = max(self.late, time.perf_counter() - output.captured)


def soak(task: Any, folder: Path, minutes: float) -> bool:
    rates: dict[str, list[float]] = {"off": [], "on": []}
    memory: list[tuple[float, float]] = []
    with pages.page(folder, "synthetic:640x480@30", task=task, wrapped=Counting) as page:
        command = [sys.executable, __file__, "--visit", page.url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as others:
            assert others.stdin is not None
            start = time.monotonic()
            while (now := time.monotonic()) < start + 60 * minutes:
                word = "on" if len(rates["off"]) > len(rates["on"]) else "off"
                print(word, file=others.stdin, flush=True)
                time.sleep(min(SETTLING, PHASE / 4))
                rates[word].append(rate(page.sink, now + min(PHASE, 30 * minutes), memory))
                here = len(page.sink._hub.clients)
                passed = (time.monotonic() - start) / 60
                print(
                    f"  {passed:6.1f} min  {rates[word][-1]:6.2f} a second, clients {word:3s} "
                    f"({here}), {memory[-1][1]:.1f} MB, latest {1e3 * page.sink.late:.0f} ms",
                    flush=True,
                )
                page.sink.late = 0.0
            others.stdin.close()
    return judged(rates, memory, minutes)


def rate(sink: Any, until: float, memory: list[tuple[float, float]]) -> float:
    """Frames a second up to a time; the memory is read each second."""
    frames, start = sink.frames, time.monotonic()
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(1.0, left))
        memory.append((time.monotonic(), resident_mb()))
    return float((sink.frames - frames) / (time.monotonic() - start))


def judged(
    rates: dict[str, list[float]], memory: list[tuple[float, float]], minutes: float
) -> bool:
    pairs = list(zip(rates["off"], rates["on"], strict=False))
    harm = statistics.median(1 - busy / quiet for quiet, busy in pairs)
    alone, visited = (statistics.mean(rates[word][: len(pairs)]) for word in ("off", "on"))
    print(
        f"frames a second: {alone:.2f} alone, {visited:.2f} with clients; "
        f"{100 * harm:+.2f} % lost, the median of {len(pairs)} turns (allowed: {100 * HARM:g} %)"
    )
    growth = 1800 * slope(memory[len(memory) // 4 :])
    counts = f"allowed: {GROWTH_MB:g}" if minutes >= LEAST else f"judged from {LEAST:g} min on"
    print(f"memory: {growth:+.2f} MB in 30 minutes ({counts})")
    return harm <= HARM and (minutes < LEAST or growth <= GROWTH_MB)


def slope(readings: list[tuple[float, float]]) -> float:
    """Of a line through readings: the median of all pairs' (Theil 1950, Sen 1968).

    What an allocator keeps for a while and gives back does not move it.
    """
    times, values = np.array(readings).T
    first, second = np.triu_indices(len(times), 1)
    return float(np.median((values[second] - values[first]) / (times[second] - times[first])))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--visit", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.visit:
        clients(given.visit)
        return 0
    with tempfile.TemporaryDirectory() as name:
        model = Path(name) / "colors.tflite"
        model.write_bytes(tiny_models.color_classifier())
        with suppress_native_stderr():
            task = Classifier.open(model, threads=1)
        with pages.page(Path(name), task=task) as page, pages.Client(page) as client:
            client.until("result")  # whatever is loaded late is there now
        before = held()
        good = soak(task, Path(name), given.minutes)
        after = held()
    print(f"threads and files before {before}, after {after}")
    good = good and before == after
    print("good" if good else "NOT good")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
