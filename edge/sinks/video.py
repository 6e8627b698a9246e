"""Video sink: records a file, with the results drawn on its frames.

========  =================  =====================================================================
``.mkv``  Motion JPEG        exact times; plays even if the program is killed while it records
``.mp4``  MPEG-4 part 2      about an eighth of the size; plays only after it was closed
``.avi``  Motion JPEG        for old players
========  =================  =====================================================================

The wheel of OpenCV has no encoder for H.264, neither in software nor a board's.
"""

from pathlib import Path
from typing import Protocol

import cv2

from edge.errors import OutputError, UsageError
from edge.files import check_writable, native_path, output_errors
from edge.frame import BgrImage, Output
from edge.image import encode_jpeg
from edge.sinks.matroska import MatroskaWriter
from edge.streaming.sink import StreamContext

_CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
_RATE = 30.0
_QUALITY = 85
_QUEUE_SIZE = 16

_MIN_SIDE = 16
"""Pixels per side of an .mp4 or .avi; smaller images get a border."""

_MAX_GAP_S = 10.0
"""Seconds without a frame that .mp4 and .avi show as a still image; longer gaps are cut."""


def open_video(address: str, context: StreamContext) -> "VideoSink":
    """Open a video at the source's rate; one of a live source plays at true speed.

    Raises:
        OutputError: The file cannot be written.
        UsageError: The suffix is not supported.
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
        """Add an image, uint8 BGR; ``time_s``: seconds from the first one."""

    def close(self) -> None:
        """Finish the file."""


class VideoSink:
    """Records the images of outputs; all have the size of the first one.

    Args:
        path: Of the file, whose suffix is the format; it is opened with the first image.
        fps: Frames per second of the source.
        live: Frames come at their own rate, of which a file of one rate leaves some out.
    """

    wants_images, queue_size = True, _QUEUE_SIZE

    def __init__(self, path: Path, fps: float, *, live: bool) -> None:
        self.name, self._path, self._fps, self._live = str(path), path, fps, live
        self._writer: _Writer | None = None
        self._size, self._start = (0, 0), 0.0

    def write(self, output: Output) -> None:
        """Record the image of an output.

        Raises:
            OutputError: The file cannot be written.
        """
        assert output.image is not None
        with output_errors(self._path):
            if self._writer is None:
                self._size = (output.image.shape[1], output.image.shape[0])
                self._start = output.time_s
                self._writer = self._open()
            self._writer.add(self._fit(output.image), output.time_s - self._start)

    def close(self) -> None:
        """Finish the file.

        Raises:
            OutputError: It cannot be written.
        """
        if self._writer is None:
            return
        with output_errors(self._path):
            self._writer.close()

    def _open(self) -> _Writer:
        if self._path.suffix.lower() == ".mkv":
            return _VariableRate(self._path, self._size, self._fps)
        return _ConstantRate(self._path, self._size, self._fps, skip_early=self._live)

    def _fit(self, image: BgrImage) -> BgrImage:
        """Resize to the size of the first frame: a video has one size."""
        if (image.shape[1], image.shape[0]) == self._size:
            return image
        return cv2.resize(image, self._size).astype("uint8", copy=False)


class _VariableRate:
    """A file in which each image has its own time."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        self._file = MatroskaWriter(path, size, fps)
        self.close = self._file.close

    def add(self, image: BgrImage, time_s: float) -> None:
        self._file.add(encode_jpeg(image, _QUALITY), time_s)


class _ConstantRate:
    """A file of one rate, in which images are repeated so that times are right.

    With ``skip_early`` images that come too early are left out.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float, *, skip_early: bool) -> None:
        path.write_bytes(b"")  # OpenCV does not say why it cannot
        codec = cv2.VideoWriter.fourcc(*_CODECS[path.suffix.lower()])
        wide, high = size
        width, height = _encodable(wide), _encodable(high)
        self._border = (0, height - high, 0, width - wide)
        with native_path(path) as name:
            self._writer = cv2.VideoWriter(name, cv2.CAP_FFMPEG, codec, fps, (width, height))
        if not self._writer.isOpened():
            raise OutputError(
                f"an encoder for {path.suffix} at {wide}x{high}, {fps:g} fps",
                "one that rejects these settings",
                f"use {path.with_suffix('.mkv')}, or another --size",
                code="video-encoder-rejected",
                summary=f"the encoder rejects {path.suffix} at {wide}x{high}, {fps:g} fps",
            )
        self._fps, self._skip_early = fps, skip_early
        self._start, self._written = 0.0, 0
        self._last: BgrImage | None = None
        self.close = self._writer.release

    def add(self, image: BgrImage, time_s: float) -> None:
        for _ in range(self._missing(time_s)):
            self._append(self._last if self._last is not None else image)
        if not self._skip_early or self._written <= (time_s - self._start) * self._fps:
            self._append(image)
        self._last = image

    def _missing(self, time_s: float) -> int:
        """Count how often the last image is repeated until ``time_s``."""
        missing = round((time_s - self._start) * self._fps) - self._written
        limit = round(_MAX_GAP_S * self._fps)
        if missing > limit:
            self._start += (missing - limit) / self._fps
        return max(0, min(missing, limit))

    def _append(self, image: BgrImage) -> None:
        if any(self._border):
            image = cv2.copyMakeBorder(image, *self._border, cv2.BORDER_REPLICATE).astype(
                "uint8", copy=False
            )
        self._writer.write(image)
        self._written += 1


def _encodable(side: int) -> int:
    """Return the length of a side that the encoders of ``.mp4`` and ``.avi`` take: it is even.

    Below 8 pixels OpenCV writes beyond its buffer.
    """
    return max(_MIN_SIDE, side + side % 2)
