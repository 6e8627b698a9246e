"""Cameras, network streams and video files, through OpenCV.

The wheel of OpenCV has FFmpeg and V4L2. It has no GStreamer, and decodes H.264 on the processor,
not on a board's video hardware.
"""

import http.client
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np

from edge.errors import CorruptFrameError, SourceError
from edge.frame import BgrImage, Frame
from edge.sources.source import Source, SourceOptions
from edge.sources.transforms import adjust, thin

_TIMEOUT_MS = 5000
"""A network camera that says nothing for so long is lost."""

_DOUBT = 10
"""So many reads in a row may fail before a camera counts as lost: one bad frame is no end."""

_QUICK = 1.0
"""Seconds; a read that fails and took longer did not fail for a bad frame."""

_WHOLE = 0.9
"""Share of a video's length that must be there for it to count as whole."""


def open_camera(address: str, options: SourceOptions) -> Source:
    """A USB camera: "0", "/dev/video0", or a lasting name of it in /dev/v4l/by-id.

    Raises:
        SourceError: there is none, it may not be used, or it gives no frames.
    """
    if address.startswith("/dev/v4l/"):
        address = os.path.realpath(address)
    number = int(address.removeprefix("/dev/video") or 0) if _is_number(address) else -1
    if number < 0:
        raise SourceError(
            "a camera such as v4l2:0", f"v4l2:{address}", _others(), code="invalid-address"
        )
    if sys.platform == "linux":
        _check_device(Path(f"/dev/video{number}"))
    capture = _open(number, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY, {})
    if not capture.isOpened():
        raise SourceError(
            f"a working camera at {address}",
            "a device that does not open",
            "close other programs that use it, or " + _others(),
            code="camera-open-failed",
            summary=f"camera {address} does not open: in use by another program, or not a camera",
        )
    _ask(capture, options)
    source = _Captured(address, capture, live=True, options=options)
    try:
        source.read()  # a device that opens may still be none that gives images
    except CorruptFrameError:  # many a camera begins with one
        pass
    except SourceError:
        source.close()
        raise SourceError(
            f"frames from camera {address}",
            "none",
            _others(),
            code="camera-no-frames",
            summary=f"camera {address} delivers no frames",
        ) from None
    return adjust(source, options)


def open_network(address: str, options: SourceOptions) -> Source:
    """A network camera, or a video on a server.

    Raises:
        SourceError: nobody answers, or there is no video.
    """
    shown = _without_password(address)
    limits = {
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: _TIMEOUT_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC: _TIMEOUT_MS,
    }
    capture = _open(address, cv2.CAP_FFMPEG, limits)
    if not capture.isOpened():
        raise SourceError(
            f"a video at {shown}",
            _why(address),
            "check the address and the camera",
            code="stream-unavailable",
        )
    live = capture.get(cv2.CAP_PROP_FRAME_COUNT) <= 0
    source: Source = _Captured(shown, capture, live=live, options=options)
    if live and options.fps is not None:
        source = thin(source, options.fps)
    return adjust(source, options)


def open_video(address: str, options: SourceOptions) -> Source:
    """A video file or a GIF; with ``loop`` it starts again at its end.

    Raises:
        SourceError: the file is missing, or no video.
    """
    path = Path(address)
    if not path.is_file():
        found = (
            "no such file"
            if not path.exists()
            else "a directory"
            if path.is_dir()
            else "not a regular file"
        )
        raise SourceError(f"a video at {address}", found, "check the path", code="source-not-found")
    if path.stat().st_size == 0:
        raise SourceError(
            f"a video at {address}", "an empty file", "copy the file again", code="video-unreadable"
        )

    def open_it() -> Source:
        capture = _open(str(path), cv2.CAP_FFMPEG, {})
        if not capture.isOpened():
            raise SourceError(
                f"a video at {address}",
                "a file that is not a video or is truncated",
                "copy it again, or convert it with: ffmpeg -i FILE -c:v libx264 new.mkv",
                code="video-unreadable",
            )
        return _Captured(address, capture, live=False, options=options)

    return adjust(open_it(), options, again=open_it)


class _Captured:
    """A ``cv2.VideoCapture`` as a source."""

    def __init__(
        self, name: str, capture: cv2.VideoCapture, *, live: bool, options: SourceOptions
    ) -> None:
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.name, self.live = name, live
        own = rate if np.isfinite(rate) and 0 < rate <= 1000 else None
        self.fps = own if live else options.fps or own
        self._capture, self._given_rate = capture, None if live else options.fps
        self._frames = 0 if live else max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        self._length = self._frames / own if own else 0.0
        self._count, self._time = 0, 0.0
        self._grabbed, self._corrupt = False, 0

    def read(self) -> Frame | None:
        if not self._grabbed and not self._grab():
            self._check_end()
            return None
        self._count += 1
        if self._corrupt:
            self._corrupt -= 1
            raise self._undecodable()
        self._grabbed = False
        decoded, image = self._capture.retrieve()
        if not decoded or image is None or image.size == 0:
            raise self._undecodable()
        self._time = self._timestamp()
        return Frame(self._count - 1, self._time, _bgr(image))

    def close(self) -> None:
        self._capture.release()

    def _grab(self) -> bool:
        """Whether there is one more frame; ``_corrupt`` counts those before it that are broken.

        OpenCV says the same of a frame that it cannot decode as of the end: what comes after tells.
        """
        for failed in range((_DOUBT if self.live else max(0, self._frames - self._count)) + 1):
            start = time.perf_counter()
            self._grabbed = self._capture.grab()
            if self._grabbed:
                self._corrupt = failed
                return True
            if time.perf_counter() - start > _QUICK:
                break
        return False

    def _undecodable(self) -> CorruptFrameError:
        return CorruptFrameError(
            f"a valid frame from {self.name}",
            "one that cannot be decoded",
            "check its cable" if self.live else "copy the file again",
            code="frame-corrupt",
        )

    def _check_end(self) -> None:
        """The end of a file; a live source has none, and a file's must be where it should be."""
        if self.live:
            raise SourceError(
                f"frames from {self.name}",
                "no more frames",
                "check its cable or network",
                code="source-lost",
            )
        if self._count == 0:
            raise SourceError(
                f"frames in {self.name}",
                "none that can be decoded",
                "copy the file again",
                code="video-unreadable",
            )
        reached = self._time + (1 / self.fps if self.fps else 0)
        if not self._given_rate and reached < _WHOLE * self._length:
            raise SourceError(
                f"{self._length:.1f} s of video in {self.name}",
                f"only {reached:.1f} s",
                "copy the file again",
                code="video-truncated",
                summary=f"{self.name} is truncated after {reached:.1f} of {self._length:.1f} s",
            )

    def _timestamp(self) -> float:
        if self._given_rate:
            return (self._count - 1) / self._given_rate
        milliseconds = self._capture.get(cv2.CAP_PROP_POS_MSEC)
        if milliseconds > 0 or self._count == 1 or self.live:
            return max(self._time, milliseconds / 1000)
        return (self._count - 1) / (self.fps or 30.0)  # a raw stream without times


def _open(place: str | int, backend: int, limits: dict[int, int]) -> cv2.VideoCapture:
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # it writes to stderr by itself
    _silence()
    settings = dict(limits)
    if backend == cv2.CAP_FFMPEG:  # the model needs the other cores
        settings[cv2.CAP_PROP_N_THREADS] = 2 if (os.cpu_count() or 1) > 2 else 1
    flat = [value for pair in settings.items() for value in pair]
    opener: Callable[..., cv2.VideoCapture] = cv2.VideoCapture
    return opener(place, backend, flat)


def _silence() -> None:
    """Let OpenCV write nothing to stderr; where it is told so differs from version to version."""
    place = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging  # type: ignore[attr-defined]
    place.setLogLevel(0)


def _ask(capture: cv2.VideoCapture, options: SourceOptions) -> None:
    """Ask a camera for what the user wants; it does what it can."""
    wide = options.size is not None and options.size[0] > 640
    if wide or (options.fps or 0) > 30:  # uncompressed does not get through USB 2 so fast
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    if options.size is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, options.size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, options.size[1])
    if options.fps is not None:
        capture.set(cv2.CAP_PROP_FPS, options.fps)
    if options.exposure is not None:
        capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, 1)  # V4L2_EXPOSURE_MANUAL
        if not capture.set(cv2.CAP_PROP_EXPOSURE, options.exposure):
            capture.release()
            raise SourceError(
                "a camera whose exposure can be set",
                "a driver without this setting",
                "omit --exposure",
                code="exposure-not-supported",
            )


def _check_device(device: Path) -> None:
    if not device.exists():
        raise SourceError(
            f"a camera at {device}",
            "no such device",
            _others(),
            code="camera-not-found",
            summary=f"no camera at {device}",
        )
    if not os.access(device, os.R_OK | os.W_OK):
        raise SourceError(
            f"access to the camera {device}",
            "permission denied",
            'sudo usermod -aG video "$USER", then log in again',
            code="camera-permission-denied",
        )


def _others() -> str:
    found = sorted(str(path) for path in Path("/dev").glob("video*"))
    if found:
        return f"choose another camera with --source ({', '.join(found)})"
    return "plug in a camera, or use a file: --source clip.mp4"


def _is_number(address: str) -> bool:
    return address.removeprefix("/dev/video").isdecimal() or address == ""


def _bgr(image: np.ndarray) -> BgrImage:  # type: ignore[type-arg]
    if image.ndim == 2 or image.shape[2] == 1:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.asarray(image[..., :3], np.uint8)


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    if parts.username is None:
        return address
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _why(address: str) -> str:
    """Why a network address did not open, as far as can be found out in a moment."""
    parts = urlsplit(address)
    secure = parts.scheme in ("https", "rtsps")
    try:
        port = parts.port or {"rtsp": 554, "rtsps": 322, "http": 80}.get(parts.scheme, 443)
    except ValueError:
        return "an invalid port"
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=3):
            pass
        if not parts.scheme.startswith("http"):
            return "a server without this stream, or one that requires a password"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        with closing(kind(parts.hostname or "", port, timeout=3)) as connection:
            query = f"?{parts.query}" if parts.query else ""
            connection.request("GET", f"{parts.path or '/'}{query}")
            answer = connection.getresponse()
    except OSError as error:
        return (error.strerror or str(error) or "no answer").lower()
    except http.client.HTTPException:
        return "a server that does not speak HTTP"
    if answer.status >= 400:
        return f"HTTP {answer.status} {answer.reason}"
    return "no video"
