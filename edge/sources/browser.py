"""Browser source: the camera of the device that shows the page of the sink ``web``."""

import threading

import cv2
import numpy as np

from edge.errors import ImageError, UsageError
from edge.frame import BgrImage, Frame
from edge.image_header import jpeg_size
from edge.sources.source import Source, SourceOptions
from edge.sources.transforms import limit_rate, transform
from edge.terminal import discard_c_stderr

_MAX_PIXELS = 4096 * 4096
"""A JPEG of a few bytes may claim a size for which there is no memory."""


def open_browser(address: str, options: SourceOptions) -> "BrowserSource":
    """Open the camera of a page; the first frame comes after a user has allowed it there.

    Raises:
        UsageError: There is an address.
    """
    if address:
        raise UsageError(
            "the source browser without an address",
            f"'browser:{address}'",
            "use --source browser",
            code="unexpected-address",
        )
    return BrowserSource(options)


class BrowserCamera:
    """Holds the newest image that a page has sent; thread-safe."""

    name, live, fps = "browser", True, None

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: BgrImage | None = None
        self._ended = False

    def put(self, jpeg: bytes) -> None:
        """Decode an image and keep it.

        Raises:
            ImageError: It is no JPEG, or one larger than 4096 × 4096.
        """
        image = _decode(jpeg)
        with self._changed:
            self._newest = image
            self._changed.notify_all()

    def read(self) -> Frame | None:
        """Wait for an image; None after :meth:`close`."""
        with self._changed:
            while self._newest is None and not self._ended:
                self._changed.wait()
            if self._ended or self._newest is None:
                return None
            image, self._newest = self._newest, None
        return Frame(0, 0.0, image)  # the stream counts the frames of live sources itself

    def close(self) -> None:
        """End :meth:`read`: no more images come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class BrowserSource:
    """The images of a :class:`BrowserCamera` as a source, with the options applied."""

    name, live = "browser", True

    def __init__(self, options: SourceOptions) -> None:
        self.camera = BrowserCamera()
        frames: Source = self.camera
        if options.fps is not None:
            frames = limit_rate(frames, options.fps)
        self._frames, self.fps = transform(frames, options), options.fps
        self.read = self._frames.read
        self.close = self._frames.close


def _decode(jpeg: bytes) -> BgrImage:
    expected, fix = "a JPEG image from the page's camera", "reload the page"
    size = jpeg_size(jpeg)
    if size is None:
        raise ImageError(expected, "other data", fix, code="image-undecodable")
    if size[0] * size[1] > _MAX_PIXELS:
        raise ImageError(
            f"{expected} with at most 4096 × 4096 pixels",
            f"{size[0]} × {size[1]} pixels",
            fix,
            code="image-too-large",
        )
    try:
        with discard_c_stderr():
            decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        decoded = None
    if decoded is None:
        raise ImageError(expected, "a corrupt JPEG", fix, code="image-undecodable")
    return np.asarray(decoded, np.uint8)
