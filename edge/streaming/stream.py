"""The stream: frames from a source through a task to sinks, as fast as the model allows.

Capture, inference, drawing and writing overlap: each has its own thread, and OpenCV and the
interpreter release the GIL while they work. Inference runs in the caller's thread.
"""

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from edge import telemetry
from edge.errors import DelegateError, EdgeError, ModelError
from edge.frame import Frame, FrameResult, Output
from edge.interpreter import Array
from edge.results import Counts, Result, counts_of
from edge.sources.source import Source
from edge.streaming.capture import (
    READ_TIMEOUT_S,
    Capture,
    PreparedFrame,
)
from edge.streaming.control import StreamControl
from edge.streaming.reader import RECONNECT_DELAYS_S
from edge.streaming.sink import Sink
from edge.streaming.statistics import StreamMeter, StreamStats
from edge.streaming.workers import (
    SINK_TIMEOUT_S,
    DrawJob,
    SinkWorker,
    draw_worker,
    sink_worker,
)
from edge.tasks.task import Task
from edge.terminal import suppress_native_stderr


@dataclass(frozen=True, slots=True)
class StreamTiming:
    """Timeouts and delays of a stream, in seconds.

    Attributes:
        reconnect_delays_s: Before each attempt to reopen a lost source; the last one repeats.
        read_timeout_s: For a read that hangs at the end.
        sink_timeout_s: For a live stream's sink that hangs at the end.
    """

    reconnect_delays_s: tuple[float, ...] = RECONNECT_DELAYS_S
    read_timeout_s: float = READ_TIMEOUT_S
    sink_timeout_s: float = SINK_TIMEOUT_S


DEFAULT_TIMING = StreamTiming()


def run(
    open_source: Callable[[], Source],
    task: Task,
    sinks: Sequence[Sink],
    *,
    stop: threading.Event | None = None,
    max_frames: int | None = None,
    say: Callable[[str], None] = print,
    control: StreamControl | None = None,
    timing: StreamTiming = DEFAULT_TIMING,
) -> StreamStats:
    """Run ``task`` on every frame of a source until it ends.

    Args:
        open_source: Opens the source; called again when a live one is lost.
        task: Processes the frames.
        sinks: Take the outputs; closed at the end in any case.
        stop: Ends the stream when set, from a signal handler or another thread.
        max_frames: Ends the stream after so many frames.
        say: Shows the user a sentence.
        control: Of ``task``, for others to pause the stream and to change settings.
        timing: Timeouts and delays.

    Raises:
        SourceError: The source cannot be opened, or a file cannot be read further.
        ModelError: The model fails on the CPU.
        DelegateError: Its delegate fails, and there is no model for the CPU.
        OutputError: A sink fails.
    """
    control = control or StreamControl(task)
    running = _Stream(control, stop or threading.Event(), say, timing)
    return running.run(open_source, sinks, max_frames)


def results(
    open_source: Callable[[], Source],
    task: Task,
    *,
    max_frames: int | None = None,
    say: Callable[[str], None] = print,
) -> Generator[FrameResult, None, None]:
    """Yield each frame of a source with its result; the source is closed at the end.

    Args:
        open_source: Opens the source; called again when a live one is lost.
        task: Processes the frames.
        max_frames: Ends the iteration after so many frames.
        say: Shows the user a sentence.

    Raises:
        SourceError, ModelError, DelegateError: see :func:`run`.
    """
    running = _Stream(StreamControl(task), threading.Event(), say, DEFAULT_TIMING)
    return running.results(open_source, max_frames)


class _Stream:
    def __init__(
        self,
        control: StreamControl,
        stop: threading.Event,
        say: Callable[[str], None],
        timing: StreamTiming,
    ) -> None:
        self._control, self._stop, self._say, self._timing = control, stop, say, timing
        self._meter = StreamMeter(control.task.prefetchable)
        self._notes = control.task.notes
        self._counts: Counts = {}

    def run(
        self, open_source: Callable[[], Source], sinks: Sequence[Sink], max_frames: int | None
    ) -> StreamStats:
        with ExitStack() as closing:
            for sink in sinks:  # until their workers take over
                closing.callback(sink.close)
            capture = self._capture(open_source)
            closing.pop_all()
        workers, drawer = self._start_workers(sinks, capture.live)
        pairs = list(zip(sinks, workers, strict=True))
        threads: list[SinkWorker[Any]] = [drawer, *workers]
        start = time.perf_counter()
        try:
            for prepared in capture:
                self._process(prepared, pairs, drawer)
                if self._meter.frames == max_frames:
                    break
            else:
                self._control.source_ended = not self._stop.is_set()
        finally:
            self._stop.set()
            lost = self._finish(threads)
            seconds = time.perf_counter() - start - self._control.paused_s
            capture.close()  # later, since a camera that hangs takes its time
        for worker in threads:
            if worker.error is not None:
                raise worker.error
        return self._meter.finish(
            source=capture.name,
            task=self._control.task.name,
            seconds=seconds,
            lost=lost,
            runtime=self._control.task.runtime,
            notes=self._notes,
            board=telemetry.telemetry(),
            counts=self._counts,
        )

    def results(
        self, open_source: Callable[[], Source], max_frames: int | None
    ) -> Generator[FrameResult, None, None]:
        """Yield frames with their results."""
        capture = self._capture(open_source)
        try:
            for prepared in capture:
                _, result = self._infer(prepared)
                yield FrameResult(prepared.frame, result)
                if self._meter.frames == max_frames:
                    break
        finally:
            capture.close()

    def _capture(self, open_source: Callable[[], Source]) -> Capture:
        return Capture(
            open_source,
            self._control,
            self._meter,
            self._stop,
            self._say,
            reconnect_delays_s=self._timing.reconnect_delays_s,
            read_timeout_s=self._timing.read_timeout_s,
        )

    def _start_workers(
        self, sinks: Sequence[Sink], live: bool
    ) -> tuple[list[SinkWorker[Output]], SinkWorker[DrawJob]]:
        """Start the workers of the sinks, and the one that draws for them."""
        timeout_s = self._timing.sink_timeout_s
        workers = []
        for sink in sinks:
            worker, writing, latency = sink_worker(sink, live, self._stop.set, timeout_s)
            self._meter.sinks.append(writing)
            if worker.waits:
                self._meter.blocking.add(writing)
            self._meter.latencies.append(latency)
            workers.append(worker)
        drawing = self._meter.stages["draw"]
        drawer = draw_worker(live, drawing, self._stop.set, timeout_s)
        if drawer.waits:
            self._meter.blocking.add(drawing)
        return workers, drawer

    def _process(
        self,
        prepared: PreparedFrame,
        pairs: Sequence[tuple[Sink, SinkWorker[Output]]],
        drawer: SinkWorker[DrawJob],
    ) -> None:
        task, result = self._infer(prepared)
        output = Output(
            index=prepared.frame.index,
            time_s=prepared.frame.time_s,
            name=prepared.frame.name,
            task=task.name,
            result=result,
            status=self._meter.status(task.runtime.delegate),
            captured=prepared.captured,
        )
        with_images = []
        for sink, worker in pairs:
            if sink.wants_images:
                with_images.append(worker)
            else:
                worker.put(output)
        if with_images:
            drawer.put(DrawJob(task, prepared.frame, output, with_images))

    def _infer(self, prepared: PreparedFrame) -> tuple[Task, Result]:
        """Return a frame's result, and the task that computed it."""
        stages, task = self._meter.stages, self._control.task
        inputs = prepared.inputs
        if inputs is None:
            inputs = self._preprocess(task, prepared.frame)
        start = time.perf_counter()
        task, outputs = self._invoke(task, inputs)
        invoked = time.perf_counter()
        result = task.postprocess(outputs, prepared.frame)
        stages["invoke"].add(invoked - start)
        stages["postprocess"].add(time.perf_counter() - invoked)
        self._meter.processed(prepared.captured, invoked - start)
        self._counts = counts_of(result)
        return task, result

    def _preprocess(self, task: Task, frame: Frame) -> tuple[Array, ...]:
        start = time.perf_counter()
        inputs = task.preprocess(frame)
        self._meter.stages["preprocess"].add(time.perf_counter() - start)
        return inputs

    def _invoke(self, task: Task, inputs: tuple[Array, ...]) -> tuple[Task, tuple[Array, ...]]:
        """Run the model; return the outputs and their task, another one if the delegate failed."""
        runtime = task.runtime
        try:
            return task, runtime.invoke(*inputs)
        except ModelError as error:
            if runtime.delegate == "cpu":
                raise
            reason = f"{runtime.delegate} failed ({error.found})"
            self._control.swap(lambda task: self._fall_back(task, reason))
            note = f"{reason}: the stream continues on the CPU"
            self._notes = (*self._notes, note)
            self._say(note)
            return self._control.task, self._control.task.runtime.invoke(*inputs)

    def _fall_back(self, task: Task, reason: str) -> Task:
        try:
            with suppress_native_stderr():
                return task.fallback_to_cpu()
        except EdgeError as error:
            problem = f"{reason}, and {error.found}"
            raise DelegateError(error.expected, problem, error.fix, code=error.code) from None

    def _finish(self, workers: Sequence[SinkWorker[Any]]) -> dict[str, int]:
        """Finish all workers, drawing before its sinks; return the lost outputs per sink."""
        for worker in workers:
            if not worker.finish():
                self._say(f"{worker.name} did not finish in time and was abandoned")
        return {worker.name: worker.lost for worker in workers if worker.lost}
