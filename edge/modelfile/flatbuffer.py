"""Reading FlatBuffers without trusting them: every access is checked against the file's length.

The C++ readers of TensorFlow Lite follow the offsets of a file as they are; on a truncated file
that is a crash. Layout: https://flatbuffers.dev/internals/ (all values little-endian; an unsigned
offset points forward from its own place; a table starts with the signed way back to its vtable).
"""

import struct
from collections.abc import Iterator


class FlatbufferError(ValueError):
    """An offset or a length that leads out of the file."""


class FlatbufferReader:
    """The bytes of one FlatBuffer; ``end`` is where the furthest thing read so far ends."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.end = 0

    def unpack(self, layout: str, at: int) -> tuple[int | float, ...]:
        """The values of a struct ``layout`` at byte ``at``."""
        self.claim(at, struct.calcsize("<" + layout))
        return struct.unpack_from("<" + layout, self.data, at)

    def integer(self, layout: str, at: int) -> int:
        return int(self.unpack(layout, at)[0])

    def claim(self, at: int, size: int) -> None:
        """Check that ``size`` bytes from ``at`` on lie in the file."""
        if at < 0 or at + size > len(self.data):
            raise FlatbufferError(
                f"it refers to bytes {at} to {at + size}, but has only {len(self.data)}"
            )
        self.end = max(self.end, at + size)

    def follow(self, at: int) -> int:
        return at + self.integer("I", at)

    def root(self) -> "FlatbufferTable":
        return FlatbufferTable(self, self.follow(0))


class FlatbufferTable:
    """A table: fields by their number in the schema, counted from 0."""

    def __init__(self, reader: FlatbufferReader, at: int) -> None:
        vtable = at - reader.integer("i", at)
        size, length = reader.unpack("HH", vtable)
        if size < 4 or size % 2:
            raise FlatbufferError(f"the table at byte {at} has an invalid vtable")
        reader.claim(at, int(length))
        self._reader = reader
        self._at = at
        self._fields = reader.unpack(f"{int(size) // 2 - 2}H", vtable + 4)

    def _place(self, field: int) -> int | None:
        offset = int(self._fields[field]) if field < len(self._fields) else 0
        return self._at + offset if offset else None

    def has(self, field: int) -> bool:
        return self._place(field) is not None

    def integer(self, field: int, layout: str, default: int = 0) -> int:
        """A scalar field; ``layout`` is its :mod:`struct` character."""
        at = self._place(field)
        return default if at is None else self._reader.integer(layout, at)

    def real(self, field: int, default: float = 0.0) -> float:
        """A scalar field of 32 floating bits."""
        at = self._place(field)
        return default if at is None else float(self._reader.unpack("f", at)[0])

    def table(self, field: int) -> "FlatbufferTable | None":
        at = self._place(field)
        return None if at is None else FlatbufferTable(self._reader, self._reader.follow(at))

    def _vector(self, field: int, item: int) -> tuple[int, int]:
        """First byte and length of a vector whose items have ``item`` bytes; (0, 0) if absent."""
        at = self._place(field)
        if at is None:
            return 0, 0
        start = self._reader.follow(at)
        length = self._reader.integer("I", start)
        self._reader.claim(start + 4, length * item)
        return start + 4, length

    def numbers(self, field: int, layout: str) -> tuple[int | float, ...]:
        start, length = self._vector(field, struct.calcsize("<" + layout))
        return self._reader.unpack(f"{length}{layout}", start) if length else ()

    def integers(self, field: int, layout: str = "i") -> tuple[int, ...]:
        return tuple(int(value) for value in self.numbers(field, layout))

    def floats(self, field: int) -> tuple[float, ...]:
        return tuple(float(value) for value in self.numbers(field, "f"))

    def span(self, field: int) -> tuple[int, int]:
        """First byte and length of a vector of bytes."""
        return self._vector(field, 1)

    def text(self, field: int) -> str:
        """A string; empty where the field is absent."""
        start, length = self._vector(field, 1)
        return self._reader.data[start : start + length].decode("utf-8", "replace")

    def tables(self, field: int) -> "Iterator[FlatbufferTable]":
        """The tables of a vector of tables."""
        start, length = self._vector(field, 4)
        for at in range(start, start + 4 * length, 4):
            yield FlatbufferTable(self._reader, self._reader.follow(at))
