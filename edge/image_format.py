"""File formats of images: their suffixes, and how a file's first bytes tell them apart.

Images carry wrong suffixes often (a phone's HEIC saved as .jpg, a web page's WebP as .png), so a
suffix only says that a file is meant to be an image; its content says which.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge.exif import Directory


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """A file format of images.

    ``suffixes``: in lower case; ``readable``: whether :func:`edge.read_image` decodes it.
    """

    name: str
    suffixes: tuple[str, ...]
    readable: bool = True


JPEG = ImageFormat("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"))
PNG = ImageFormat("PNG", (".png",))
BMP = ImageFormat("BMP", (".bmp", ".dib"))
WEBP = ImageFormat("WebP", (".webp",))
TIFF = ImageFormat("TIFF", (".tif", ".tiff"))
JPEG_2000 = ImageFormat("JPEG 2000", (".jp2", ".j2k"))
PNM = ImageFormat("PNM", (".ppm", ".pgm", ".pbm", ".pnm"))
HEIC = ImageFormat("HEIC", (".heic", ".heif", ".hif"), readable=False)
AVIF = ImageFormat("AVIF", (".avif",), readable=False)
JPEG_XL = ImageFormat("JPEG XL", (".jxl",), readable=False)
GIF = ImageFormat("GIF", (".gif",), readable=False)
RAW = ImageFormat(
    "camera raw",
    (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
    readable=False,
)
PSD = ImageFormat("Photoshop", (".psd",), readable=False)
SVG = ImageFormat("SVG", (".svg",), readable=False)

FORMATS = (
    JPEG, PNG, BMP, WEBP, TIFF, JPEG_2000, PNM, HEIC, AVIF, JPEG_XL, GIF, RAW, PSD, SVG,
)  # fmt: skip

SUFFIXES = frozenset(suffix for kind in FORMATS if kind.readable for suffix in kind.suffixes)
"""Suffixes of the images that are read, in lower case."""

UNREADABLE_SUFFIXES = {
    suffix: kind for kind in FORMATS if not kind.readable for suffix in kind.suffixes
}
"""Suffixes of the images that have to be converted first, in lower case, with their formats."""

PHOTOS_TO_CONVERT = (HEIC, AVIF, JPEG_XL)
"""Formats in which photos are kept that nobody keeps beside another copy, unlike camera raw."""

_LISTED_SUFFIXES = SUFFIXES.union(*(kind.suffixes for kind in PHOTOS_TO_CONVERT))

_SIGNATURES = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG", PNG),
    (b"RIFF....WEBP", WEBP),
    (b"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", BMP),
    (b"II\\*\0....CR\x02", RAW),
    (b"FUJIFILMCCD-RAW", RAW),
    (b"II(RO|RS|U\0)|MMOR", RAW),
    (b"II[*+]\0|MM\0[*+]", TIFF),
    (b"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51", JPEG_2000),
    (b"P[1-6][ \t\r\n#]", PNM),
    (b"\0\0\0\x0cJXL \r\n\x87\n|\xff\x0a", JPEG_XL),
    (b"GIF8[79]a", GIF),
    (b"8BPS", PSD),
    (
        b"(\xef\xbb\xbf)?\\s*(<\\?xml[^>]*>\\s*)?(<!--.*?-->\\s*)?(<!DOCTYPE svg[^>]*>\\s*)?<svg",
        SVG,
    ),
)
"""How files begin (W3C PNG, ITU-T T.81, T.800, RFC 9649, TIFF 6.0, ISO/IEC 18181-2 and others)."""

START = 1024
"""Bytes that tell every format."""

_PATTERNS = tuple((re.compile(start, re.DOTALL), kind) for start, kind in _SIGNATURES)

_DNG_VERSION, _SUBFILE_TYPE, _REDUCED = 0xC612, 0xFE, 1

_BRANDS = (
    (AVIF, (b"avif", b"avis")),
    (HEIC, (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")),
    (RAW, (b"crx ",)),
)
"""Brands of ISO base media files that hold images (ISO/IEC 23008-12, AV1 Image File Format)."""


def format_of(data: bytes) -> ImageFormat | None:
    """Return the format of an image file by its content, or None where it is no known image.

    The first 1024 bytes of a file are enough, but to tell a camera's raw file from a TIFF.
    """
    if data[4:8] == b"ftyp":
        size = int.from_bytes(data[:4], "big")
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, min(size, 256), 4))}
        return next((kind for kind, names in _BRANDS if brands.intersection(names)), None)
    kind = next((kind for start, kind in _PATTERNS if start.match(data[:START])), None)
    return RAW if kind is TIFF and _is_raw(Directory(data)) else kind


def _is_raw(directory: Directory) -> bool:
    """Tell a camera's raw file from a TIFF: it is a DNG, or begins with a thumbnail."""
    return _DNG_VERSION in directory or directory.value(_SUBFILE_TYPE, 0) & _REDUCED != 0


def is_listed(path: Path) -> bool:
    """Return whether a file counts as one of its folder's images.

    So do photos that have to be converted first, which are not to be passed over in silence, and
    files without a suffix by their content. A camera's raw files, which lie beside its JPEGs, and
    drawings do not.
    """
    if not path.is_file():
        return False
    if path.suffix:
        return path.suffix.lower() in _LISTED_SUFFIXES
    try:
        with path.open("rb") as file:
            kind = format_of(file.read(START))
    except OSError:
        return False
    return kind is not None and kind.readable


def names_of(formats: Iterable[ImageFormat]) -> str:
    """Return the names of formats, for a message: "JPEG, PNG or WebP"."""
    *first, last = (kind.name for kind in formats)
    return f"{', '.join(first)} or {last}" if first else last
