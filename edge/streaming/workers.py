"""Worker threads: one per sink, and one that draws images for them."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from edge.frame import Frame, Output
from edge.streaming.sink import Sink
from edge.streaming.statistics import LatencyHistogram
from edge.tasks.task import Task

Item = TypeVar("Item")

SINK_TIMEOUT_S = 10.0
"""Seconds that a live stream's sink may hang at the end before it is abandoned."""


class SinkWorker(Generic[Item]):
    """A thread that passes items to ``write`` in order, and calls ``close`` at the end.

    After an error, kept in ``error``, items are discarded.

    Args:
        name: Of the sink.
        write: Takes an item.
        close: Called at the end.
        queue_size: Items that may wait; 0 keeps only the newest, regardless of ``waits``.
        waits: :meth:`put` waits where the queue is full; else the oldest item is dropped and
            counted in ``lost``.
        failed: Called after an error.
        timeout_s: Seconds that :meth:`finish` waits for an item without ``waits``.
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
        timeout_s: float = SINK_TIMEOUT_S,
    ) -> None:
        self.name, self.lost = name, 0
        self.error: Exception | None = None
        self._write, self._close, self._failed = write, close, failed
        self._queue_size, self.waits = queue_size, waits and queue_size > 0
        self._timeout_s = timeout_s
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._ending, self._written = False, 0
        self._thread = threading.Thread(target=self._work, name=f"sink {name}", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Queue an item."""
        with self._changed:
            while self.waits and len(self._items) >= self._queue_size and self.error is None:
                self._changed.wait(0.2)
            if self.error is not None:
                return
            while len(self._items) >= max(1, self._queue_size):
                self._items.popleft()
                self.lost += self._queue_size > 0
            self._items.append(item)
            self._changed.notify_all()

    def finish(self) -> bool:
        """Write the queued items and close; False if it hangs. With ``waits`` it waits forever."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        before = -1
        while self._thread.is_alive() and self._written > before:
            before = self._written
            self._thread.join(None if self.waits else self._timeout_s)
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


def sink_worker(
    sink: Sink, live: bool, failed: Callable[[], None], timeout_s: float = SINK_TIMEOUT_S
) -> tuple[SinkWorker[Output], LatencyHistogram, LatencyHistogram]:
    """Start the worker of a sink; return it with the durations of writing and the latencies."""
    writing, latency = LatencyHistogram(), LatencyHistogram()

    def write(output: Output) -> None:
        start = time.perf_counter()
        sink.write(output)
        end = time.perf_counter()
        writing.add(end - start)
        latency.add(end - output.captured)

    worker = SinkWorker(
        sink.name,
        write,
        sink.close,
        queue_size=sink.queue_size,
        waits=not live,
        failed=failed,
        timeout_s=timeout_s,
    )
    return worker, writing, latency


@dataclass(frozen=True, slots=True)
class DrawJob:
    """A result to draw on its frame, for the sinks of ``workers``."""

    task: Task
    frame: Frame
    output: Output
    workers: Sequence[SinkWorker[Output]]


def draw_worker(
    live: bool,
    drawing: LatencyHistogram,
    failed: Callable[[], None],
    timeout_s: float = SINK_TIMEOUT_S,
) -> SinkWorker[DrawJob]:
    """Start the worker that draws each result once for all sinks that want images."""
    from edge import draw

    def write(job: DrawJob) -> None:
        start = time.perf_counter()
        image = job.task.draw(job.frame.image.copy(), job.output.result)
        draw.status(image, job.output.status)
        drawing.add(time.perf_counter() - start)
        for worker in job.workers:
            worker.put(replace(job.output, image=image))

    return SinkWorker(
        "drawing",
        write,
        lambda: None,
        queue_size=2,
        waits=not live,
        failed=failed,
        timeout_s=timeout_s,
    )
