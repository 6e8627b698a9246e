"""Images: read and decode files, scale them down, encode JPEG."""

import shlex
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError, OutputError
from edge.frame import BgrImage
from edge.image_format import FORMATS, JPEG_2000, ImageFormat, format_of, names_of
from edge.image_header import (
    ImageHeader,
    for_decoder,
    is_truncated,
    jpeg_2000_codestream,
    jpeg_size,
    read_header,
)
from edge.terminal import discard_c_stderr

RgbImage = NDArray[np.uint8]
"""An image: uint8, [height, width, 3], RGB."""

WARP_LIMIT = 2**15 - 2
"""Pixels per side up to which OpenCV warps an image."""

_EXPECTED = f"a {names_of(kind for kind in FORMATS if kind.readable)} image"


_FLIPS = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
"""EXIF orientation → OpenCV's code of the flip, after rows and columns are swapped from 5 on."""

_REDUCED = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)
"""Parts of a side that are decoded to one pixel, and OpenCV's flag for it."""


def read_image(path: str | Path) -> BgrImage:
    """Read an image file as uint8 BGR [height, width, 3], EXIF rotation applied.

    Grayscale and 16-bit images are converted; transparent pixels are blended with white.

    Raises:
        ImageError: the file is missing, empty, truncated, or not an image.
    """
    return _decode(read_content(path), str(path))


def read_content(path: str | Path) -> bytes:
    """Read the bytes of an image file.

    Raises:
        ImageError: the file is missing, or cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ImageError(
            _EXPECTED,
            f"{path} ({error.strerror})",
            "check the path",
            code="image-unreadable",
            summary=f"cannot read {path} ({error.strerror})",
        ) from None


def decode_bgr(data: bytes, name: str, size: tuple[int, int] | None = None) -> BgrImage:
    """Decode the bytes of an image file as uint8 BGR; see :func:`decode_image`."""
    return _decode(data, name, size)


def as_image(image: BgrImage | str | Path) -> BgrImage:
    """Return an image as uint8 BGR [height, width, 3]; a path is read with :func:`read_image`.

    Raises:
        ImageError: the file cannot be read, or the array has another shape or dtype.
    """
    if isinstance(image, str | Path):
        return read_image(image)
    shape = image.shape if isinstance(image, np.ndarray) and image.dtype == np.uint8 else ()
    if len(shape) != 3 or shape[2] != 3 or 0 in shape:
        raise wrong_array("a BGR image as uint8 [height, width, 3]", image)
    return image


def wrong_array(expected: str, image: object) -> ImageError:
    """Return the error for a value that is not the ``expected`` image."""
    return ImageError(
        expected,
        f"{image.dtype} {list(image.shape)}"
        if isinstance(image, np.ndarray)
        else type(image).__name__,
        "convert the array, or read images with edge.read_image",
        code="invalid-image-array",
    )


def decode_image(
    data: bytes, name: str = "the image", size: tuple[int, int] | None = None
) -> RgbImage:
    """Decode the bytes of an image file as uint8 RGB [height, width, 3]; see :func:`read_image`.

    ``size``: the width and height that the image will be resized to. A large JPEG is then decoded
    at a half, a quarter or an eighth of its size, in less time; at least twice ``size`` remains.
    """
    return np.asarray(cv2.cvtColor(_decode(data, name, size), cv2.COLOR_BGR2RGB), np.uint8)


def _decode(data: bytes, name: str, size: tuple[int, int] | None = None) -> BgrImage:
    if not data:
        raise ImageError(
            _EXPECTED,
            f"{name}, which is empty (0 bytes)",
            "copy the file again",
            code="image-empty",
            summary=f"{name} is empty (0 bytes)",
        )
    kind = format_of(data)
    if kind is not None and not kind.readable:
        raise _unsupported(kind, name)
    if is_truncated(data):
        raise ImageError(
            "a complete image",
            f"{name}, which is truncated",
            "copy the file again",
            code="image-truncated",
            summary=f"{name} is truncated",
        )
    header = read_header(data)
    color = cv2.IMREAD_COLOR if size is None else _color_flag(data, header.orientation, size)
    decoded = _decode_pixels(for_decoder(data), kind, header, color)
    if decoded is None:
        raise ImageError(
            _EXPECTED,
            f"{name}, which cannot be decoded",
            "remove it or save it as JPEG",
            code="image-undecodable",
        )
    return turn_upright(np.asarray(decoded, np.uint8), header.orientation)


def _unsupported(kind: ImageFormat, name: str) -> ImageError:
    return ImageError(
        _EXPECTED,
        f"{name}, which is {kind.name}",
        f"convert it, for example with ImageMagick: mogrify -format jpg {shlex.quote(name)}",
        code="image-format-unsupported",
        summary=f"{name} is {kind.name}, which is not read",
    )


def _color_flag(data: bytes, orientation: int, size: tuple[int, int]) -> int:
    """Return OpenCV's flag for the smallest color image of at least twice ``size``.

    Reduced to one to two times their size, a classifier's inputs cost it 6 points of accuracy.
    """
    stored = jpeg_size(data)
    if stored is None:
        return cv2.IMREAD_COLOR
    width, height = stored[::-1] if orientation >= 5 else stored
    times = min(width / size[0], height / size[1])
    return next((flag for part, flag in _REDUCED if times >= 2 * part), cv2.IMREAD_COLOR)


def _decode_pixels(data: bytes, kind: ImageFormat | None, header: ImageHeader, color: int) -> Any:
    """Decode to BGR uint8 as it is stored, or None where OpenCV cannot.

    ``color``: OpenCV's flag for images without transparency. The orientation is not applied: in
    which formats and with which flags OpenCV does that depends on its version.
    """
    if kind is JPEG_2000 and _imdecode(jpeg_2000_codestream(data), cv2.IMREAD_COLOR) is None:
        return None  # the OpenJPEG of OpenCV 4.11 crashes on it where it is in boxes
    flat = _decode_alpha(data, header.premultiplied) if header.alpha else None
    if flat is not None:
        return flat
    return _imdecode(data, color | cv2.IMREAD_IGNORE_ORIENTATION)


def _imdecode(data: bytes, flags: int) -> Any:
    """Decode with OpenCV to an array of integers in BGR order, or None."""
    silence_opencv()
    try:
        with discard_c_stderr():
            decoded: Any = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # e.g. no data, or a header that promises more pixels than OpenCV allows
        return None
    return decoded


def turn_upright(image: BgrImage, orientation: int) -> BgrImage:
    """Turn an image, uint8 BGR [height, width, 3], upright from its EXIF orientation, 1 to 8."""
    upright: Any = cv2.transpose(image) if orientation >= 5 else image
    if orientation in _FLIPS:
        upright = cv2.flip(upright, _FLIPS[orientation])
    return np.asarray(upright, np.uint8)


def _decode_alpha(data: bytes, premultiplied: bool) -> RgbImage | None:
    """Decode an image with transparency to BGR uint8 on white; None if it has none."""
    decoded = _imdecode(data, cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.ndim != 3 or decoded.shape[2] != 4:
        return None
    full = float(np.iinfo(decoded.dtype).max)
    alpha = decoded[..., 3:].astype(np.float32) / full
    color = decoded[..., :3].astype(np.float32) / full
    if not premultiplied:
        color *= alpha
    flat: RgbImage = np.rint(255 * np.minimum(color + 1 - alpha, 1)).astype(np.uint8)
    return flat


def downscale(image: BgrImage, side: int) -> BgrImage:
    """Scale an image down so that its longer side has at most ``side`` pixels."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(scale * width)), max(1, round(scale * height))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def encode_jpeg(image: BgrImage, quality: int) -> bytes:
    """Encode an image, uint8 BGR [height, width, 3], as JPEG; ``quality``: 0 to 100.

    Raises:
        OutputError: the image is too large for JPEG.
    """
    encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        height, width = image.shape[:2]
        raise OutputError(
            "an image of at most 65,500 pixels per side, the limit of JPEG",
            f"{width}x{height}",
            "use a smaller image",
            code="image-too-large",
        )
    return data.tobytes()


@cache
def silence_opencv() -> None:
    """Keep OpenCV from writing to stderr; the function moved between versions."""
    logging = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging  # type: ignore[attr-defined]
    logging.setLogLevel(0)
