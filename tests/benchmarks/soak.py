"""A long stream: memory stays flat, nothing is left behind, a killed recording plays.

    python tests/benchmarks/soak.py [--frames 100000]

Resident memory is read at five hundred points of a stream of synthetic frames through a tiny
classifier into records, a video and a slow window's stand-in. The allocator makes single readings
differ by a megabyte or two, so the slope is that of a line through the middles of fifths, the
first of which, where everything is still filling, is left out; it must stay below 1 MB per 100,000
frames.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import tiny_models

from edge.frame import Output
from edge.sinks import open_sink
from edge.sources import open_source
from edge.streaming import stream
from edge.streaming.sink import StreamContext
from edge.tasks.classify.classifier import Classifier
from edge.terminal import suppress_native_stderr

READINGS, POINTS = 500, 5
ALLOWED_MB = 1.0


class Watch:
    """Reads the resident memory now and then; asks for images as a window does."""

    name, wants_images, queue_size = "watch", True, 0

    def __init__(self) -> None:
        self.memory: list[tuple[int, float]] = []
        self.every = 1

    def write(self, output: Output) -> None:
        if output.index >= self.every * (len(self.memory) + 1):
            self.memory.append((output.index, resident_mb()))

    def close(self) -> None:
        """Nothing is kept open."""


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def held() -> tuple[int, int]:
    """Threads and open files of this process."""
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


def soak(model: Path, folder: Path, frames: int) -> bool:
    with suppress_native_stderr():
        task = Classifier.open(model, threads=1)
    watch = Watch()
    watch.every = max(1, frames // (READINGS + 1))
    context = StreamContext(30.0, False, lambda: None, print)
    source = f"synthetic:320x240@30?frames={frames}"

    def run(number: int, *sinks: Any) -> None:
        uri = f"synthetic:320x240@30?frames={number}"
        done = stream.run(lambda: open_source(uri), task, sinks, say=print)
        print(f"{source}: {done.frames:,} frames in {done.seconds:.0f} s, {done.fps:.0f} a second")

    def sinks() -> list[Any]:
        return [open_sink(f"jsonl:{folder / 'o.jsonl'}", context),
                open_sink(str(folder / "o.mkv"), context)]  # fmt: skip

    run(100, *sinks())  # whatever is loaded late is there now
    before = held()
    run(frames, *sinks(), watch)
    after = held()
    lines = sum(1 for _ in (folder / "o.jsonl").open())
    points = [np.median(part, axis=0) for part in np.array_split(watch.memory, POINTS)]
    for index, memory in points:
        print(f"  {index:9,.0f} frames  {memory:7.1f} MB")
    index, memory = np.array(points[1:]).T
    slope = float(np.polyfit(index, memory, 1)[0]) * 100_000
    print(f"memory: {slope:+.2f} MB per 100,000 frames (allowed: {ALLOWED_MB:g})")
    print(f"threads and files before {before}, after {after}; {lines:,} lines")
    return slope < ALLOWED_MB and before == after and lines == frames


def killed(model: Path, folder: Path) -> bool:
    """Whether a recording whose process was killed plays."""
    video = folder / "killed.mkv"
    running = subprocess.Popen(
        [sys.executable, "-m", "edge", "demo", "classify", "--model", str(model), "--source",
         "synthetic:640x480@30", "--realtime", "--sink", str(video)],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(8)
    running.send_signal(signal.SIGKILL)
    running.wait()
    capture, frames = cv2.VideoCapture(str(video)), 0
    while capture.read()[0]:
        frames += 1
    print(f"killed while recording: {frames} frames play")
    return frames > 100


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = folder / "colors.tflite"
        model.write_bytes(tiny_models.color_classifier())
        good = [soak(model, folder, given.frames), killed(model, folder)]
    print("good" if all(good) else "NOT good")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
