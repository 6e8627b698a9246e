"""The live stream: frames from a source through a task to sinks, as fast as the model allows.

Capturing, inferring, drawing and writing overlap: each has a thread of its own, and OpenCV and the
interpreter let go of Python's lock while they work. The model's thread is the caller's.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from edge import board
from edge.capture import Capture, Ready
from edge.errors import DelegateError, EdgeError, ModelError
from edge.frame import Frame, Output
from edge.interpreter import Array
from edge.outlets import Outlet, outlet, painter
from edge.quiet import quiet
from edge.sinks.sink import Sink
from edge.sources.source import Source
from edge.statistics import Meter, Statistics
from edge.tasks.task import Task


def run(
    open_source: Callable[[], Source],
    task: Task,
    sinks: Sequence[Sink],
    *,
    stop: threading.Event | None = None,
    most: int | None = None,
    say: Callable[[str], None] = print,
) -> Statistics:
    """Run ``task`` on every frame of a source until it ends.

    Args:
        open_source: opens the source; called again when a live one was lost.
        task: what is done with a frame.
        sinks: what takes the results; closed at the end, whatever happens.
        stop: ends the stream when set, from a signal handler or another thread.
        most: ends it after so many frames.
        say: told in a sentence what the user should know meanwhile.

    Raises:
        SourceError: the source cannot be opened, or a file cannot be read on.
        ModelError: the model fails on the CPU.
        DelegateError: its delegate dies, and there is no model for the CPU.
        OutputError: a sink cannot go on.
    """
    return _Stream(task, stop or threading.Event(), say).run(open_source, sinks, most)


class _Stream:
    def __init__(self, task: Task, stop: threading.Event, say: Callable[[str], None]) -> None:
        self._task, self._stop, self._say = task, stop, say
        self._meter = Meter(task.ahead)
        self._notes = task.notes

    def run(
        self, open_source: Callable[[], Source], sinks: Sequence[Sink], most: int | None
    ) -> Statistics:
        with ExitStack() as closing:
            for sink in sinks:  # until their outlets take that over
                closing.callback(sink.close)
            capture = Capture(open_source, self._task, self._meter, self._stop, self._say)
            closing.pop_all()
        outlets, plain, paint = self._open_outlets(sinks, capture.live)
        start = time.perf_counter()
        try:
            for ready in capture:
                self._process(ready, plain, paint)
                if self._meter.frames == most:
                    break
        finally:
            self._stop.set()
            lost = self._finish([*([paint] if paint else []), *outlets])
            seconds = time.perf_counter() - start
            capture.close()  # later, since a camera that hangs takes its time
        for done in outlets:
            if done.error is not None:
                raise done.error
        return self._meter.finish(
            source=capture.name,
            task=self._task.name,
            seconds=seconds,
            lost=lost,
            runtime=self._task.runtime,
            notes=self._notes,
            board=board.state(),
        )

    def _open_outlets(
        self, sinks: Sequence[Sink], live: bool
    ) -> tuple[
        list[Outlet[Output]], list[Outlet[Output]], Outlet[tuple[Task, Frame, Output]] | None
    ]:
        """All outlets, those that want no pictures, and what draws for the others."""
        made = []
        for sink in sinks:
            opened, writing, latency = outlet(sink, live, self._stop.set)
            self._meter.sinks.append(writing)
            if opened.waits:
                self._meter.holding.add(writing)
            self._meter.latencies.append(latency)
            made.append(opened)
        pairs = list(zip(sinks, made, strict=True))
        plain = [opened for sink, opened in pairs if not sink.pictures]
        shown = [opened for sink, opened in pairs if sink.pictures]
        if not shown:
            return made, plain, None
        drawing = self._meter.stages["draw"]
        paint = painter(shown, live, drawing, self._stop.set)
        if paint.waits:
            self._meter.holding.add(drawing)
        return made, plain, paint

    def _process(
        self,
        ready: Ready,
        plain: Sequence[Outlet[Output]],
        paint: Outlet[tuple[Task, Frame, Output]] | None,
    ) -> None:
        stages = self._meter.stages
        inputs = self._prepare(ready.frame) if ready.inputs is None else ready.inputs
        start = time.perf_counter()
        outputs = self._invoke(inputs)
        invoked = time.perf_counter()
        result = self._task.interpret(outputs, ready.frame)
        stages["invoke"].add(invoked - start)
        stages["postprocess"].add(time.perf_counter() - invoked)
        self._meter.processed(ready.captured, invoked - start)
        output = Output(
            index=ready.frame.index,
            time_s=ready.frame.time_s,
            name=ready.frame.name,
            task=self._task.name,
            result=result,
            status=self._meter.status(self._task.runtime.delegate),
            captured=ready.captured,
        )
        for sink in plain:
            sink.put(output)
        if paint is not None:
            paint.put((self._task, ready.frame, output))

    def _prepare(self, frame: Frame) -> tuple[Array, ...]:
        start = time.perf_counter()
        inputs = self._task.prepare(frame)
        self._meter.stages["preprocess"].add(time.perf_counter() - start)
        return inputs

    def _invoke(self, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
        runtime = self._task.runtime
        try:
            return runtime.invoke(*inputs)
        except ModelError as error:
            if runtime.delegate == "cpu":
                raise
            self._task = self._on_cpu(f"{runtime.delegate} died ({error.found})")
            note = f"{runtime.delegate} died ({error.found}): the stream goes on, on the CPU"
            self._notes = (*self._notes, note)
            self._say(note)
            return self._task.runtime.invoke(*inputs)

    def _on_cpu(self, why: str) -> Task:
        try:
            with quiet():
                return self._task.on_cpu()
        except EdgeError as error:
            found = f"{why}, and {error.found}"
            raise DelegateError(error.expected, found, error.fix) from None

    def _finish(self, outlets: Sequence[Outlet[Any]]) -> dict[str, int]:
        """Let all finish, what draws before those that it feeds; return what was lost where."""
        for opened in outlets:
            if not opened.finish():
                self._say(f"{opened.name} did not finish in time and is left behind")
        return {opened.name: opened.lost for opened in outlets if opened.lost}
