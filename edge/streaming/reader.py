"""Reader: frames of a source, across corrupt ones and while a live source is lost."""

import threading
import time
from collections.abc import Callable

from edge.errors import CorruptFrameError, SourceError
from edge.frame import Frame
from edge.sources.source import Source
from edge.streaming.statistics import StreamMeter

_MAX_CORRUPT = 100
"""Corrupt frames in a row after which a source is lost."""

RECONNECT_DELAYS_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each attempt to reopen a lost source; the last one repeats."""


class SourceReader:
    """Reads a source, and reopens a live one that is lost. Used by one thread.

    Args:
        open_source: Opens the source; called again when a live one is lost.
        meter: Counts what is read.
        stop: Ends reading.
        say: Shows the user a sentence.
        reconnect_delays_s: Seconds before each attempt to reopen; the last one repeats.

    Attributes:
        name: Of the source, as the user wrote it.
        live: True where only the newest frame counts.
        lost: Why there are no frames at the moment; None while they come. Any thread may read it.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        meter: StreamMeter,
        stop: threading.Event,
        say: Callable[[str], None],
        reconnect_delays_s: tuple[float, ...] = RECONNECT_DELAYS_S,
    ) -> None:
        self._open, self._meter, self._stop, self._say = open_source, meter, stop, say
        self._delays = reconnect_delays_s
        self._source = open_source()
        self.name, self.live = self._source.name, self._source.live
        self.lost: SourceError | None = None
        self._valid = False

    def read(self) -> Frame | None:
        """Read the next valid frame; None at the end or when stopped.

        Raises:
            SourceError: A file cannot be read further.
        """
        corrupt, last = 0, None
        while not self._stop.is_set():
            start = time.perf_counter()
            try:
                frame = self._source.read()
            except CorruptFrameError as error:
                self._meter.corrupt += 1
                corrupt, last = corrupt + 1, error
                if corrupt >= _MAX_CORRUPT:
                    self._reconnect(error)
                    corrupt = 0
                continue
            except SourceError as error:
                self._reconnect(error)
                continue
            if frame is None and last is not None and not self._valid:
                raise last  # not one frame was valid
            self._valid = True
            self._meter.stages["capture"].add(time.perf_counter() - start)
            return frame
        return None

    def close(self) -> None:
        """Release the source; nothing is read after it."""
        self._source.close()

    def _reconnect(self, error: SourceError) -> None:
        """Reopen a lost live source, however long it takes; a file raises its error."""
        if not self.live:
            raise error
        self._source.close()
        self.lost = error
        self._say(f"{self.name}: source lost ({error.found}), reconnecting")
        attempt = 0
        while not self._stop.wait(self._delays[min(attempt, len(self._delays) - 1)]):
            attempt += 1
            try:
                self._source = self._open()
            except SourceError:
                continue
            self._meter.reconnects += 1
            self.lost = None
            self._say(f"{self.name}: reconnected")
            return
