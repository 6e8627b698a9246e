"""What is done to any source's frames: loop, size, rotation, mirroring, pace."""

import time
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from edge.frame import BgrImage, Frame
from edge.sources.source import Source, SourceOptions

_ROTATIONS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


_LATE = 1.0
"""Seconds that a file played at its own speed may be late and still catch up."""


def adjust(
    source: Source,
    options: SourceOptions,
    *,
    resize: bool = True,
    again: Callable[[], Source] | None = None,
) -> Source:
    """``source`` with what ``options`` ask for beyond it.

    ``resize``: the size is made here, not by the source; ``again`` opens the source anew, for
    ``loop``.
    """
    if options.loop and again is not None:
        source = _Looped(source, again)
    size = options.size if resize else None
    if size is not None or options.rotate or options.hflip:
        source = _Turned(source, size, options.rotate, options.hflip)
    if options.realtime and not source.live:
        source = _Paced(source)
    return source


def thin(source: Source, fps: float) -> Source:
    """A live source that cannot be asked for a rate, with the frames left out that exceed it."""
    return _Thinned(source, fps)


class _Wrapper:
    def __init__(self, source: Source) -> None:
        self.name, self.live, self.fps = source.name, source.live, source.fps
        self._source = source

    def close(self) -> None:
        self._source.close()


class _Looped(_Wrapper):
    """Starts again at the end; numbers and times go on."""

    def __init__(self, source: Source, again: Callable[[], Source]) -> None:
        super().__init__(source)
        self._again = again
        self._index, self._time, self._start = 0, 0.0, 0.0

    def read(self) -> Frame | None:
        frame = self._source.read()
        if frame is None:
            self._source.close()
            self._source = self._again()
            self._start = self._time + 1 / (self.fps or 30.0)
            frame = self._source.read()
            if frame is None:
                return None
        self._time = self._start + frame.time_s
        self._index += 1
        return replace(frame, index=self._index - 1, time_s=self._time)


class _Turned(_Wrapper):
    """Resized, turned clockwise, then mirrored."""

    def __init__(
        self, source: Source, size: tuple[int, int] | None, rotate: int, hflip: bool
    ) -> None:
        super().__init__(source)
        self._size, self._rotate, self._hflip = size, rotate, hflip

    def read(self) -> Frame | None:
        frame = self._source.read()
        return None if frame is None else replace(frame, image=self._turn(frame.image))

    def _turn(self, image: BgrImage) -> BgrImage:
        turned: cv2.typing.MatLike = image
        if self._size is not None and (turned.shape[1], turned.shape[0]) != self._size:
            turned = cv2.resize(turned, self._size, interpolation=cv2.INTER_AREA)
        if self._rotate:
            turned = cv2.rotate(turned, _ROTATIONS[self._rotate])
        if self._hflip:
            turned = cv2.flip(turned, 1)
        return np.asarray(turned, np.uint8)


class _Thinned(_Wrapper):
    """At most so many frames a second; an early one is passed over."""

    def __init__(self, source: Source, fps: float) -> None:
        super().__init__(source)
        self.fps = min(fps, source.fps or fps)
        self._pause, self._next = 1 / fps, 0.0

    def read(self) -> Frame | None:
        while (frame := self._source.read()) is not None:
            now = time.perf_counter()
            if now >= self._next:
                # From the time that was due, so that the rate is kept on average.
                self._next = max(self._next, now - self._pause) + self._pause
                break
        return frame


class _Paced(_Wrapper):
    """A file at its own speed; what was held up for long is not made up for by haste."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._began: float | None = None

    def read(self) -> Frame | None:
        frame = self._source.read()
        if frame is None:
            return None
        now = time.perf_counter()
        if self._began is None:
            self._began = now - frame.time_s
        ahead = self._began + frame.time_s - now
        if ahead < -_LATE:  # the stream was paused, or the processor busy
            self._began -= ahead
        time.sleep(max(0.0, ahead))
        return frame
