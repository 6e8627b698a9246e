"""The one thing that is needed of FlexBuffers: maps of numbers, written, and their integers read.

Custom operations of TensorFlow Lite keep their options in this format. Layout:
https://flatbuffers.dev/internals/#flexbuffers (all values little-endian; offsets count backward).
"""

import struct
from collections.abc import Mapping

_INTEGER, _UNSIGNED, _REAL, _MAP, _BOOLEAN = 1, 2, 3, 9, 26
_WIDTH, _WIDTH_CODE = 4, 2  # bytes of every number that is written, and their code
_MAX_KEYS, _MAX_KEY_BYTES = 100, 100


def integers(data: bytes) -> dict[str, int]:
    """Return the integers of the outermost map by their keys; {} where the data has none."""
    try:
        return _integers(data)
    except (IndexError, ValueError):
        return {}


def map_of(values: Mapping[str, float]) -> bytes:
    """Return a map of integers, booleans and float32 numbers by their keys."""
    data, starts = bytearray(), []
    for key in sorted(values):
        starts.append(len(data))
        data += key.encode("ascii") + b"\0"
    data += bytes(-len(data) % _WIDTH)
    data += struct.pack("<I", len(starts))
    keys = len(data)
    for start in starts:
        data += struct.pack("<I", len(data) - start)
    data += struct.pack("<III", len(data) - keys, _WIDTH, len(starts))
    first = len(data)
    kinds = bytearray()
    for key in sorted(values):
        value = values[key]
        real = isinstance(value, float)
        kind = _REAL if real else _BOOLEAN if isinstance(value, bool) else _INTEGER
        data += struct.pack("<f" if real else "<i", value)
        kinds.append(kind << 2 | _WIDTH_CODE)
    data += kinds
    data += bytes(-len(data) % _WIDTH)
    return bytes(data + struct.pack("<IBB", len(data) - first, _MAP << 2 | _WIDTH_CODE, _WIDTH))


def _integers(data: bytes) -> dict[str, int]:
    width, kind = data[-1], data[-2]
    if kind >> 2 != _MAP:
        return {}
    end = len(data) - 2 - width
    values, size = end - _read(data, end, width), 1 << (kind & 3)
    count = _read(data, values - size, size)
    key_size = _read(data, values - 2 * size, size)
    keys = values - 3 * size - _read(data, values - 3 * size, size)
    types = values + count * size
    if types + count > len(data) or count > _MAX_KEYS:
        raise IndexError("a map that is longer than the data, or than options are")
    numbers = {}
    for i in range(count):
        if data[types + i] >> 2 in (_INTEGER, _UNSIGNED):
            slot = keys + i * key_size
            start = slot - _read(data, slot, key_size)
            _check(data, start, 1)
            key = data[start : data.index(0, start, start + _MAX_KEY_BYTES)].decode("ascii")
            numbers[key] = _read(data, values + i * size, size)
    return numbers


def _read(data: bytes, at: int, size: int) -> int:
    _check(data, at, size)
    return int.from_bytes(data[at : at + size], "little")


def _check(data: bytes, at: int, size: int) -> None:
    if at < 0 or size not in (1, 2, 4, 8) or at + size > len(data):
        raise IndexError(f"byte {at} outside the data")
