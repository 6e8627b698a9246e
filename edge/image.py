"""Pictures: reading them whole, writing them, and the one preprocessing of the toolkit.

Training, calibration, verification and the board all prepare a picture with
:class:`Preprocessing`; nothing else in the toolkit resizes for a model.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import OutputError, PictureError
from edge.frame import BgrImage

RgbImage = NDArray[np.uint8]
"""A picture: uint8, [height, width, 3], RGB."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
"""File endings that are taken for pictures, in lower case."""

_FORMATS = "a JPEG, PNG, BMP or WebP image"


def read_picture(path: str | Path) -> RgbImage:
    """Read a picture file as uint8 RGB [height, width, 3], EXIF rotation applied.

    Grayscale and 16-bit pictures are converted; transparency is laid on white.

    Raises:
        PictureError: the file is missing, empty, cut short, or no picture.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise PictureError(
            _FORMATS,
            f"{path} ({error.strerror})",
            "check the path",
            code="image-unreadable",
            summary=f"cannot read {path} ({error.strerror})",
        ) from None
    return decode_picture(data, name=str(path))


def decode_picture(data: bytes, name: str = "the image") -> RgbImage:
    """Decode the bytes of a picture file; see :func:`read_picture`."""
    if not data:
        raise PictureError(
            _FORMATS,
            f"{name}, which is empty (0 bytes)",
            "copy the file again",
            code="image-empty",
            summary=f"{name} is empty (0 bytes)",
        )
    if _is_cut_short(data):
        raise PictureError(
            "a complete image",
            f"{name}, which is truncated",
            "copy the file again",
            code="image-truncated",
            summary=f"{name} is truncated",
        )
    buffer = np.frombuffer(data, np.uint8)
    decoded: Any = None
    if _may_have_alpha(data):
        decoded = _decode_alpha(buffer)
    if decoded is None:
        decoded = _imdecode(buffer, cv2.IMREAD_COLOR)
    if decoded is None:
        raise PictureError(
            _FORMATS,
            f"{name}, which cannot be decoded",
            "remove it or save it as JPEG",
            code="image-undecodable",
        )
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _imdecode(buffer: RgbImage, flags: int) -> Any:
    """What OpenCV decodes: an array of integers in BGR order, or None."""
    try:
        decoded: Any = cv2.imdecode(buffer, flags)
    except cv2.error:  # e.g. a header that promises more pixels than OpenCV allows
        return None
    return decoded


def _is_cut_short(data: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end mark.

    OpenCV decodes such files to a picture that is gray from the cut on, without a word.
    """
    if data.startswith(b"\xff\xd8"):  # JPEG: an end of image after the last start of scan
        return data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data[-4096:]
    return False


def _may_have_alpha(data: bytes) -> bool:
    if data.startswith(b"\x89PNG"):
        return data[25:26] in (b"\x04", b"\x06") or b"tRNS" in data[:4096]
    if data[8:12] == b"WEBP":
        return data[12:16] in (b"VP8X", b"VP8L")
    return False


def _decode_alpha(buffer: RgbImage) -> RgbImage | None:
    """BGR uint8 of a picture with transparency, laid on white; None where it has none."""
    decoded = _imdecode(buffer, cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.ndim != 3 or decoded.shape[2] != 4:
        return None
    full = float(np.iinfo(decoded.dtype).max)
    alpha = decoded[..., 3:].astype(np.float32) / full
    colour = decoded[..., :3].astype(np.float32) / full
    flat: RgbImage = np.rint(255 * (colour * alpha + 1 - alpha)).astype(np.uint8)
    return flat


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a picture becomes a model's input.

    The picture is stretched to ``width`` × ``height`` (bilinear, no crop, as MediaPipe's
    image classifier does), and a pixel ``p`` of 0–255 means ``(p - mean) / std`` to the model.
    ``mean`` and ``std`` have one value for all channels, or one for each of R, G, B.
    """

    width: int
    height: int
    mean: tuple[float, ...] = (127.5,)
    std: tuple[float, ...] = (127.5,)

    def resize(self, picture: RgbImage) -> RgbImage:
        """The picture at the model's size: uint8 RGB [height, width, 3]."""
        if picture.shape[:2] == (self.height, self.width):
            return picture
        size = (self.width, self.height)
        resized = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        return resized.astype(np.uint8, copy=False)

    def normalise(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Real input values, float32, of stretched pixels [..., height, width, 3]."""
        mean = np.asarray(self.mean, np.float32)
        std = np.asarray(self.std, np.float32)
        return (pixels.astype(np.float32) - mean) / std

    def to_dict(self) -> dict[str, object]:
        return {
            "resize": "stretch",
            "interpolation": "bilinear",
            "colour": "RGB",
            "width": self.width,
            "height": self.height,
            "mean": list(self.mean),
            "std": list(self.std),
        }


@dataclass(frozen=True, slots=True)
class InputTransform:
    """Where a picture lies in a model's input: input pixel = picture pixel × scale + offset."""

    scale_x: float
    scale_y: float
    left: int = 0
    top: int = 0


def resize_to_input(picture: RgbImage, width: int, height: int, *, letterbox: bool) -> RgbImage:
    """A picture, uint8 [h, w, 3] of any channel order, at the size of a model's input.

    Stretched as :class:`Preprocessing` does, or with ``letterbox`` in its proportions, centered on
    gray (114), as YOLO is trained.
    """
    place = input_transform(picture.shape[1], picture.shape[0], width, height, letterbox=letterbox)
    if not letterbox:
        return Preprocessing(width, height).resize(picture)
    inner = (
        round(picture.shape[1] * place.scale_x),
        round(picture.shape[0] * place.scale_y),
    )
    made: RgbImage = np.full((height, width, 3), _GREY, np.uint8)
    resized = cv2.resize(picture, inner, interpolation=cv2.INTER_LINEAR)
    made[place.top : place.top + inner[1], place.left : place.left + inner[0]] = resized
    return made


def input_transform(
    picture_width: int, picture_height: int, width: int, height: int, *, letterbox: bool
) -> InputTransform:
    """Where :func:`resize_to_input` puts a picture of that size."""
    if not letterbox:
        return InputTransform(width / picture_width, height / picture_height)
    scale = min(width / picture_width, height / picture_height)
    left = (width - round(picture_width * scale)) // 2
    top = (height - round(picture_height * scale)) // 2
    return InputTransform(scale, scale, left, top)


def crop_square(picture: RgbImage, left: float, top: float, side: float, size: int) -> RgbImage:
    """A square of a picture, uint8 [h, w, 3] of any channel order, at [size, size, 3].

    The square may reach beyond the picture, where it is black.
    """
    step = side / size
    back = np.array([[step, 0, left + (step - 1) / 2], [0, step, top + (step - 1) / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture, back, (size, size), flags=flags), np.uint8)


def downscale(picture: BgrImage, side: int) -> BgrImage:
    """A picture whose longest side has ``side`` pixels; itself where it is no larger."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return picture
    size = max(1, round(scale * width)), max(1, round(scale * height))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def encode_jpeg(picture: BgrImage, quality: int) -> bytes:
    """A picture as a JPEG file; ``quality`` from 0 to 100.

    Raises:
        OutputError: it is too large for one.
    """
    made, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not made:
        height, width = picture.shape[:2]
        raise OutputError(
            "an image of at most 65,500 pixels per side, the limit of JPEG",
            f"{width}x{height}",
            "use a smaller image",
            code="image-too-large",
        )
    return data.tobytes()


_GREY = 114
