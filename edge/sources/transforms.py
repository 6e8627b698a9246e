"""Transforms of any source's frames: loop, size, rotation, mirroring, speed."""

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

_MAX_CATCH_UP_S = 1.0
"""Seconds that a file played at its own speed may be late and still catch up."""


def transform(
    source: Source,
    options: SourceOptions,
    *,
    resize: bool = True,
    reopen: Callable[[], Source] | None = None,
) -> Source:
    """Wrap ``source`` in the transforms of ``options`` that it does not apply itself.

    Args:
        source: The source.
        options: What the user asked for.
        resize: Resize frames here; False where the source has the size already.
        reopen: Opens the source again, for ``loop``.
    """
    if options.loop and reopen is not None:
        source = _Looped(source, reopen)
    size = options.size if resize else None
    if size is not None or options.rotate or options.hflip:
        source = _Transformed(source, size, options.rotate, options.hflip)
    if options.realtime and not source.live:
        source = _Realtime(source)
    return source


def limit_rate(source: Source, fps: float) -> Source:
    """Drop the frames of a live source that exceed ``fps``, where it has no such setting."""
    return _RateLimited(source, fps)


class _Wrapper:
    def __init__(self, source: Source) -> None:
        self.name, self.live, self.fps = source.name, source.live, source.fps
        self._source = source

    def close(self) -> None:
        self._source.close()


class _Looped(_Wrapper):
    """Starts again at the end; indices and times continue."""

    def __init__(self, source: Source, reopen: Callable[[], Source]) -> None:
        super().__init__(source)
        self._reopen = reopen
        self._index, self._time, self._start = 0, 0.0, 0.0

    def read(self) -> Frame | None:
        frame = self._source.read()
        if frame is None:
            self._source.close()
            self._source = self._reopen()
            self._start = self._time + 1 / (self.fps or 30.0)
            frame = self._source.read()
            if frame is None:
                return None
        self._time = self._start + frame.time_s
        self._index += 1
        return replace(frame, index=self._index - 1, time_s=self._time)


class _Transformed(_Wrapper):
    """Resized, rotated clockwise, then mirrored."""

    def __init__(
        self, source: Source, size: tuple[int, int] | None, rotate: int, hflip: bool
    ) -> None:
        super().__init__(source)
        self._size, self._rotate, self._hflip = size, rotate, hflip

    def read(self) -> Frame | None:
        frame = self._source.read()
        return None if frame is None else replace(frame, image=self._apply(frame.image))

    def _apply(self, image: BgrImage) -> BgrImage:
        result: cv2.typing.MatLike = image
        if self._size is not None and (result.shape[1], result.shape[0]) != self._size:
            result = _resize(result, self._size)
        if self._rotate:
            result = cv2.rotate(result, _ROTATIONS[self._rotate])
        if self._hflip:
            result = cv2.flip(result, 1)
        return np.asarray(result, np.uint8)


def _resize(image: cv2.typing.MatLike, size: tuple[int, int]) -> cv2.typing.MatLike:
    """Resize to (width, height); INTER_AREA would enlarge to blocks."""
    smaller = size[0] < image.shape[1] or size[1] < image.shape[0]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


class _RateLimited(_Wrapper):
    """At most ``fps`` frames per second; a frame that comes early is dropped."""

    def __init__(self, source: Source, fps: float) -> None:
        super().__init__(source)
        self.fps = min(fps, source.fps or fps)
        self._interval, self._next = 1 / fps, 0.0

    def read(self) -> Frame | None:
        while (frame := self._source.read()) is not None:
            now = time.perf_counter()
            if now >= self._next:
                # From the due time, so that the mean rate is kept.
                self._next = max(self._next, now - self._interval) + self._interval
                break
        return frame


class _Realtime(_Wrapper):
    """A file at its own speed; it does not rush to make up for a long delay."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._start: float | None = None

    def read(self) -> Frame | None:
        frame = self._source.read()
        if frame is None:
            return None
        now = time.perf_counter()
        if self._start is None:
            self._start = now - frame.time_s
        ahead = self._start + frame.time_s - now
        if ahead < -_MAX_CATCH_UP_S:  # the stream was paused, or the processor busy
            self._start -= ahead
        time.sleep(max(0.0, ahead))
        return frame
