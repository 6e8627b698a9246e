"""Cameras and video files, through OpenCV.

The wheel of OpenCV has FFmpeg and V4L2. It has no GStreamer, and decodes H.264 on the CPU, not on
a board's video hardware.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from edge.errors import CorruptFrameError, SourceError
from edge.files import native_path
from edge.frame import BgrImage, Frame
from edge.image import silence_opencv, turn_upright
from edge.sources.display_matrix import display_orientation
from edge.sources.matroska_pose import pose_orientation
from edge.sources.source import Source, SourceOptions
from edge.sources.transforms import transform
from edge.terminal import discard_c_stderr

_MAX_FAILED_READS = 10
"""Reads in a row that may fail before a camera is lost: a single bad frame is not the end."""

_MAX_DECODE_S = 1.0
"""Seconds; a read that fails and took longer did not fail because of a bad frame."""

_MIN_COMPLETE = 0.9
"""Share of a video's length up to which it must play, or it is truncated."""


def open_camera(address: str, options: SourceOptions) -> Source:
    """Open a USB camera: "0", "/dev/video0", or its persistent name in /dev/v4l/by-id.

    Raises:
        SourceError: There is none, access is denied, or it delivers no frames.
    """
    if address.startswith("/dev/v4l/"):
        address = os.path.realpath(address)
    number = int(address.removeprefix("/dev/video") or 0) if _is_number(address) else -1
    if number < 0:
        raise SourceError(
            "a camera such as v4l2:0", f"v4l2:{address}", _suggest_camera(), code="invalid-address"
        )
    if sys.platform == "linux":
        _check_device(Path(f"/dev/video{number}"))
    capture = open_capture(number, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY, {})
    if not capture.isOpened():
        raise SourceError(
            f"a working camera at {address}",
            "a device that does not open",
            "close other programs that use it, or " + _suggest_camera(),
            code="camera-open-failed",
            summary=f"camera {address} does not open: in use by another program, or not a camera",
        )
    _configure(capture, options)
    source = CaptureSource(address, capture, live=True, options=options)
    try:
        source.read()  # a device that opens may still deliver no images
    except CorruptFrameError:  # many cameras start with one
        pass
    except SourceError:
        source.close()
        raise SourceError(
            f"frames from camera {address}",
            "none",
            _suggest_camera(),
            code="camera-no-frames",
            summary=f"camera {address} delivers no frames",
        ) from None
    return transform(source, options)


def open_video(address: str, options: SourceOptions) -> Source:
    """Open a video file or a GIF; with ``loop`` it starts again at its end.

    Raises:
        SourceError: The file is missing, or no video.
    """
    path = Path(address)
    if not path.is_file():
        problem = "a directory" if path.is_dir() else "not a regular file"
        if not path.exists():
            problem = "no such file"
        raise SourceError(
            f"a video at {address}", problem, "check the path", code="source-not-found"
        )
    if path.stat().st_size == 0:
        raise SourceError(
            f"a video at {address}", "an empty file", "copy the file again", code="video-unreadable"
        )

    def open_() -> Source:
        with native_path(path) as name:
            capture = open_capture(name, cv2.CAP_FFMPEG, {})
        if not capture.isOpened():
            raise SourceError(
                f"a video at {address}",
                "a file that is not a video or is truncated",
                "copy it again, or convert it with: ffmpeg -i FILE -c:v libx264 new.mkv",
                code="video-unreadable",
            )
        if orientation != 1:
            capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        return CaptureSource(address, capture, live=False, options=options, orientation=orientation)

    orientation = display_orientation(path)
    if orientation == 1:  # only files of MP4 and QuickTime have a display matrix
        orientation = pose_orientation(path)
    return transform(open_(), options, reopen=open_)


class CaptureSource:
    """A ``cv2.VideoCapture`` as a source.

    Its frames are turned upright from ``orientation``, as EXIF counts it.
    """

    def __init__(
        self,
        name: str,
        capture: cv2.VideoCapture,
        *,
        live: bool,
        options: SourceOptions,
        orientation: int = 1,
    ) -> None:
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.name, self.live = name, live
        own = rate if np.isfinite(rate) and 0 < rate <= 1000 else None
        self.fps = own if live else options.fps or own
        self._capture, self._fixed_fps = capture, None if live else options.fps
        self._frames = 0 if live else max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        self._length = self._frames / own if own else 0.0
        self._count, self._time = 0, 0.0
        self._grabbed, self._corrupt = False, 0
        self._orientation = orientation

    def read(self) -> Frame | None:
        """Read the next frame; see :class:`edge.sources.source.Source`."""
        if not self._grabbed and not self._grab():
            self._check_end()
            return None
        self._count += 1
        if self._corrupt:
            self._corrupt -= 1
            raise self._corrupt_frame()
        self._grabbed = False
        with discard_c_stderr():  # libjpeg comments on many cameras' images
            decoded, image = self._capture.retrieve()
        if not decoded or image is None or image.size == 0:
            raise self._corrupt_frame()
        self._time = self._timestamp()
        return Frame(self._count - 1, self._time, turn_upright(_bgr(image), self._orientation))

    def close(self) -> None:
        """Release the camera or file."""
        self._capture.release()

    def _grab(self) -> bool:
        """Grab the next frame and count the corrupt ones before it; False at the end.

        OpenCV reports a frame that it cannot decode like the end: only later frames tell them
        apart.
        """
        retries = _MAX_FAILED_READS if self.live else max(0, self._frames - self._count)
        for failed in range(retries + 1):
            start = time.perf_counter()
            self._grabbed = self._capture.grab()
            if self._grabbed:
                self._corrupt = failed
                return True
            if time.perf_counter() - start > _MAX_DECODE_S:
                break
        return False

    def _corrupt_frame(self) -> CorruptFrameError:
        return CorruptFrameError(
            f"a valid frame from {self.name}",
            "one that cannot be decoded",
            "check its cable" if self.live else "copy the file again",
            code="frame-corrupt",
        )

    def _check_end(self) -> None:
        """Raise an error at the end of a live source, and of a file that ends too early."""
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
        if not self._fixed_fps and reached < _MIN_COMPLETE * self._length:
            raise SourceError(
                f"{self._length:.1f} s of video in {self.name}",
                f"only {reached:.1f} s",
                "copy the file again",
                code="video-truncated",
                summary=f"{self.name} is truncated after {reached:.1f} of {self._length:.1f} s",
            )

    def _timestamp(self) -> float:
        if self._fixed_fps:
            return (self._count - 1) / self._fixed_fps
        milliseconds = self._capture.get(cv2.CAP_PROP_POS_MSEC)
        if milliseconds > 0 or self._count == 1 or self.live:
            return max(self._time, milliseconds / 1000)
        return (self._count - 1) / (self.fps or 30.0)  # a raw stream without timestamps


def open_capture(target: str | int, backend: int, limits: dict[int, int]) -> cv2.VideoCapture:
    """Open a capture without what its libraries would print; ``limits``: property → value."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFmpeg writes to stderr itself
    silence_opencv()
    settings = dict(limits)
    if backend == cv2.CAP_FFMPEG:  # the model needs the other cores
        settings[cv2.CAP_PROP_N_THREADS] = 2 if (os.cpu_count() or 1) > 2 else 1
    flat = [value for pair in settings.items() for value in pair]
    opener: Callable[..., cv2.VideoCapture] = cv2.VideoCapture
    capture = opener(target, backend, flat)
    if backend == cv2.CAP_FFMPEG:  # off in OpenCV 4.11
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    return capture


def _configure(capture: cv2.VideoCapture, options: SourceOptions) -> None:
    """Set the requested options; a camera applies those that it supports."""
    is_wide = options.size is not None and options.size[0] > 640
    if is_wide or (options.fps or 0) > 30:  # too fast for uncompressed frames over USB 2
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
            _suggest_camera(),
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


def _suggest_camera() -> str:
    devices = sorted(str(path) for path in Path("/dev").glob("video*"))
    if devices:
        return f"choose another camera with --source ({', '.join(devices)})"
    return "plug in a camera, or use a file: --source clip.mp4"


def _is_number(address: str) -> bool:
    return address.removeprefix("/dev/video").isdecimal() or address == ""


def _bgr(image: np.ndarray) -> BgrImage:  # type: ignore[type-arg]
    if image.ndim == 2 or image.shape[2] == 1:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.asarray(image[..., :3], np.uint8)
