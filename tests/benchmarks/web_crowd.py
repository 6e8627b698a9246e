"""Viewers of the page while strangers occupy it: they keep their images, and newcomers get in.

    python tests/benchmarks/web_crowd.py [--idle 2000] [--slow 200] [--seconds 20]

A stream at the pace of a camera, 640 × 480 at 30 a second, through a tiny classifier into the page
of the sink ``web`` with a token. Three viewers watch, and a newcomer opens the page twice a second,
first alone, then beside the crowd: idle connections that send nothing, and slow ones that send a
header, a body or nothing but one byte at a time. None of the crowd has the token; whoever is
disconnected comes back after a second. All come from the same address, as through an SSH tunnel.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import pages
import tiny_models

from edge.tasks.classify.classifier import Classifier
from edge.terminal import suppress_native_stderr

VIEWERS = 3
NEWCOMER_S = 0.5
RETURN_S = 1.0
"""Seconds after which somebody of the crowd who was disconnected comes back."""

HARM, PATIENCE_S, MAX_STDERR = 0.2, 5.0, 10_000
"""Allowed: share of a viewer's images; seconds until a newcomer's first; bytes on stderr."""


def view(url: str, token: str, seconds: float) -> None:
    """Watch for a while; print the images per second of each viewer, and newcomers' waits."""
    page: Any = argparse.Namespace(url=url, token=token, port=int(url.rpartition(":")[2]))
    images, waits, until = [0] * VIEWERS, [], time.monotonic() + seconds

    def watch(number: int) -> None:
        with suppress(Exception), pages.Client(page) as client:
            while time.monotonic() < until:
                images[number] += client.next()["type"] == "image"

    threads = [threading.Thread(target=watch, args=(number,)) for number in range(VIEWERS)]
    for thread in threads:
        thread.start()
    while (start := time.monotonic()) < until - PATIENCE_S:
        try:
            request = Request(f"{url}/", headers={"Cookie": f"edge_{page.port}={token}"})
            urlopen(request, timeout=PATIENCE_S).close()
            with pages.Client(page) as client:
                client.until("image")
            waits.append(time.monotonic() - start)
        except Exception:
            waits.append(float("inf"))
        time.sleep(max(0.0, NEWCOMER_S - (time.monotonic() - start)))
    for thread in threads:
        thread.join()
    print(json.dumps({"rates": [count / seconds for count in images], "waits": waits}))


async def crowd(port: int, idle: int, slow: int) -> None:
    """Occupy the page until cancelled."""
    beginnings = [b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
                  b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", b""]  # fmt: skip

    async def occupy(beginning: bytes | None) -> None:
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                closed = asyncio.ensure_future(reader.read(-1))
                if beginning is not None:
                    writer.write(beginning)
                while not closed.done():
                    await asyncio.wait([closed], timeout=None if beginning is None else 0.5)
                    if beginning is not None:
                        writer.write(b"x")
                writer.close()
            await asyncio.sleep(RETURN_S)

    kinds: list[bytes | None] = [None] * idle + [beginnings[n % 3] for n in range(slow)]
    await asyncio.gather(*(occupy(kind) for kind in kinds))


def phase(page: pages.Page, seconds: float, crowded: list[str] | None) -> dict[str, Any]:
    """Measure the viewers, with the crowd where its command is given."""
    others = subprocess.Popen(crowded, stderr=subprocess.DEVNULL) if crowded else None
    time.sleep(3.0 if crowded else 0.5)
    start = time.monotonic()
    command = [sys.executable, __file__, "--view", page.url, page.token, "--seconds", str(seconds)]
    frames, files, busy = page.sink.frames, 0, time.process_time()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as viewers:
        while viewers.poll() is None:
            files = max(files, len(os.listdir("/proc/self/fd")))
            time.sleep(0.2)
        assert viewers.stdout is not None
        seen = json.loads(viewers.stdout.read())
    took = time.monotonic() - start
    seen |= {"frames": (page.sink.frames - frames) / took, "files": files,
             "busy": (time.process_time() - busy) / took}  # fmt: skip
    if others is not None:
        others.kill()
        others.wait()
    came = [wait for wait in seen["waits"] if wait < float("inf")]
    print(
        f"  {'crowd' if crowded else 'alone'}: stream {seen['frames']:.1f} frames a second; "
        f"viewers {', '.join(f'{rate:.1f}' for rate in seen['rates'])} images a second; newcomers "
        f"{len(came)} of {len(seen['waits'])}, first image after "
        f"{statistics.median(came or [0]):.2f} s, at most {max(came, default=0):.2f} s; "
        f"{seen['files']} open files, {100 * seen['busy']:.0f} % of a core",
        flush=True,
    )
    return dict(seen)


class Counting:
    """The sink of the page, with its frames counted."""

    def __init__(self, sink: Any) -> None:
        self._sink, self.frames = sink, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)

    def write(self, output: Any) -> None:
        self._sink.write(output)
        self.frames += 1


def measure(task: Any, folder: Path, given: argparse.Namespace) -> bool:
    log = folder / "stderr"
    with pages.page(
        folder, "synthetic:640x480@30", "0.0.0.0", task=task, wrapped=Counting
    ) as page, log.open("w") as file:  # fmt: skip
        before = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            alone = phase(page, given.seconds, None)
            people = ["--idle", str(given.idle), "--slow", str(given.slow)]
            crowded = phase(
                page, given.seconds, [sys.executable, __file__, "--crowd", str(page.port), *people]
            )
        finally:
            os.dup2(before, 2)
        notes = page.notes[1:]
    written = log.stat().st_size
    print(f"  {written} bytes on stderr, notes: {notes}")
    kept = min(crowded["rates"]) >= (1 - HARM) * min(alone["rates"])
    entered = crowded["waits"] and max(crowded["waits"]) <= PATIENCE_S
    return bool(kept and entered and written <= MAX_STDERR)


def set_file_limit(number: int) -> None:
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (number, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--idle", type=int, default=2000)
    parser.add_argument("--slow", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--files", type=int, help="Limit of descriptors of the server.")
    parser.add_argument("--view", nargs=2, metavar=("URL", "TOKEN"), help=argparse.SUPPRESS)
    parser.add_argument("--crowd", type=int, metavar="PORT", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.view:
        view(*given.view, given.seconds)
        return 0
    if given.crowd:
        os.nice(19)  # in truth it is on other machines
        set_file_limit(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        asyncio.run(crowd(given.crowd, given.idle, given.slow))
        return 0
    if given.files:
        set_file_limit(given.files)
    with tempfile.TemporaryDirectory() as name:
        model = Path(name) / "colors.tflite"
        model.write_bytes(tiny_models.color_classifier())
        with suppress_native_stderr():
            task = Classifier.open(model, threads=1)
        good = measure(task, Path(name), given)
    print("good" if good else "NOT good")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
