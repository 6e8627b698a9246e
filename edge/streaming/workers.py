"""Threads behind the model: each sink writes in its own, images are drawn in one of them."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from edge.frame import Frame, Output
from edge.streaming.histogram import LatencyHistogram
from edge.streaming.sink import Sink
from edge.tasks.task import Task

Item = TypeVar("Item")

_TIMEOUT_S = 10.0
"""Seconds that a live stream's sink may hang at the end before it is left behind."""


class SinkWorker(Generic[Item]):
    """A thread that hands items to ``write``, one after the other, and calls ``close`` at the end.

    ``queue_size``: how many may wait; 0 stands for the newest alone, whatever ``waits`` says.
    ``waits``: beyond that :meth:`put` waits; else the oldest is dropped and counted in ``lost``.
    After an error, kept in ``error``, what comes is thrown away and ``failed`` has been called.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[Item], None],
        close: Callable[[], None],
        *,
        queue_size: int,
        waits: bool,
        failed: Callable[[], None],
    ) -> None:
        self.name, self.lost = name, 0
        self.error: Exception | None = None
        self._write, self._close, self._failed = write, close, failed
        self._backlog, self.waits = queue_size, waits and queue_size > 0
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._ending, self._written = False, 0
        self._thread = threading.Thread(target=self._work, name=f"sink {name}", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Hand one item over."""
        with self._changed:
            while self.waits and len(self._items) >= self._backlog and self.error is None:
                self._changed.wait(0.2)
            if self.error is not None:
                return
            while len(self._items) >= max(1, self._backlog):
                self._items.popleft()
                self.lost += self._backlog > 0
            self._items.append(item)
            self._changed.notify_all()

    def finish(self) -> bool:
        """Write what waits and close; False if it hangs, which is waited for where ``waits``."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        before = -1
        while self._thread.is_alive() and self._written > before:
            before = self._written
            self._thread.join(None if self.waits else _TIMEOUT_S)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            while (item := self._next()) is not None:
                self._write(item)
                self._written += 1
        except Exception as error:
            self._fail(error)
        try:
            self._close()
        except Exception as error:
            self._fail(error)

    def _next(self) -> Item | None:
        with self._changed:
            while not (self._items or self._ending):
                self._changed.wait()
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self.error = self.error or error
            self._items.clear()
            self._changed.notify_all()
        self._failed()


def sink_worker(sink: Sink, live: bool, failed: Callable[[], None]) -> tuple[
    SinkWorker[Output], LatencyHistogram, LatencyHistogram
]:  # fmt: skip
    """The outlet of a sink, with its durations of writing and from a frame's arrival on."""
    writing, latency = LatencyHistogram(), LatencyHistogram()

    def write(output: Output) -> None:
        start = time.perf_counter()
        sink.write(output)
        end = time.perf_counter()
        writing.add(end - start)
        latency.add(end - output.captured)

    made = SinkWorker(
        sink.name, write, sink.close, queue_size=sink.queue_size, waits=not live, failed=failed
    )
    return made, writing, latency


@dataclass(frozen=True, slots=True)
class DrawJob:
    """A result that its task is to draw on its frame, for the sinks behind ``outlets``."""

    task: Task
    frame: Frame
    output: Output
    outlets: Sequence[SinkWorker[Output]]


def draw_worker(
    live: bool, drawing: LatencyHistogram, failed: Callable[[], None]
) -> SinkWorker[DrawJob]:
    """The outlet that draws each result once, for all sinks that want images."""
    from edge import draw

    def write(item: DrawJob) -> None:
        start = time.perf_counter()
        image = item.task.draw(item.frame.image.copy(), item.output.result)
        draw.status(image, item.output.status)
        drawing.add(time.perf_counter() - start)
        for sink in item.outlets:
            sink.put(replace(item.output, image=image))

    return SinkWorker("drawing", write, lambda: None, queue_size=2, waits=not live, failed=failed)
