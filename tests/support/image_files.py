"""Image files that say which way is up: encoded by OpenCV, with an EXIF block added."""

import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray


def turned(image: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """Return the pixels that a file of this EXIF orientation stores of an upright ``image``."""
    if orientation in (2, 3, 4):
        return np.flip(image, {2: (1,), 3: (0, 1), 4: (0,)}[orientation])
    if orientation >= 5:
        swapped = image.swapaxes(0, 1)
        return np.flip(swapped, {5: (), 6: (0,), 7: (0, 1), 8: (1,)}[orientation])
    return image


def exif(orientation: int, byte_order: str = ">") -> bytes:
    """Return an EXIF block with nothing but the orientation."""
    start = b"MM\0*" if byte_order == ">" else b"II*\0"
    return start + struct.pack(f"{byte_order}IHHHIHxxI", 8, 1, 0x0112, 3, 1, orientation, 0)


def encode(image: NDArray[np.generic], suffix: str, *options: int) -> bytes:
    """Encode an image, losslessly or nearly so."""
    best = {".jpg": (cv2.IMWRITE_JPEG_QUALITY, 100), ".webp": (cv2.IMWRITE_WEBP_QUALITY, 101)}
    return cv2.imencode(suffix, image, [*best.get(suffix, ()), *options])[1].tobytes()


def with_exif(data: bytes, block: bytes) -> bytes:
    """Return a JPEG, PNG, WebP or TIFF file with an EXIF block; a TIFF takes its orientation."""
    if data.startswith(b"\xff\xd8"):
        return data[:2] + jpeg_segment(0xE1, b"Exif\0\0" + block) + data[2:]
    if data.startswith(b"\x89PNG"):
        return data[:33] + png_chunk(b"eXIf", block) + data[33:]
    if data.startswith(b"RIFF"):
        return _webp(data, block)
    return _tiff(data, block)


def jpeg_segment(marker: int, content: bytes) -> bytes:
    """Return a segment of a JPEG file."""
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def png_chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    check = zlib.crc32(name + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + name + content + check


def _webp(data: bytes, block: bytes) -> bytes:
    height, width = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED).shape[:2]
    alpha = 0x10 if data[12:16] == b"VP8L" and data[24] & 0x10 else 0
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    extended = b"VP8X" + struct.pack("<II", 10, 0x08 | alpha) + canvas
    body = b"WEBP" + extended + data[12:] + b"EXIF" + struct.pack("<I", len(block)) + block
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _tiff(data: bytes, block: bytes) -> bytes:
    return with_tag(data, 0x0112, struct.unpack_from(">H", block, 18)[0])


def with_tag(data: bytes, tag: int, value: int) -> bytes:
    """Return a little-endian TIFF file with its directory at the end, and one tag (SHORT) set."""
    start = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, start)[0]
    entries = [data[start + 2 + 12 * n :][:12] for n in range(count)]
    entries = [entry for entry in entries if struct.unpack_from("<H", entry)[0] != tag]
    entries.append(struct.pack("<HHIHH", tag, 3, 1, value, 0))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry))
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return data[:4] + struct.pack("<I", len(data)) + data[8:] + directory
