"""The capturing thread: frames are read and prepared while the model is busy with the last one."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from edge.errors import CorruptFrameError, SourceError
from edge.frame import Frame
from edge.interpreter import Array
from edge.sources.source import Source
from edge.streaming.control import StreamControl
from edge.streaming.statistics import StreamMeter

AHEAD = 3
"""Frames of a file that may wait for the model."""

_MOST_CORRUPT = 100
"""So many corrupt frames in a row are a lost source."""

_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to get a lost source back; the last one goes on."""

_PATIENCE = 2.0
"""Seconds that a read may go on after the stream's end; a dead network camera takes longer."""


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A frame, and the model's inputs where the task prepares them ahead.

    ``captured``: when the frame was there, by ``perf_counter``.
    """

    frame: Frame
    inputs: tuple[Array, ...] | None
    captured: float


class Capture:
    """Iterates over frames as they get ready, until the source ends or ``stop`` is set.

    Of a live source the newest is taken and what nobody had time for is dropped; a file waits.
    The source is read and closed by the thread alone. While the stream is paused, frames of a live
    source are thrown away, so that its newest comes afterwards; a file waits.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        control: StreamControl,
        meter: StreamMeter,
        stop: threading.Event,
        say: Callable[[str], None],
    ) -> None:
        self._open, self._control, self._meter = open_source, control, meter
        self._stop, self._say = stop, say
        self._source = open_source()
        self.name, self.live = self._source.name, self._source.live
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
            SourceError: a file cannot be read on; or whatever else the thread met.
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
            # What lay here during a pause counts from its end on.
            yield replace(ready, captured=max(ready.captured, self._control.resumed))
        if self._error is not None and not self._stop.is_set():
            raise self._error

    def close(self) -> None:
        """Stop reading; a read that hangs is left behind."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)
        elif self._thread.ident is None:  # never started
            self._source.close()

    def _wait_while_paused(self) -> None:
        if not self._control.paused:
            return
        while self._control.paused and not (self._over() or self._stop.is_set()):
            self._control.wait(0.2)
        self._meter.resumed()
        with self._changed:
            if self.live:
                self._waiting.clear()
            self._changed.notify_all()

    def _over(self) -> bool:
        return self._ended and (self.live or not self._waiting)

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                frame = self._read()
                if frame is None:
                    break
                if self.live and self._control.paused:
                    continue
                self._hand_over(self._prepare(frame))
        except Exception as error:
            self._error = error
        finally:
            self._source.close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _read(self) -> Frame | None:
        """The next sound frame; None at the end or when stopped."""
        corrupt, last = 0, None
        while not self._stop.is_set():
            start = time.perf_counter()
            try:
                frame = self._source.read()
            except CorruptFrameError as error:
                self._meter.corrupt += 1
                corrupt, last = corrupt + 1, error
                if corrupt >= _MOST_CORRUPT:
                    self._lost(error)
                    corrupt = 0
                continue
            except SourceError as error:
                self._lost(error)
                continue
            if frame is None and last is not None and self._count == 0:
                raise last  # not one frame was sound
            self._meter.stages["capture"].add(time.perf_counter() - start)
            return frame
        return None

    def _lost(self, error: SourceError) -> None:
        """Get a lost source back, however long it takes; a file is not tried again."""
        if not self.live:
            raise error
        self._source.close()
        self._say(f"{self.name}: source lost ({error.found}), reconnecting")
        attempt = 0
        while not self._stop.wait(_DELAYS[min(attempt, len(_DELAYS) - 1)]):
            attempt += 1
            try:
                self._source = self._open()
            except SourceError:
                continue
            self._meter.reconnects += 1
            self._say(f"{self.name}: reconnected")
            return

    def _prepare(self, frame: Frame) -> PreparedFrame:
        captured = time.perf_counter()
        if self.live:  # numbers and times go on when the source came back
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
            while len(self._waiting) >= AHEAD and not self._stop.is_set():
                self._changed.wait(0.2)
            self._waiting.append(ready)
            self._changed.notify_all()
