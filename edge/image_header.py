"""What an image file says of itself: its pixel layout, which way is up, and where it ends.

Sources: ITU-T T.81 (JPEG), W3C PNG, RFC 9649 (WebP), TIFF 6.0, CIPA DC-008 (EXIF), ISO 16684-1
(XMP), Metadata Working Group's "Guidelines for Handling Image Metadata" (EXIF before XMP).
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from edge.exif import ORIENTATION, Directory
from edge.image_format import JPEG, JPEG_2000, PNG, TIFF, WEBP, format_of

_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_SEQUENTIAL = (0xC0, 0xC1)
_START_OF_SCAN, _END_OF_IMAGE, _APP1 = 0xDA, 0xD9, 0xE1
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9), _END_OF_IMAGE})
"""Markers without a length: TEM, RST0 to RST7, SOI, EOI."""

_MARKER = re.compile(rb"\xff([^\x00\xff])", re.DOTALL)
_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
"""The next marker, and the next one that is not a part of a scan's data."""

_SAMSUNG_ENDS = (b"SEFT", b"QDIOBS")
"""How the trailers end that Samsung's phones put behind a JPEG, in panoramas without its end."""

_RAW_PROFILE = re.compile(rb"Raw profile type (?:exif|APP1)\0")
"""Keyword of the PNG text in which ImageMagick keeps EXIF, as hexadecimal digits."""

_MAX_PROFILE = 2**20
"""Bytes of such a text that are unpacked."""

_EXIF_IN_JPEG, _XMP_IN_JPEG = b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0"
_XMP_IN_PNG = b"XML:com.adobe.xmp\0"
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])\s*[\"'<]")
"""The orientation in XMP, which editors write without EXIF: an attribute, or an element."""

_CODESTREAM = b"\xff\x4f\xff\x51"
"""How the codestream of JPEG 2000 begins."""

_MAX_PARTS = 65_536
"""Segments, chunks or boxes of a file that are read."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What the header of an image file says.

    ``orientation``: of EXIF, 1 (upright) to 8; ``bits``: per channel; ``premultiplied``: OpenCV
    decodes it to colors that are multiplied by alpha.
    """

    orientation: int = 1
    grayscale: bool = False
    alpha: bool = False
    bits: int = 8
    premultiplied: bool = False


def read_header(data: bytes) -> ImageHeader:
    """Read the header of a JPEG, PNG, WebP, TIFF or JPEG 2000; defaults for other formats.

    It never fails: invalid headers are read as far as they go.
    """
    kind = format_of(data)
    reader = None if kind is None else _READERS.get(kind)
    return ImageHeader() if reader is None else reader(data)


def is_truncated(data: bytes) -> bool:
    """Return whether an image file is cut off; bytes after the end of the image do not count.

    Decoders show such files without an error, gray or black from there on. Of formats whose
    decoders do notice it, files are taken for complete.
    """
    kind = format_of(data)
    if kind is JPEG:
        has_end = any(marker == _END_OF_IMAGE for marker, *_ in _jpeg_segments(data))
        return not has_end and not data.endswith(_SAMSUNG_ENDS)
    if kind is PNG:
        return all(name != b"IEND" for name, _ in _png_chunks(data))
    if kind is WEBP:
        return len(data) < 8 + int.from_bytes(data[4:8], "little")
    return kind is TIFF and _tiff_is_truncated(Directory(data), len(data))


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return the width and height that a JPEG claims; None if it is none."""
    if format_of(data) is JPEG:
        for marker, segment, _ in _jpeg_segments(data):
            if marker in _START_OF_FRAME and len(segment) >= 5:
                return int.from_bytes(segment[3:5], "big"), int.from_bytes(segment[1:3], "big")
    return None


def for_decoder(data: bytes) -> bytes:
    """Return an image file as decoders take it.

    A TIFF says that it is upright, since some decoders would turn it, and a JPEG of a Samsung phone
    ends with its pixels.
    """
    kind = format_of(data)
    if kind is JPEG and data.endswith(_SAMSUNG_ENDS):
        return _up_to_scan_end(data)
    if kind is TIFF:
        directory = Directory(data)
        return data if directory.orientation() == 1 else directory.upright()
    return data


def jpeg_2000_codestream(data: bytes) -> bytes:
    """Return the codestream of a JPEG 2000 file without its boxes; empty where there is none."""
    if data.startswith(_CODESTREAM):
        return data
    position = 0
    for _ in range(_MAX_PARTS):
        size = int.from_bytes(data[position : position + 4], "big")
        if data[position + 4 : position + 8] == b"jp2c":
            return data[position + (16 if size == 1 else 8) :]  # 1: a length of 8 bytes follows
        if size < 8:
            break
        position += size
    return b""


def _up_to_scan_end(data: bytes) -> bytes:
    """Return a JPEG up to the end of its only scan; as it is where it has several."""
    components = b""
    for marker, segment, end in _jpeg_segments(data):
        if marker in _SEQUENTIAL:
            components = segment[5:6]
        if marker == _START_OF_SCAN:
            match = _SCAN_END.search(data, end)
            if match is not None and components == segment[:1]:
                return data[: match.start()] + b"\xff\xd9"
            break
    return data


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield the markers of the first image in a JPEG file, with their segments and where they end.

    The last one is the end of the image, unless the file is cut.
    """
    position = 2
    for _ in range(_MAX_PARTS):
        match = _MARKER.search(data, position)
        if match is None:
            return
        marker, position = match[1][0], match.end()
        size = 0
        if marker not in _BARE_MARKERS:
            size = max(2, int.from_bytes(data[position : position + 2], "big"))
        yield marker, data[position + 2 : position + size], position + size
        if marker == _END_OF_IMAGE:
            return
        position += size
        if marker == _START_OF_SCAN:
            end = _SCAN_END.search(data, position)
            position = end.start() if end else len(data)


def _jpeg_header(data: bytes) -> ImageHeader:
    exif, xmp, grayscale = b"", b"", False
    for marker, segment, _ in _jpeg_segments(data):
        if marker == _APP1 and segment.startswith(_EXIF_IN_JPEG):
            exif = exif or segment[6:]
        if marker == _APP1 and segment.startswith(_XMP_IN_JPEG):
            xmp = xmp or segment
        if marker in _START_OF_FRAME:
            grayscale = segment[5:6] == b"\x01"
        if marker == _START_OF_SCAN:
            break
    return ImageHeader(_orientation(exif, xmp), grayscale)


def _orientation(exif: bytes, xmp: bytes) -> int:
    """Return the orientation in EXIF, else in XMP; 1 where neither has it."""
    tags = Directory(exif)
    match = None if ORIENTATION in tags else _XMP_ORIENTATION.search(xmp)
    return tags.orientation() if match is None else int(match[1])


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the names and contents of a PNG file's complete chunks, and IEND where it begins."""
    position = 8
    for _ in range(_MAX_PARTS):
        size = int.from_bytes(data[position : position + 4], "big")
        name = data[position + 4 : position + 8]
        content = data[position + 8 : position + 8 + size]
        if len(content) < size or not name:
            return
        yield name, content
        if name == b"IEND":
            return
        position += 12 + size


def _png_header(data: bytes) -> ImageHeader:
    color, transparent = data[25:26], False
    exif: bytes | None = None
    xmp = b""
    for name, content in _png_chunks(data):
        transparent |= name == b"tRNS"
        if name == b"eXIf":
            exif = content
        elif exif is None and name in (b"tEXt", b"zTXt"):
            exif = _raw_profile(name, content)
        elif name == b"iTXt" and content.startswith(_XMP_IN_PNG):
            xmp = content
    return ImageHeader(
        _orientation((exif or b"").removeprefix(b"Exif\0\0"), xmp),
        grayscale=color in (b"\x00", b"\x04"),
        alpha=transparent or color in (b"\x04", b"\x06"),
        bits=max(data[24:25] + b"\x08"),
    )


def _raw_profile(name: bytes, content: bytes) -> bytes | None:
    """Return the EXIF block that ImageMagick stored in a PNG text; None in another text."""
    keyword = _RAW_PROFILE.match(content)
    if keyword is None:
        return None
    text = content[keyword.end() :]
    try:
        if name == b"zTXt":
            text = zlib.decompressobj().decompress(text[1:], _MAX_PROFILE)
        return bytes.fromhex("".join(text.decode("ascii").split()[2:]))  # after name and length
    except (zlib.error, ValueError):
        return b""


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 12
    for _ in range(_MAX_PARTS):
        if position + 8 > len(data):
            return
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        yield data[position : position + 4], data[position + 8 : position + 8 + size]
        position += 8 + size + size % 2


def _webp_header(data: bytes) -> ImageHeader:
    exif, xmp, alpha = b"", b"", False
    for name, content in _webp_chunks(data):
        if name == b"VP8X":
            alpha |= bool(content[:1]) and bool(content[0] & 0x10)
        elif name == b"VP8L":
            alpha |= bool(content[4:5]) and bool(content[4] & 0x10)
        elif name == b"EXIF":
            exif = content.removeprefix(b"Exif\0\0")
        elif name == b"XMP ":
            xmp = content
    return ImageHeader(_orientation(exif, xmp), alpha=alpha)


def _jpeg_2000_header(data: bytes) -> ImageHeader:
    at = data.find(b"ihdr", 0, 256)
    if at < 0 or len(data) < at + 15:
        return ImageHeader()
    components = int.from_bytes(data[at + 12 : at + 14], "big")
    return ImageHeader(
        grayscale=components < 3, alpha=components == 4, bits=max(8, data[at + 14] % 128 + 1)
    )


_BITS, _PHOTOMETRIC, _SAMPLES, _EXTRA_SAMPLES = 258, 262, 277, 338
_RGB, _ASSOCIATED, _UNASSOCIATED = 2, 1, 2
_OFFSETS_AND_SIZES = ((273, 279), (324, 325))
"""Of the strips, and of the tiles."""


def _tiff_header(data: bytes) -> ImageHeader:
    tags = Directory(data)
    color, bits = tags.value(_PHOTOMETRIC, _RGB), max(8, tags.value(_BITS, 8))
    extra = tags.value(_EXTRA_SAMPLES, 0)
    declared = extra in (_ASSOCIATED, _UNASSOCIATED)
    undeclared = _EXTRA_SAMPLES not in tags and color == _RGB and tags.value(_SAMPLES, 1) == 4
    return ImageHeader(
        tags.orientation(),
        grayscale=color in (0, 1),
        alpha=declared or undeclared,
        bits=bits,
        premultiplied=extra == _ASSOCIATED or (declared and bits == 8),  # libtiff does it
    )


def _tiff_is_truncated(tags: Directory, length: int) -> bool:
    return any(
        offset + size > length
        for offsets, sizes in _OFFSETS_AND_SIZES
        for offset, size in zip(tags.values(offsets), tags.values(sizes), strict=False)
    )


_READERS = {
    JPEG: _jpeg_header,
    PNG: _png_header,
    WEBP: _webp_header,
    TIFF: _tiff_header,
    JPEG_2000: _jpeg_2000_header,
}
