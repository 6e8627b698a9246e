"""Image file headers: rotation, gray scale, alpha and bit depth, which decoding converts."""

from collections.abc import Iterator

_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ORIENTATION = 0x0112


def conversions(data: bytes) -> tuple[str, ...]:
    """Return which of "rotated", "greyscale", "alpha" and "16-bit" apply to a JPEG, PNG or WebP.

    "rotated" means an EXIF orientation other than upright, which decoding applies. This reads
    headers only and never fails: invalid headers are ignored.

    Sources: ITU-T T.81 (JPEG), CIPA DC-008 (EXIF), W3C PNG, RFC 9649 (WebP).
    """
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return ()


def _jpeg(data: bytes) -> tuple[str, ...]:
    kinds = []
    for marker, segment in _jpeg_segments(data):
        if marker == 0xE1 and segment.startswith(b"Exif\0\0") and _is_rotated(segment[6:]):
            kinds.append("rotated")
        if marker in _START_OF_FRAME:
            if segment[5:6] == b"\x01":
                kinds.append("greyscale")
            break
    return tuple(dict.fromkeys(kinds))


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        size = int.from_bytes(data[position + 2 : position + 4], "big")
        yield marker, data[position + 4 : position + 2 + size]
        position += 2 + max(size, 2)


def _is_rotated(tiff: bytes) -> bool:
    if tiff[:2] not in (b"II", b"MM"):
        return False

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], "little" if tiff[:1] == b"I" else "big")

    directory = number(4, 4)
    for index in range(number(directory, 2)):
        entry = directory + 2 + 12 * index
        if entry + 12 > len(tiff):
            return False
        if number(entry, 2) == _ORIENTATION:
            return 2 <= number(entry + 8, 2) <= 8
    return False


def _png(data: bytes) -> tuple[str, ...]:
    depth, color = data[24:25], data[25:26]
    kinds = []
    if color in (b"\x00", b"\x04"):
        kinds.append("greyscale")
    if color in (b"\x04", b"\x06") or b"tRNS" in data[:4096]:
        kinds.append("alpha")
    if depth == b"\x10":
        kinds.append("16-bit")
    return tuple(kinds)


def _webp(data: bytes) -> tuple[str, ...]:
    kind = data[12:16]
    if kind == b"VP8X" and data[20:21] and data[20] & 0x10:
        return ("alpha",)
    if kind == b"VP8L" and data[24:25] and data[24] & 0x10:
        return ("alpha",)
    return ()
