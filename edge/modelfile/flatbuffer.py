"""FlatBuffer reader that checks every access against the file's length.

The C++ readers of TensorFlow Lite follow the offsets of a file as they are; on a truncated file
that is a crash. Layout: https://flatbuffers.dev/internals/ (all values little-endian; an unsigned
offset counts forward from its own position; a table starts with the signed offset back to its
vtable).

Nothing in the format keeps thousands of parents from sharing one table, which a reader then meets
thousands of times. So the reader counts what it reads, and stops at a multiple of the file's size.
"""

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

READS_PER_BYTE = 8
"""Bytes that may be read for each byte of a file. Real models need up to 2.5, because tables share
their vtables; those of a few operations need more, which the minimum allows."""

MIN_READS, MAX_READS = 1 << 18, 1 << 23
"""Bytes that may be read of a file of any size, and of none. The weights do not count: nothing but
their position is read."""

TABLE_COST = 32
"""Bytes that a table counts for, besides its vtable and fields."""


@lru_cache(maxsize=256)  # a layout has to be understood before it is used
def _packed(layout: str) -> struct.Struct:
    return struct.Struct("<" + layout)


class FlatbufferError(ValueError):
    """An offset that leads out of the file, or a file that refers to its parts too often."""


class FlatbufferReader:
    """The bytes of one FlatBuffer; ``end`` is the end of the furthest item read so far."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.end = 0
        self._left = min(MAX_READS, max(MIN_READS, READS_PER_BYTE * len(data)))

    def unpack(self, layout: str, at: int) -> tuple[Any, ...]:
        """Read the values of a :mod:`struct` ``layout`` at byte ``at``."""
        packed = _packed(layout)
        self.claim(at, packed.size)
        self.count(packed.size)
        return packed.unpack_from(self.data, at)

    def count(self, size: int) -> None:
        """Count ``size`` bytes as read.

        Raises:
            FlatbufferError: far more was read than the file has.
        """
        self._left -= size
        if self._left < 0:
            raise FlatbufferError("its parts refer to each other far too often")

    def integer(self, layout: str, at: int) -> int:
        """Read one integer; ``layout`` is its :mod:`struct` character."""
        value: int = self.unpack(layout, at)[0]
        return value

    def claim(self, at: int, size: int) -> None:
        """Check that ``size`` bytes from ``at`` on lie in the file."""
        end = at + size
        if at < 0 or end > len(self.data):
            raise FlatbufferError(
                f"it refers to bytes {at} to {end}, but has only {len(self.data)}"
            )
        self.end = max(self.end, end)

    def follow(self, at: int) -> int:
        """Return the position that the offset at byte ``at`` points to."""
        return at + self.integer("I", at)

    def root(self) -> "FlatbufferTable":
        """Return the root table."""
        return FlatbufferTable(self, self.follow(0))


class FlatbufferTable:
    """A table whose fields are addressed by their number in the schema, from 0."""

    def __init__(self, reader: FlatbufferReader, at: int) -> None:
        reader.count(TABLE_COST)
        vtable = at - reader.integer("i", at)
        size, length = reader.unpack("HH", vtable)
        if size < 4 or size % 2:
            raise FlatbufferError(f"the table at byte {at} has an invalid vtable")
        reader.claim(at, length)
        self.position = at
        self._reader = reader
        self._length: int = length
        self._fields: tuple[int, ...] = reader.unpack(f"{size // 2 - 2}H", vtable + 4)

    def _position(self, field: int) -> int | None:
        offset = self._fields[field] if field < len(self._fields) else 0
        return self.position + offset if offset else None

    def has(self, field: int) -> bool:
        """Return whether a field is present."""
        return self._position(field) is not None

    def present(self) -> tuple[int, ...]:
        """Return the numbers of the fields that are present."""
        return tuple(field for field, offset in enumerate(self._fields) if offset)

    def inline(self, field: int) -> bytes:
        """Return the bytes of a number whose type is unknown: 1, 2, 4 or 8, up to the next field.

        They may be more than the number has; what follows it is padding.
        """
        start = self._fields[field]
        ends = [offset for offset in self._fields if offset > start]
        room = min(ends, default=self._length) - start
        if room < 1:
            raise FlatbufferError(f"the table at byte {self.position} is too short")
        size = 1 << min(room.bit_length() - 1, 3)
        return self._reader.data[self.position + start : self.position + start + size]

    def target(self, field: int) -> int:
        """Return the position that a field refers to."""
        return self._reader.follow(self.position + self._fields[field])

    def integer(self, field: int, layout: str, default: int = 0) -> int:
        """Read an integer field; ``layout`` is its :mod:`struct` character."""
        at = self._position(field)
        return default if at is None else self._reader.integer(layout, at)

    def real(self, field: int, default: float = 0.0) -> float:
        """Read a float32 field."""
        at = self._position(field)
        return default if at is None else self._reader.unpack("f", at)[0]

    def table(self, field: int) -> "FlatbufferTable | None":
        """Return the table that a field refers to; None if absent."""
        at = self._position(field)
        return None if at is None else FlatbufferTable(self._reader, self._reader.follow(at))

    def _vector(self, field: int, item: int) -> tuple[int, int]:
        """Return first byte and length of a vector, ``item`` bytes each; (0, 0) if absent."""
        at = self._position(field)
        if at is None:
            return 0, 0
        start = self._reader.follow(at)
        length = self._reader.integer("I", start)
        self._reader.claim(start + 4, length * item)
        return start + 4, length

    def numbers(self, field: int, layout: str) -> tuple[Any, ...]:
        """Read a vector of numbers; empty if absent."""
        start, length = self._vector(field, _packed(layout).size)
        return self._reader.unpack(f"{length}{layout}", start) if length else ()

    def integers(self, field: int, layout: str = "i") -> tuple[int, ...]:
        """Read a vector of integers, int32 by default; empty if absent."""
        return self.numbers(field, layout)

    def floats(self, field: int) -> tuple[float, ...]:
        """Read a vector of float32; empty if absent."""
        return self.numbers(field, "f")

    def span(self, field: int, layout: str = "B") -> tuple[int, int]:
        """Return first byte and length of a vector, of bytes by default; (0, 0) if absent.

        Its content is not read.
        """
        return self._vector(field, _packed(layout).size)

    def text(self, field: int) -> str:
        """Read a string; empty if absent."""
        start, length = self._vector(field, 1)
        self._reader.claim(start, length + 1)  # a zero byte ends it
        self._reader.count(length)
        return self._reader.data[start : start + length].decode("utf-8", "replace")

    def tables(self, field: int) -> "Iterator[FlatbufferTable]":
        """Yield the tables of a vector of tables."""
        start, length = self._vector(field, 4)
        for at in range(start, start + 4 * length, 4):
            yield FlatbufferTable(self._reader, self._reader.follow(at))
