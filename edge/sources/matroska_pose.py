"""The pose of a Matroska or WebM file's video: how its frames are to be turned and mirrored.

OpenCV knows the angle only, and versions with an old FFmpeg not even that. Source: RFC 9559.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

_SIGNATURE = b"\x1a\x45\xdf\xa3"
_MAX_START = 4 * 2**20
"""Bytes at the start of a file in which its tracks are looked for."""

_SEGMENT, _TRACKS, _TRACK = 0x18538067, 0x1654AE6B, 0xAE
_TRACK_TYPE, _VIDEO, _PROJECTION = 0x83, 0xE0, 0x7670
_PROJECTION_TYPE, _YAW, _PITCH, _ROLL = 0x7671, 0x7673, 0x7674, 0x7675
_IS_VIDEO = 1

_ORIENTATIONS = {
    (False, 0): 1,
    (True, 0): 2,
    (False, 180): 3,
    (True, 180): 4,
    (True, 90): 5,
    (False, 270): 6,
    (True, 270): 7,
    (False, 90): 8,
}
"""Mirrored, then turned so many degrees counter-clockwise → orientation of EXIF."""


def pose_orientation(path: Path) -> int:
    """Return the orientation of a file's first video track, as EXIF counts it: 1 is upright.

    It is 1 for files of other kinds, without a video, and with an angle between.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_SIGNATURE))
            start += file.read(_MAX_START) if start == _SIGNATURE else b""
    except OSError:
        return 1
    for name, segment in _elements(start):
        if name == _SEGMENT:
            tracks = dict(_elements(segment)).get(_TRACKS, b"")
            videos = (dict(_elements(track)) for key, track in _elements(tracks) if key == _TRACK)
            first = next((video for video in videos if _is_video(video)), {})
            return _orientation(dict(_elements(first.get(_VIDEO, b""))).get(_PROJECTION, b""))
    return 1


def _is_video(track: dict[int, bytes]) -> bool:
    return int.from_bytes(track.get(_TRACK_TYPE, b""), "big") == _IS_VIDEO


def _orientation(projection: bytes) -> int:
    fields = dict(_elements(projection))
    yaw, pitch, roll = (_number(fields.get(name, b"")) for name in (_YAW, _PITCH, _ROLL))
    is_flat = not any(fields.get(_PROJECTION_TYPE, b"")) and pitch == 0 and abs(yaw) in (0, 180)
    return _ORIENTATIONS.get((yaw != 0, int(roll % 360)), 1) if is_flat and roll % 90 == 0 else 1


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the identifiers and contents of EBML elements; a size may be unknown, for the rest."""
    position = 0
    while position < len(content):
        name, position = _variable(content, position, marked=True)
        size, start = _variable(content, position, marked=False)
        if name == 0 or start == position:
            return
        unknown = size == (1 << 7 * (start - position)) - 1
        position = len(content) if unknown else start + size
        yield name, content[start:position]


def _variable(content: bytes, position: int, *, marked: bool) -> tuple[int, int]:
    """Read an integer whose leading zeros tell its length; return it and the position behind.

    ``marked``: with the bit that ends them. The position stays the same where there is none.
    """
    first = content[position] if position < len(content) else 0
    if first == 0:
        return 0, position
    length = 9 - first.bit_length()
    value = int.from_bytes(content[position : position + length], "big")
    return (value if marked else value & (1 << 7 * length) - 1), position + length


def _number(content: bytes) -> float:
    """Read a floating-point number of 4 or 8 bytes; 0 where there is none."""
    if len(content) not in (4, 8):
        return 0.0
    value: float = struct.unpack(">f" if len(content) == 4 else ">d", content)[0]
    return value
