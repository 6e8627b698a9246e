"""The camera of whoever looks at the page of the sink ``web``."""

import threading

import cv2
import numpy as np

from edge.errors import ImageError, UsageError
from edge.frame import BgrImage, Frame
from edge.sources.source import Source, SourceOptions
from edge.sources.transforms import adjust, thin

_MOST_PIXELS = 4096 * 4096
"""A JPEG of a few bytes may promise more than there is memory for."""

_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG whose segment holds its size: start of frame (ITU-T T.81, table B.1)."""

_BARE = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a segment."""


def open_browser(address: str, options: SourceOptions) -> "BrowserSource":
    """The camera of a page; nothing comes before somebody has opened it and allowed the camera.

    Raises:
        UsageError: an address, which it does not have.
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
    """Holds the newest image that a page has sent; used by two threads."""

    name, live, fps = "browser", True, None

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: BgrImage | None = None
        self._ended = False

    def put(self, jpeg: bytes) -> None:
        """Take an image.

        Raises:
            ImageError: it is no JPEG, or one larger than 4096 × 4096.
        """
        image = _decoded(jpeg)
        with self._changed:
            self._newest = image
            self._changed.notify_all()

    def read(self) -> Frame | None:
        with self._changed:
            while self._newest is None and not self._ended:
                self._changed.wait()
            if self._ended or self._newest is None:
                return None
            image, self._newest = self._newest, None
        return Frame(0, 0.0, image)  # the stream counts the frames of live sources itself

    def close(self) -> None:
        """Let who reads know that nothing more comes."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class BrowserSource:
    """The source "browser": what :class:`BrowserCamera` gets, as the user wants it."""

    name, live = "browser", True

    def __init__(self, options: SourceOptions) -> None:
        self.camera = BrowserCamera()
        frames: Source = self.camera
        if options.fps is not None:
            frames = thin(frames, options.fps)
        self._frames, self.fps = adjust(frames, options), options.fps
        self.read = self._frames.read
        self.close = self._frames.close


def _decoded(jpeg: bytes) -> BgrImage:
    expected, fix = "a JPEG image from the page's camera", "reload the page"
    size = _size(jpeg)
    if size is None:
        raise ImageError(expected, "other data", fix, code="image-undecodable")
    if size[0] * size[1] > _MOST_PIXELS:
        raise ImageError(
            f"{expected} with at most 4096 × 4096 pixels",
            f"{size[0]} × {size[1]} pixels",
            fix,
            code="image-too-large",
        )
    try:
        decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        decoded = None
    if decoded is None:
        raise ImageError(expected, "a corrupt JPEG", fix, code="image-undecodable")
    return np.asarray(decoded, np.uint8)


def _size(jpeg: bytes) -> tuple[int, int] | None:
    """Width and height as the header of a JPEG says; None where it is none."""
    if not jpeg.startswith(b"\xff\xd8"):
        return None
    place = 2
    while place + 9 <= len(jpeg) and jpeg[place] == 0xFF:
        marker = jpeg[place + 1]
        if marker in _SIZES:
            high, wide = jpeg[place + 5 : place + 7], jpeg[place + 7 : place + 9]
            return int.from_bytes(wide), int.from_bytes(high)
        bare = marker == 0xFF or marker in _BARE
        place += 1 if marker == 0xFF else 2
        place += 0 if bare else int.from_bytes(jpeg[place : place + 2])
    return None
