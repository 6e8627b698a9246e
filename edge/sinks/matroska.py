"""Writer of Matroska files of JPEG images, playable after each image.

OpenCV's own video writer buffers the last 256 KiB, many seconds of a quiet scene: a program that is
killed leaves an empty file. Here an image is in the file when :meth:`MatroskaWriter.add` returns.

RFC 9559 (Matroska) on RFC 8794 (EBML).
"""

import struct
from array import array
from pathlib import Path

_CLUSTER_MS = 1000
"""Milliseconds of a cluster; players seek to the start of one."""

_RATE_TOLERANCE = 0.02
"""Relative difference up to which the mean rate counts as the nominal one."""

_UNKNOWN_SIZE = b"\x01" + b"\xff" * 7

# Elements by their identifiers.
_EBML, _VOID, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\xec", b"\x18\x53\x80\x67"
_SEEK_HEAD, _SEEK, _SEEK_ID, _SEEK_AT = b"\x11\x4d\x9b\x74", b"\x4d\xbb", b"\x53\xab", b"\x53\xac"
_INFO, _SCALE, _DURATION = b"\x15\x49\xa9\x66", b"\x2a\xd7\xb1", b"\x44\x89"
_MUXER, _WRITER = b"\x4d\x80", b"\x57\x41"
_TRACKS, _TRACK, _TRACK_NUMBER, _TRACK_UID = b"\x16\x54\xae\x6b", b"\xae", b"\xd7", b"\x73\xc5"
_TRACK_TYPE, _LACING, _CODEC, _STEP = b"\x83", b"\x9c", b"\x86", b"\x23\xe3\x83"
_VIDEO, _WIDTH, _HEIGHT = b"\xe0", b"\xb0", b"\xba"
_CLUSTER, _TIMESTAMP, _SIMPLE_BLOCK = b"\x1f\x43\xb6\x75", b"\xe7", b"\xa3"
_CUES, _CUE, _CUE_TIME = b"\x1c\x53\xbb\x6b", b"\xbb", b"\xb3"
_CUE_POSITIONS, _CUE_TRACK, _CUE_CLUSTER = b"\xb7", b"\xf7", b"\xf1"

_KEY_FRAME = 0x80
_SEEK_HEAD_BYTES, _DURATION_BYTES = 160, 18
"""Bytes reserved at the front for values known only at the end."""


class MatroskaWriter:
    """Writes a file of images, each with its time.

    Args:
        path: Of the file, replaced if it exists.
        size: Width and height of every image.
        fps: Nominal rate; the file gets the mean rate where that differs.

    Raises:
        OSError: The file cannot be written; the methods raise it, too.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        self._file = path.open("wb", buffering=0)
        self._fps, self._images, self._last = fps, 0, -1
        # Of each cluster, for recordings of days: ms, offset in the file.
        self._times, self._offsets = array("Q"), array("Q")
        self._append(_header() + _SEGMENT + _UNKNOWN_SIZE)
        self._segment = self._append(_void(_SEEK_HEAD_BYTES))
        self._info = self._append(_element(_INFO, _segment_info() + _void(_DURATION_BYTES)))
        self._tracks = self._append(_track(size, fps))

    def add(self, jpeg: bytes, time_s: float) -> None:
        """Add an encoded image; ``time_s``: seconds from the first one."""
        now = max(round(1000 * time_s), self._last + 1)
        self._last = now
        if not self._times or now - self._times[-1] >= _CLUSTER_MS:
            self._end_cluster()
            start = self._append(_CLUSTER + _UNKNOWN_SIZE + _element(_TIMESTAMP, _number(now)))
            self._times.append(now)
            self._offsets.append(start)
        offset = now - self._times[-1]
        block = b"\x81" + struct.pack(">hB", offset, _KEY_FRAME) + jpeg  # 0x81: track 1
        self._append(_element(_SIMPLE_BLOCK, block))
        self._images += 1

    def close(self) -> None:
        """Fill in the duration and the index; without them a file plays, but seeks slowly."""
        try:
            self._end_cluster()
            cues = self._append(
                _element(_CUES, b"".join(map(self._cue, self._times, self._offsets)))
            )
            self._fill_size(self._segment - len(_UNKNOWN_SIZE))
            self._overwrite(self._segment, self._seek_head(cues))
            duration = _element(_DURATION, struct.pack(">d", self._last + self._step_ms()))
            self._overwrite(self._tracks - _DURATION_BYTES, duration)
        finally:
            self._file.close()

    def _seek_head(self, cues: int) -> bytes:
        targets = ((_INFO, self._info), (_TRACKS, self._tracks), (_CUES, cues))
        entries = (
            _element(_SEEK, _element(_SEEK_ID, name) + _element(_SEEK_AT, self._relative(offset)))
            for name, offset in targets
        )
        head = _element(_SEEK_HEAD, b"".join(entries))
        return head + _void(_SEEK_HEAD_BYTES - len(head))

    def _cue(self, time: int, offset: int) -> bytes:
        position = _element(_CUE_TRACK, _number(1))
        position += _element(_CUE_CLUSTER, self._relative(offset))
        return _element(
            _CUE, _element(_CUE_TIME, _number(time)) + _element(_CUE_POSITIONS, position)
        )

    def _relative(self, offset: int) -> bytes:
        return _number(offset - self._segment)

    def _end_cluster(self) -> None:
        if self._offsets:
            self._fill_size(self._offsets[-1] + len(_CLUSTER))
            first = self._offsets[0]  # the track ends there, with its rate
            self._overwrite(first - 8, _number(round(1e6 * self._step_ms())))

    def _step_ms(self) -> float:
        """Return the milliseconds from image to image: nominal, or the mean where that differs."""
        nominal = 1000 / self._fps
        mean = self._last / (self._images - 1) if self._images > 1 else nominal
        return nominal if abs(mean - nominal) < _RATE_TOLERANCE * nominal else mean

    def _fill_size(self, offset: int) -> None:
        """Replace the unknown size at ``offset`` by the number of bytes up to the end."""
        self._overwrite(offset, _size(self._file.tell() - offset - len(_UNKNOWN_SIZE)))

    def _overwrite(self, offset: int, data: bytes) -> None:
        end = self._file.tell()
        self._file.seek(offset)
        self._append(data)
        self._file.seek(end)

    def _append(self, data: bytes) -> int:
        """Write at the current offset, and return it."""
        offset = self._file.tell()
        while data:  # a disk that fills up takes a part, then fails
            data = data[self._file.write(data) :]
        return offset


def _header() -> bytes:
    # Version of EBML for writers and readers, longest identifier and size; then of the document.
    versions = ((b"\x42\x86", 1), (b"\x42\xf7", 1), (b"\x42\xf2", 4), (b"\x42\xf3", 8))
    document = _element(b"\x42\x82", b"matroska")
    document += _element(b"\x42\x87", _number(4)) + _element(b"\x42\x85", _number(2))
    return _element(_EBML, _elements(versions) + document)


def _segment_info() -> bytes:
    names = _element(_MUXER, b"edge-toolkit") + _element(_WRITER, b"edge-toolkit")
    return _element(_SCALE, _number(1_000_000)) + names  # nanoseconds: times are in ms


def _track(size: tuple[int, int], fps: float) -> bytes:
    fields = _elements(((_TRACK_NUMBER, 1), (_TRACK_UID, 1), (_TRACK_TYPE, 1), (_LACING, 0)))
    fields += _element(_CODEC, b"V_MJPEG")
    video = _element(_VIDEO, _elements(((_WIDTH, size[0]), (_HEIGHT, size[1]))))
    step = _element(_STEP, _number(round(1e9 / fps)))  # last, where _end_cluster() overwrites it
    return _element(_TRACKS, _element(_TRACK, fields + video + step))


def _elements(numbers: tuple[tuple[bytes, int], ...]) -> bytes:
    return b"".join(_element(name, _number(value)) for name, value in numbers)


def _element(name: bytes, data: bytes) -> bytes:
    return name + _size(len(data)) + data


def _void(length: int) -> bytes:
    """Return a void element of ``length`` bytes in total."""
    return _element(_VOID, bytes(length - len(_VOID) - len(_UNKNOWN_SIZE)))


def _size(length: int) -> bytes:
    """Encode a size in eight bytes, the longest form, so that it can be overwritten later."""
    return struct.pack(">Q", length | 1 << 56)


def _number(value: int) -> bytes:
    return struct.pack(">Q", value)
