"""Capture thread: reads and preprocesses frames while the model runs on the previous one."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from edge.frame import Frame
from edge.interpreter import Array
from edge.sources.source import Source
from edge.streaming.control import StreamControl
from edge.streaming.reader import RECONNECT_DELAYS_S, SourceReader
from edge.streaming.statistics import StreamMeter

MAX_PREFETCHED = 3
"""Frames of a file that may wait for the model."""

READ_TIMEOUT_S = 2.0
"""Seconds that a read may continue after the stream's end; a dead network camera takes longer."""


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A frame, with the model's inputs where the task can prefetch them.

    Attributes:
        frame: The frame.
        inputs: Input tensors of the model, or None.
        captured: Time of capture, in seconds of ``perf_counter``.
    """

    frame: Frame
    inputs: tuple[Array, ...] | None
    captured: float


class Capture:
    """Iterates over frames as they become ready, until the source ends or ``stop`` is set.

    Of a live source the newest frame is taken and older ones are dropped; a file waits. While the
    stream is paused the frames of a live source are discarded. Only the thread reads and closes
    the source.

    Args:
        open_source: Opens the source; called again when a live one is lost.
        control: Of the stream.
        meter: Counts what is captured.
        stop: Ends the capture.
        say: Shows the user a sentence.
        reconnect_delays_s: Seconds before each attempt to reopen; the last one repeats.
        read_timeout_s: Seconds to wait at the end for a read to return.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        control: StreamControl,
        meter: StreamMeter,
        stop: threading.Event,
        say: Callable[[str], None],
        *,
        reconnect_delays_s: tuple[float, ...] = RECONNECT_DELAYS_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._control, self._meter = control, meter
        self._stop, self._read_timeout_s = stop, read_timeout_s
        self._reader = SourceReader(open_source, meter, stop, say, reconnect_delays_s)
        self.name, self.live = self._reader.name, self._reader.live
        self._waiting: deque[PreparedFrame] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="capture", daemon=True)
        self._first: float | None = None
        self._count = 0

    def __iter__(self) -> Iterator[PreparedFrame]:
        """Start reading.

        Raises:
            SourceError: A file cannot be read further. Other errors of the thread pass, too.
        """
        self._thread.start()
        while not self._stop.is_set():
            self._wait_while_paused()
            with self._changed:
                if not (self._waiting or self._ended):
                    self._changed.wait(0.2)
                if not self._waiting and self._ended:
                    break
                if not self._waiting or self._control.paused:
                    continue
                ready = self._waiting.popleft()
                self._changed.notify_all()
            # The latency of a frame that waited during a pause counts from its end.
            yield replace(ready, captured=max(ready.captured, self._control.resumed))
        if self._error is not None and not self._stop.is_set():
            raise self._error

    def close(self) -> None:
        """Stop reading; a read that hangs is abandoned."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(self._read_timeout_s)
        elif self._thread.ident is None:  # never started
            self._reader.close()

    def _wait_while_paused(self) -> None:
        if not self._control.paused:
            return
        while self._control.paused and not (self._is_exhausted() or self._stop.is_set()):
            self._control.wait(0.2)
        self._meter.resumed()
        with self._changed:
            if self.live:
                self._waiting.clear()
            self._changed.notify_all()

    def _is_exhausted(self) -> bool:
        return self._ended and (self.live or not self._waiting)

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                frame = self._reader.read()
                if frame is None:
                    break
                if self.live and self._control.paused:
                    continue
                self._hand_over(self._preprocess(frame))
        except Exception as error:
            self._error = error
        finally:
            self._reader.close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _preprocess(self, frame: Frame) -> PreparedFrame:
        captured = time.perf_counter()
        if self.live:  # indices and times continue after a reconnect
            if self._first is None:
                self._first = captured
            frame = replace(frame, index=self._count, time_s=captured - self._first)
        self._count += 1
        task = self._control.task
        if not task.prefetchable:
            return PreparedFrame(frame, None, captured)
        inputs = task.preprocess(frame)
        self._meter.stages["preprocess"].add(time.perf_counter() - captured)
        return PreparedFrame(frame, inputs, captured)

    def _hand_over(self, ready: PreparedFrame) -> None:
        with self._changed:
            if self.live:
                self._meter.dropped += len(self._waiting)
                self._waiting.clear()
            while len(self._waiting) >= MAX_PREFETCHED and not self._stop.is_set():
                self._changed.wait(0.2)
            self._waiting.append(ready)
            self._changed.notify_all()
