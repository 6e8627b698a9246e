"""A reader of the one thing that is needed of FlexBuffers: the integers of a map.

Custom operations of TensorFlow Lite keep their options in this format. Layout:
https://flatbuffers.dev/internals/#flexbuffers (all values little-endian; offsets count backward).
"""

_INTEGER, _UNSIGNED, _MAP = 1, 2, 9
_MAX_KEYS, _MAX_KEY_BYTES = 100, 100


def integers(data: bytes) -> dict[str, int]:
    """Return the integers of the outermost map by their keys; {} where the data has none."""
    try:
        return _integers(data)
    except (IndexError, ValueError):
        return {}


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
