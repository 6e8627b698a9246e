"""Benchmark: what users wait for, each as a ratio to a named baseline of the same run.

    python tests/benchmarks/waits.py [--data FOLDER]

=============  ===========================================  ====================================
``help``       CPU seconds of ``edge --help``               Python that imports click
``recording``  writing a 640x480 frame into ``out.mkv``     OpenCV's encoder on the same frame
``split``      drawing the subsets of 16,005 images         ten times those of 1,605 images
``answer``     the first line of ``edge demo classify``     Python that invokes the model once
=============  ===========================================  ====================================

Each is measured in turns with its baseline; the figures are the least of several rounds.
``answer`` needs the models and the video of FOLDER.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from converters.dataset.audit import Audit, Dataset, ImageRecord
from converters.dataset.split import split
from edge.frame import Output, StreamStatus
from edge.preprocessing import Preprocessing
from edge.results import Classification
from edge.sinks.video import open_video
from edge.streaming.sink import StreamContext

Seconds = Callable[[], float]

IMPORT_CLICK = "import click"
INVOKE_ONCE = """
import sys, cv2, pathlib
from edge.interpreter import load
runtime = load(pathlib.Path(sys.argv[1]).read_bytes(), name="model", delegate="cpu")
_, frame = cv2.VideoCapture(sys.argv[2]).read()
_, height, width, _ = runtime.inputs[0].shape
runtime.invoke(cv2.resize(frame, (width, height))[None])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="the folder of real images and models")
    options = parser.parse_args()
    report("help", edge_help, click_alone, rounds=8)
    with tempfile.TemporaryDirectory() as folder:
        frames = noise(20)
        report(
            "recording",
            lambda: recorded(frames, Path(folder) / "out.mkv"),
            lambda: encoded(frames),
        )
    many, few = images(16_000), images(1_600)
    report(
        "split", lambda: timed(lambda: split(many, 0)), lambda: 10 * timed(lambda: split(few, 0))
    )
    if options.data is not None:
        model = options.data / "models/mobilenet_v2_1.0_224_quant.tflite"
        clip = options.data / "video/one-by-one-person-detection.mp4"
        report("answer", lambda: first_line(model, clip), lambda: invoked_once(model, clip), 3)


def report(name: str, ours: Seconds, baseline: Seconds, rounds: int = 5) -> None:
    pairs = [(ours(), baseline()) for _ in range(rounds)]
    quick, base = (min(column) for column in zip(*pairs, strict=True))
    print(f"{name:<10} {1e3 * quick:8.1f} ms  baseline {1e3 * base:8.1f} ms  {quick / base:5.2f}")


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cpu_of(*arguments: str) -> float:
    """CPU seconds of a Python process: what one waits where nothing else is running."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def edge_help() -> float:
    return cpu_of("-m", "edge", "--help")


def click_alone() -> float:
    return cpu_of("-c", IMPORT_CLICK)


def noise(count: int) -> list[np.ndarray]:  # type: ignore[type-arg]
    rng = np.random.default_rng(0)
    grids = rng.integers(0, 255, (count, 30, 40, 3), dtype=np.uint8)
    return [cv2.resize(grid, (640, 480)) for grid in grids]


def recorded(frames: list[np.ndarray], path: Path) -> float:  # type: ignore[type-arg]
    """Median seconds of writing a frame of a live stream."""
    sink = open_video(str(path), StreamContext(30.0, True, lambda: None, print))
    outputs = [
        Output(
            index=index,
            time_s=index / 30,
            name="",
            task="classify",
            result=Classification(()),
            status=StreamStatus(30.0, 3.0, 12.0, 0, "cpu"),
            captured=0.0,
            image=frame,
        )
        for index, frame in enumerate(frames)
    ]
    seconds = median(timed(lambda output=output: sink.write(output)) for output in outputs)  # type: ignore[misc]
    sink.close()
    return seconds


def encoded(frames: list[np.ndarray]) -> float:  # type: ignore[type-arg]
    """Median seconds of OpenCV's JPEG encoder."""
    quality = (cv2.IMWRITE_JPEG_QUALITY, 85)
    return median(
        timed(lambda frame=frame: cv2.imencode(".jpg", frame, quality)) for frame in frames
    )  # type: ignore[misc]


def images(count: int) -> Dataset:
    """A data set of two classes, of ``count`` images and of 5, without pixels."""
    labels = np.repeat([0, 1], [count, 5])
    images = tuple(
        ImageRecord(f"{label}/{index}.png", int(label), None, f"{index:064x}")
        for index, label in enumerate(labels)
    )
    audit = Audit({"a": count, "b": 5}, (), (), (), (), {}, (), ())
    pixels = np.zeros((len(labels), 1, 1, 3), np.uint8)
    groups = np.arange(len(labels))
    return Dataset("many", ("a", "b"), images, Preprocessing(1, 1), pixels, labels, groups, audit)


def first_line(model: Path, clip: Path) -> float:
    """Seconds from the start of the command to its first line."""
    command = [sys.executable, "-m", "edge", "demo", "classify", "--model", str(model),
               "--source", str(clip), "--sink", "jsonl:-"]  # fmt: skip
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        running.stdout.readline()
        seconds = time.perf_counter() - start
        running.stdout.close()
    return seconds


def invoked_once(model: Path, clip: Path) -> float:
    command = [sys.executable, "-c", INVOKE_ONCE, str(model), str(clip)]
    return timed(lambda: subprocess.run(command, capture_output=True, check=True))


if __name__ == "__main__":
    main()
