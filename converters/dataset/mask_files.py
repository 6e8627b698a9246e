"""Values of the pixels of mask files: numbers as they are stored, colors only where they are ones.

A palette is not applied: the numbers of an indexed PNG are its classes.
"""

import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from converters.dataset.image_sizes import png_size
from edge.errors import DatasetError
from edge.image import silence_opencv
from edge.image_format import JPEG, PNG, format_of
from edge.image_header import is_truncated, jpeg_size
from edge.terminal import discard_c_stderr

COLOR = 1 << 24
"""Added to a color, as red × 65536 + green × 256 + blue, to tell it from a number."""

_MAX_BYTES = 1 << 28
_MAX_PIXELS = 1 << 26
_INDEXED, _GRAY = 3, 0
"""PNG's color types."""

_CHUNKS_OF_COLORS = (b"PLTE", b"tRNS", b"sBIT", b"hIST", b"bKGD")


def read_values(path: Path, name: str) -> NDArray[np.int32]:
    """Return the values of a mask file's pixels, int32 [height, width].

    Numbers as they are, those of a palette included; a JPEG, whose values are blurred, has 0 below
    128 and else 255. Colors are ``COLOR`` and above, unless all of them are gray.

    Raises:
        DatasetError: it is no image that can be read.
    """
    try:
        data = b"" if not path.is_file() or path.stat().st_size > _MAX_BYTES else path.read_bytes()
    except OSError:
        data = b""
    levels = _bits(data) if format_of(data) is PNG and data[25:26] == bytes([_INDEXED]) else 8
    decoded = _decode(_as_gray(data) if data[25:26] == bytes([_INDEXED]) else data)
    if decoded is None:
        raise DatasetError(
            "a mask as an image",
            f"{name}, which cannot be decoded",
            "save it as PNG",
            code="mask-unreadable",
        )
    if decoded.ndim == 3:
        values = _gray_or_colors(decoded)
    elif levels < 8:  # the decoder has spread the numbers over 0 to 255
        values = decoded.astype(np.int32) // (255 // (2**levels - 1))
    else:
        values = decoded.astype(np.int32)
    if format_of(data) is JPEG and values.max(initial=0) < COLOR:
        values = np.where(values < 128, 0, 255)
    return values


def _bits(data: bytes) -> int:
    return data[24]


def _gray_or_colors(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    blue, green, red = (pixels[..., channel].astype(np.int32) for channel in range(3))
    if np.array_equal(blue, green) and np.array_equal(green, red):
        return red
    return COLOR + (red << 16) + (green << 8) + blue


def _decode(data: bytes) -> "NDArray[np.uint8] | None":
    if not data or is_truncated(data) or _claims_too_much(data):
        return None
    silence_opencv()
    try:
        with discard_c_stderr():
            flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
            decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    return None if decoded is None else np.asarray(decoded)


def _claims_too_much(data: bytes) -> bool:
    if format_of(data) is PNG:
        size = png_size(data)
        return size is None or size[0] * size[1] > _MAX_PIXELS
    size = jpeg_size(data)
    return size is not None and size[0] * size[1] > _MAX_PIXELS


def _as_gray(data: bytes) -> bytes:
    """Return an indexed PNG as a gray one of the same numbers, for a decoder that applies palettes.

    Both store a number for each pixel; only the header and the palette differ.
    """
    if format_of(data) is not PNG:
        return data
    parts, position = [data[:8]], 8
    while position + 8 <= len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        name, end = data[position + 4 : position + 8], position + 12 + size
        chunk = data[position:end]
        if name == b"IHDR":
            content = b"IHDR" + chunk[8:17] + bytes([_GRAY]) + chunk[18:21]
            chunk = chunk[:4] + content + zlib.crc32(content).to_bytes(4, "big")
        if name not in _CHUNKS_OF_COLORS:
            parts.append(chunk)
        position = end
    return b"".join(parts)
