"""A video file, with the results drawn on its frames.

========  =================  =====================================================================
``.mkv``  Motion JPEG        true times; plays whatever happens to the program while it records
``.mp4``  MPEG-4 part 2      about an eighth of the size; plays only if it was closed
``.avi``  Motion JPEG        for old players
========  =================  =====================================================================

The wheel of OpenCV has no encoder for H.264, neither in software nor a board's.
"""

from pathlib import Path
from typing import Protocol

import cv2

from edge.errors import OutputError, UsageError
from edge.files import check_writable, output_errors
from edge.frame import BgrImage, Output
from edge.image import encode_jpeg
from edge.sinks.matroska import Matroska
from edge.streaming.sink import StreamContext

_CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
_RATE = 30.0
_QUALITY = 85
_BACKLOG = 16

_LONGEST_GAP = 10.0
"""Seconds without a frame that .mp4 and .avi show as a still image; what exceeds them is cut."""


def open_video(address: str, context: StreamContext) -> "VideoSink":
    """A video at the source's rate; one of a live source plays at true speed.

    Raises:
        OutputError: the file cannot be written.
        UsageError: a kind of file that is not known.
    """
    path = Path(address)
    if path.suffix.lower() not in (".mkv", *_CODECS):
        raise UsageError(
            "a video file (.mkv, .mp4 or .avi)",
            f"'{address}'",
            "use out.mkv",
            code="unsupported-video-format",
        )
    check_writable(path)
    return VideoSink(path, context.fps or _RATE, live=context.live)


class _Writer(Protocol):
    def add(self, image: BgrImage, time_s: float) -> None:
        """Add an image; ``time_s``: seconds from the first one."""

    def close(self) -> None:
        """Finish the file."""


class VideoSink:
    wants_images, queue_size = True, _BACKLOG

    def __init__(self, path: Path, fps: float, *, live: bool) -> None:
        self.name, self._path, self._fps, self._live = str(path), path, fps, live
        self._writer: _Writer | None = None
        self._size, self._start = (0, 0), 0.0

    def write(self, output: Output) -> None:
        assert output.image is not None
        with output_errors(self._path):
            if self._writer is None:
                self._size = (output.image.shape[1], output.image.shape[0])
                self._start = output.time_s
                self._writer = self._open()
            self._writer.add(self._fit(output.image), output.time_s - self._start)

    def close(self) -> None:
        if self._writer is None:
            return
        with output_errors(self._path):
            self._writer.close()

    def _open(self) -> _Writer:
        if self._path.suffix.lower() == ".mkv":
            return _Exact(self._path, self._size, self._fps)
        return _Steady(self._path, self._size, self._fps, skips=self._live)

    def _fit(self, image: BgrImage) -> BgrImage:
        """A video has one size: that of its first frame."""
        if (image.shape[1], image.shape[0]) == self._size:
            return image
        return cv2.resize(image, self._size).astype("uint8", copy=False)


class _Exact:
    """Each image at its own time."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        self._file = Matroska(path, size, fps)
        self.close = self._file.close

    def add(self, image: BgrImage, time_s: float) -> None:
        self._file.add(encode_jpeg(image, _QUALITY), time_s)


class _Steady:
    """Images at one rate: shown again, and with ``skips`` left out, so that time is true."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float, *, skips: bool) -> None:
        path.write_bytes(b"")  # OpenCV would not say why it cannot
        codec = cv2.VideoWriter.fourcc(*_CODECS[path.suffix.lower()])
        self._writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, fps, size)
        if not self._writer.isOpened():
            wide, high = size
            raise OutputError(
                f"an encoder for {path.suffix} at {wide}x{high}, {fps:g} fps",
                "one that rejects these settings",
                f"use {path.with_suffix('.mkv')}, or another --size",
                code="video-encoder-rejected",
                summary=f"the encoder rejects {path.suffix} at {wide}x{high}, {fps:g} fps",
            )
        self._fps, self._skips = fps, skips
        self._start, self._written = 0.0, 0
        self._last: BgrImage | None = None
        self.close = self._writer.release

    def add(self, image: BgrImage, time_s: float) -> None:
        for _ in range(self._missing(time_s)):
            self._put(self._last if self._last is not None else image)
        if not self._skips or self._written <= (time_s - self._start) * self._fps:
            self._put(image)
        self._last = image

    def _missing(self, time_s: float) -> int:
        """How often the last image is shown again until this one's time has come."""
        missing = round((time_s - self._start) * self._fps) - self._written
        most = round(_LONGEST_GAP * self._fps)
        if missing > most:
            self._start += (missing - most) / self._fps
        return max(0, min(missing, most))

    def _put(self, image: BgrImage) -> None:
        self._writer.write(image)
        self._written += 1
