"""The display matrix of an MP4 or QuickTime file: how its frames are to be turned and mirrored.

OpenCV knows the angle only, and shows a mirrored video upside down. Source: ISO/IEC 14496-12.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_MAX_INDEX = 256 * 2**20
"""Bytes of the index (box ``moov``) that are read."""

_ORIENTATIONS = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}
"""Signs of the matrix (x' = a x + c y, y' = b x + d y, as a, b, c, d) → orientation of EXIF."""


def display_orientation(path: Path) -> int:
    """Return the orientation of a file's first video track, as EXIF counts it: 1 is upright.

    It is 1 for files of other kinds, without a video, or with an angle between.
    """
    try:
        with path.open("rb") as file:
            index = _index(file)
    except OSError:
        return 1
    movie = (1.0, 0.0, 0.0, 1.0)
    for name, content in _boxes(index):
        if name == b"mvhd":
            movie = _matrix(content, 36, 48)
        if name == b"trak" and _is_video(content):
            headers = dict(_boxes(content))
            return _orientation(_matrix(headers.get(b"tkhd", b""), 40, 52), movie)
    return 1


def _index(file: BinaryIO) -> bytes:
    """Return the content of the box ``moov``, empty where there is none."""
    position = 0
    while len(header := file.read(16)) >= 8:
        size, name = struct.unpack(">I4s", header[:8])
        start = 8
        if size == 1 and len(header) == 16:
            size, start = struct.unpack(">Q", header[8:])[0], 16
        if name == b"moov":
            file.seek(position + start)
            return file.read(min(size - start if size else _MAX_INDEX, _MAX_INDEX))
        if size < start:
            break
        position += size
        file.seek(position)
    return b""


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while position + 8 <= len(content):
        size, name = struct.unpack_from(">I4s", content, position)
        if size < 8:
            return
        yield name, content[position + 8 : position + size]
        position += size


def _is_video(track: bytes) -> bool:
    media = dict(_boxes(dict(_boxes(track)).get(b"mdia", b"")))
    return media.get(b"hdlr", b"")[8:12] == b"vide"


def _matrix(header: bytes, short: int, long: int) -> tuple[float, float, float, float]:
    """Read the matrix of a header, whose position depends on its version."""
    at = long if header[:1] == b"\1" else short
    if len(header) < at + 36:
        return 1, 0, 0, 1
    a, b, _, c, d = struct.unpack_from(">5i", header, at)
    return a, b, c, d


def _orientation(
    track: tuple[float, float, float, float], movie: tuple[float, float, float, float]
) -> int:
    """Return the orientation of a track's matrix followed by the movie's."""
    (a, b, c, d), (e, f, g, h) = track, movie
    product = (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)
    largest = max(map(abs, product)) or 1
    first, second, third, fourth = (round(value / largest) for value in product)
    return _ORIENTATIONS.get((first, second, third, fourth), 1)
