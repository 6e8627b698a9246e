"""A video file, with the results drawn on its frames.

Matroska (.mkv) is written so that it plays up to the last second even after a power cut or a kill;
an .mp4 plays only if it was closed. The wheel of OpenCV has no H.264 encoder: the video is MPEG-4
part 2, or Motion JPEG in an .avi.
"""

import os
from pathlib import Path

import cv2

from edge.errors import OutputError, UsageError
from edge.frame import Output, Picture
from edge.sinks import Setting

_CODECS = {".mkv": "mp4v", ".mp4": "mp4v", ".avi": "MJPG"}
_RATE = 30.0
_BACKLOG = 16

_LONGEST_GAP = 10.0
"""Seconds without a frame that are shown as a still picture; a longer gap is cut."""


def video(address: str, setting: Setting) -> "Video":
    """A video at the source's rate; one of a live source plays at true speed.

    Raises:
        OutputError: the file cannot be written.
        UsageError: a kind of file that is not known.
    """
    path = Path(address)
    if path.suffix.lower() not in _CODECS:
        raise UsageError("a video such as out.mkv, .mp4 or .avi", f"'{address}'", "use out.mkv")
    if not path.parent.is_dir():
        raise OutputError(
            f"a folder for {path}", f"no folder {path.parent}", f"mkdir -p {path.parent}"
        )
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OutputError(f"a place to write {path}", "permission denied", "choose another folder")
    return Video(path, setting.fps or _RATE, live=setting.live)


class Video:
    pictures, backlog = True, _BACKLOG

    def __init__(self, path: Path, fps: float, *, live: bool) -> None:
        self.name, self._path, self._fps, self._live = str(path), path, fps, live
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._start, self._written = 0.0, 0
        self._last: Picture | None = None

    def write(self, output: Output) -> None:
        assert output.picture is not None
        if self._writer is None:
            self._open(output)
        picture = self._fit(output.picture)
        for _ in range(self._repeats(output.time_s)):
            self._put(self._last if self._last is not None else picture)
        if not self._live or self._written <= (output.time_s - self._start) * self._fps:
            self._put(picture)
        self._last = picture

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()

    def _repeats(self, time_s: float) -> int:
        """How often the last picture is shown again until this one's time has come."""
        missing = round((time_s - self._start) * self._fps) - self._written
        most = round(_LONGEST_GAP * self._fps)
        if missing > most:
            self._start += (missing - most) / self._fps
        return max(0, min(missing, most))

    def _put(self, picture: Picture) -> None:
        assert self._writer is not None
        self._writer.write(picture)
        self._written += 1

    def _open(self, output: Output) -> None:
        assert output.picture is not None
        height, width = output.picture.shape[:2]
        self._size, self._start = (width, height), output.time_s
        codec = cv2.VideoWriter.fourcc(*_CODECS[self._path.suffix.lower()])
        self._writer = cv2.VideoWriter(
            str(self._path), cv2.CAP_FFMPEG, codec, self._fps, self._size
        )
        if not self._writer.isOpened():
            raise OutputError(
                f"a place to write {self._path}", "a video that cannot be started", "use out.mkv"
            )

    def _fit(self, picture: Picture) -> Picture:
        """A video has one size: that of its first frame."""
        if (picture.shape[1], picture.shape[0]) == self._size:
            return picture
        return cv2.resize(picture, self._size).astype("uint8", copy=False)
