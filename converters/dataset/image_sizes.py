"""Sizes of image files, as they are stored and upright, without decoding the usual formats."""

from dataclasses import dataclass
from pathlib import Path

from converters.dataset.annotations import Size
from edge.errors import ImageError
from edge.image import decode_bgr
from edge.image_format import JPEG, PNG, format_of
from edge.image_header import jpeg_size, read_header

_START = 1 << 20
"""Bytes of a JPEG that contain its header."""

_MAX_BYTES = 1 << 30

MAX_PIXELS = 1 << 28
"""Of an image; one that claims more is taken for damaged."""

_CHANNELS = {2: 3, 4: 2, 6: 4}
"""Of PNG's color types with more than one."""

_RATIO = 1100
"""Deflate makes at most 1032 bytes of one."""


@dataclass(frozen=True, slots=True)
class ImageSize:
    """``stored``: width and height as stored; ``orientation``: of EXIF, 1 (upright) to 8."""

    stored: Size
    orientation: int = 1

    @property
    def upright(self) -> Size:
        """Width and height with the orientation applied."""
        return self.stored[::-1] if self.orientation >= 5 else self.stored


def read_size(path: Path) -> ImageSize | None:
    """Return the size of an image file; None where it is no image that can be read."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            data = file.read(_START)
            if format_of(data) is not JPEG:
                data += file.read(_MAX_BYTES)
    except OSError:
        return None
    return size_of(data)


def size_of(data: bytes) -> ImageSize | None:
    """Return the size of an image file's content; None where it is no image."""
    kind, orientation = format_of(data), read_header(data).orientation
    if kind is JPEG:
        stored = jpeg_size(data)
    elif kind is PNG:
        stored = png_size(data)
    else:
        try:
            height, width = decode_bgr(data, "image").shape[:2]
        except ImageError:
            return None
        upright = ImageSize((width, height), orientation).upright
        return ImageSize(upright, orientation)
    is_possible = stored is not None and 0 < stored[0] * stored[1] <= MAX_PIXELS
    return ImageSize(stored, orientation) if stored is not None and is_possible else None


def png_size(data: bytes) -> Size | None:
    """Return the width and height that a PNG claims; None if it is none, or too short for them."""
    if format_of(data) is not PNG or len(data) < 29:
        return None
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    channels = _CHANNELS.get(data[25], 1)
    return (
        (width, height) if width * height * data[24] * channels <= 8 * _RATIO * len(data) else None
    )
