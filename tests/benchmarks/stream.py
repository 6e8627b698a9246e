"""What a stream costs beyond the model: time a frame against the bare invoke.

    python tests/benchmarks/stream.py MODEL VIDEO [--labels FILE] [--frames 600]

Bare invokes run in the same process, every 100 frames, so that both meet the same machine; the
stream is stopped meanwhile. Beside it the loop of the tutorials: read, resize, invoke, draw, one
after the other in one thread, on the same frames. One thread for the model, no sink.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

from edge.errors import ModelError
from edge.frame import Frame
from edge.interpreter import Array
from edge.sinks.null import NullSink
from edge.sources import open_source
from edge.sources.source import SourceOptions
from edge.streaming import stream
from edge.streaming.statistics import StreamStats
from edge.tasks.classify.classifier import Classifier
from edge.tasks.detect.detector import Detector
from edge.terminal import suppress_native_stderr

EVERY, BARE = 100, 25


class Interleaved:
    """A runtime that stops now and then to time bare invokes of the same input."""

    def __init__(self, runtime: Any) -> None:
        self._runtime, self._count = runtime, 0
        self.bare: list[float] = []
        self.paused = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)

    def invoke(self, *arrays: Array) -> tuple[Array, ...]:
        self._count += 1
        if self._count % EVERY == 0:
            began = time.perf_counter()
            for _ in range(BARE):
                start = time.perf_counter()
                self._runtime.invoke(*arrays)
                self.bare.append(time.perf_counter() - start)
            self.paused += time.perf_counter() - began
        outputs: tuple[Array, ...] = self._runtime.invoke(*arrays)
        return outputs


class Watched:
    """A task whose runtime is interleaved."""

    def __init__(self, task: Any) -> None:
        self._task, self.runtime = task, Interleaved(task.runtime)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)


def streamed(task: Any, video: str, frames: int) -> tuple[float, float, StreamStats]:
    """Seconds a frame, seconds of a bare invoke, and the statistics."""
    watched = Watched(task)
    options = SourceOptions(loop=True)
    done = stream.run(
        lambda: open_source(video, options), watched, [NullSink()], max_frames=frames, say=print
    )
    per_frame = (done.seconds - watched.runtime.paused) / done.frames
    return per_frame, statistics.median(watched.runtime.bare), done


def tutorial(task: Any, video: str, frames: int) -> float:
    """Seconds a frame of the loop in one thread."""
    source = open_source(video, SourceOptions(loop=True))
    start = time.perf_counter()
    for index in range(frames):
        frame = source.read()
        assert frame is not None
        result = task.postprocess(task.runtime.invoke(*task.preprocess(frame)),
                                Frame(index, index / 30, frame.image))  # fmt: skip
        task.draw(frame.image.copy(), result)
    seconds = time.perf_counter() - start
    source.close()
    return seconds / frames


def open_task(model: Path, labels: Path | None) -> Any:
    opener: Callable[..., Any]
    for opener in (Classifier.open, Detector.open):
        try:
            return opener(model, labels=labels, threads=1)
        except ModelError as error:
            failure = error
    raise failure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("video")
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with suppress_native_stderr():
        task = open_task(given.model, given.labels)
    cv2.setNumThreads(1)
    ratios = []
    for _ in range(given.runs):
        per_frame, bare, done = streamed(task, given.video, given.frames)
        loop = tutorial(task, given.video, given.frames)
        ratios.append(per_frame / bare)
        stages = "  ".join(f"{name} {times['p50_ms']:.2f}" for name, times in done.stages.items())
        print(
            f"{1e3 * per_frame:.2f} ms a frame, bare invoke {1e3 * bare:.2f} ms: "
            f"{per_frame / bare:.3f}x; tutorial loop {1e3 * loop:.2f} ms: {loop / bare:.3f}x"
        )
        print(f"  {stages}  (ms, p50)")
    print(f"{given.model.name}: median of {given.runs} runs {statistics.median(ratios):.3f}x bare")


if __name__ == "__main__":
    main()
