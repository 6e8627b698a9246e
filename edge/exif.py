"""Tags of a TIFF file or an EXIF block, which is laid out like one.

Sources: TIFF 6.0, BigTIFF, CIPA DC-008 (EXIF).
"""

import struct
from dataclasses import dataclass
from typing import Final, Literal

ORIENTATION: Final = 0x0112

_MAX_ENTRIES = 4096
"""Entries of a directory that are read."""

_SIZES = {1: 1, 3: 2, 4: 4, 16: 8}
"""Bytes of the types of unsigned integers: BYTE, SHORT, LONG, LONG8."""


@dataclass(frozen=True, slots=True)
class _Entry:
    position: int
    size: int
    count: int


class Directory:
    """The tags with unsigned integers in the first directory of a TIFF file or EXIF block.

    It never fails: a damaged directory is read as far as it goes.
    """

    def __init__(self, tiff: bytes) -> None:
        self._tiff = tiff
        self._byte_order: Literal["little", "big"] = "big" if tiff[:2] == b"MM" else "little"
        self._entries: dict[int, _Entry] = {}
        version = self._number(2, 2)
        if tiff[:2] in (b"II", b"MM") and version in (42, 43):
            self._read(8 if version == 43 else 4)  # BigTIFF counts in 64 bits

    def __contains__(self, tag: int) -> bool:
        return tag in self._entries

    def values(self, tag: int) -> tuple[int, ...]:
        """Return the values of a tag; none where it is missing."""
        entry = self._entries.get(tag)
        if entry is None:
            return ()
        order = "<" if self._byte_order == "little" else ">"
        letter = {1: "B", 2: "H", 4: "I", 8: "Q"}[entry.size]
        return struct.unpack_from(f"{order}{entry.count}{letter}", self._tiff, entry.position)

    def value(self, tag: int, default: int) -> int:
        """Return the first value of a tag, or ``default`` where it is missing."""
        entry = self._entries.get(tag)
        return default if entry is None else self._number(entry.position, entry.size)

    def orientation(self) -> int:
        """Return the orientation, 1 (upright) to 8; 1 where it is missing or invalid."""
        value = self.value(ORIENTATION, 1)
        return value if 1 <= value <= 8 else 1

    def upright(self) -> bytes:
        """Return the file with an orientation of 1, which must be there."""
        entry, changed = self._entries[ORIENTATION], bytearray(self._tiff)
        changed[entry.position : entry.position + entry.size] = (1).to_bytes(
            entry.size, self._byte_order
        )
        return bytes(changed)

    def _read(self, width: int) -> None:
        start = self._number(width, width)
        size = 4 + 2 * width
        first = start + (8 if width == 8 else 2)
        count = min(self._number(start, first - start), _MAX_ENTRIES)
        count = min(count, (len(self._tiff) - first) // size)
        for at in range(first, first + size * count, size):
            value_size = _SIZES.get(self._number(at + 2, 2), 0)
            values = self._number(at + 4, width)
            field = at + 4 + width
            position = field if value_size * values <= width else self._number(field, width)
            if value_size * values > 0 and position + value_size * values <= len(self._tiff):
                self._entries[self._number(at, 2)] = _Entry(position, value_size, values)

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self._tiff[at : at + size], self._byte_order)
