"""The live stream: frames from a source through a task to sinks, as fast as the model allows.

Capturing, inferring, drawing and writing overlap: each has a thread of its own, and OpenCV and the
interpreter let go of Python's lock while they work. The model's thread is the caller's.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from edge import telemetry
from edge.errors import DelegateError, EdgeError, ModelError
from edge.frame import Frame, Output
from edge.interpreter import Array
from edge.sources.source import Source
from edge.streaming.capture import Capture, PreparedFrame
from edge.streaming.control import StreamControl
from edge.streaming.sink import Sink
from edge.streaming.statistics import StreamMeter, StreamStats
from edge.streaming.workers import DrawJob, SinkWorker, draw_worker, sink_worker
from edge.tasks.task import Task
from edge.terminal.native_stderr import suppress_native_stderr


def run(
    open_source: Callable[[], Source],
    task: Task,
    sinks: Sequence[Sink],
    *,
    stop: threading.Event | None = None,
    most: int | None = None,
    say: Callable[[str], None] = print,
    control: StreamControl | None = None,
) -> StreamStats:
    """Run ``task`` on every frame of a source until it ends.

    Args:
        open_source: opens the source; called again when a live one was lost.
        task: what is done with a frame.
        sinks: what takes the results; closed at the end, whatever happens.
        stop: ends the stream when set, from a signal handler or another thread.
        most: ends it after so many frames.
        say: told in a sentence what the user should know meanwhile.
        control: of this task, for others to pause the stream and to change settings.

    Raises:
        SourceError: the source cannot be opened, or a file cannot be read on.
        ModelError: the model fails on the CPU.
        DelegateError: its delegate dies, and there is no model for the CPU.
        OutputError: a sink cannot go on.
    """
    held = StreamControl(task) if control is None else control
    return _Stream(held, stop or threading.Event(), say).run(open_source, sinks, most)


class _Stream:
    def __init__(
        self, control: StreamControl, stop: threading.Event, say: Callable[[str], None]
    ) -> None:
        self._control, self._stop, self._say = control, stop, say
        self._meter = StreamMeter(control.task.prefetchable)
        self._notes = control.task.notes

    def run(
        self, open_source: Callable[[], Source], sinks: Sequence[Sink], most: int | None
    ) -> StreamStats:
        with ExitStack() as closing:
            for sink in sinks:  # until their outlets take that over
                closing.callback(sink.close)
            capture = Capture(open_source, self._control, self._meter, self._stop, self._say)
            closing.pop_all()
        outlets, paint = self._open_outlets(sinks, capture.live)
        pairs = list(zip(sinks, outlets, strict=True))
        threads: list[SinkWorker[Any]] = [paint, *outlets]
        start = time.perf_counter()
        try:
            for ready in capture:
                self._process(ready, pairs, paint)
                if self._meter.frames == most:
                    break
        finally:
            self._stop.set()
            lost = self._finish(threads)
            seconds = time.perf_counter() - start - self._control.paused_s
            capture.close()  # later, since a camera that hangs takes its time
        for done in threads:
            if done.error is not None:
                raise done.error
        return self._meter.finish(
            source=capture.name,
            task=self._control.task.name,
            seconds=seconds,
            lost=lost,
            runtime=self._control.task.runtime,
            notes=self._notes,
            board=telemetry.telemetry(),
        )

    def _open_outlets(
        self, sinks: Sequence[Sink], live: bool
    ) -> tuple[list[SinkWorker[Output]], SinkWorker[DrawJob]]:
        """The outlets of the sinks, and what draws for them."""
        made = []
        for sink in sinks:
            opened, writing, latency = sink_worker(sink, live, self._stop.set)
            self._meter.sinks.append(writing)
            if opened.waits:
                self._meter.holding.add(writing)
            self._meter.latencies.append(latency)
            made.append(opened)
        drawing = self._meter.stages["draw"]
        paint = draw_worker(live, drawing, self._stop.set)
        if paint.waits:
            self._meter.holding.add(drawing)
        return made, paint

    def _process(
        self,
        ready: PreparedFrame,
        pairs: Sequence[tuple[Sink, SinkWorker[Output]]],
        paint: SinkWorker[DrawJob],
    ) -> None:
        stages, task = self._meter.stages, self._control.task
        inputs = self._prepare(task, ready.frame) if ready.inputs is None else ready.inputs
        start = time.perf_counter()
        task, outputs = self._invoke(task, inputs)
        invoked = time.perf_counter()
        result = task.postprocess(outputs, ready.frame)
        stages["invoke"].add(invoked - start)
        stages["postprocess"].add(time.perf_counter() - invoked)
        self._meter.processed(ready.captured, invoked - start)
        output = Output(
            index=ready.frame.index,
            time_s=ready.frame.time_s,
            name=ready.frame.name,
            task=task.name,
            result=result,
            status=self._meter.status(task.runtime.delegate),
            captured=ready.captured,
        )
        shown = []
        for sink, opened in pairs:
            if sink.wants_images:
                shown.append(opened)
            else:
                opened.put(output)
        if shown:
            paint.put(DrawJob(task, ready.frame, output, shown))

    def _prepare(self, task: Task, frame: Frame) -> tuple[Array, ...]:
        start = time.perf_counter()
        inputs = task.preprocess(frame)
        self._meter.stages["preprocess"].add(time.perf_counter() - start)
        return inputs

    def _invoke(self, task: Task, inputs: tuple[Array, ...]) -> tuple[Task, tuple[Array, ...]]:
        """The outputs, and the task that they are for: another where the delegate died."""
        runtime = task.runtime
        try:
            return task, runtime.invoke(*inputs)
        except ModelError as error:
            if runtime.delegate == "cpu":
                raise
            why = f"{runtime.delegate} failed ({error.found})"
            self._control.swap(lambda task: self._on_cpu(task, why))
            note = f"{why}: the stream continues on the CPU"
            self._notes = (*self._notes, note)
            self._say(note)
            return self._control.task, self._control.task.runtime.invoke(*inputs)

    def _on_cpu(self, task: Task, why: str) -> Task:
        try:
            with suppress_native_stderr():
                return task.fallback_to_cpu()
        except EdgeError as error:
            found = f"{why}, and {error.found}"
            raise DelegateError(error.expected, found, error.fix, code=error.code) from None

    def _finish(self, outlets: Sequence[SinkWorker[Any]]) -> dict[str, int]:
        """Let all finish, what draws before those that it feeds; return what was lost where."""
        for opened in outlets:
            if not opened.finish():
                self._say(f"{opened.name} did not finish in time and was abandoned")
        return {opened.name: opened.lost for opened in outlets if opened.lost}
