"""FlatBuffers written without a library: parts that refer to each other become bytes.

Layout: https://flatbuffers.dev/internals/. A part lies behind all parts that refer to it, since
offsets have no sign; a part that several others refer to is written once.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

OCTETS_ALIGNMENT = 16
"""Of vectors of bytes, as TensorFlow Lite's schema forces it on weights."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number inside a table: 1, 2, 4 or 8 bytes, little-endian."""

    data: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """A vector of ``count`` numbers, or a text, whose ``data`` ends with a zero byte."""

    data: bytes | memoryview
    count: int
    alignment: int


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Fields by their number in the schema; a field that is absent has its default."""

    fields: "dict[int, Scalar | Part]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """A vector of tables."""

    items: Sequence[Table]


Part: TypeAlias = Vector | Table | Tables
"""What an offset can refer to. Parts are compared by identity."""


def scalar(layout: str, value: float) -> Scalar:
    """Return one number; ``layout`` is its :mod:`struct` character."""
    return Scalar(struct.pack("<" + layout, value))


def text(value: str) -> Vector:
    """Return a string."""
    data = value.encode()
    return Vector(data + b"\0", len(data), 1)


def numbers(layout: str, values: Iterable[float] | NDArray[Any]) -> Vector:
    """Return a vector of numbers; ``layout`` is their :mod:`struct` character."""
    items = values.tolist() if isinstance(values, np.ndarray) else list(values)
    return Vector(
        struct.pack(f"<{len(items)}{layout}", *items), len(items), struct.calcsize("<" + layout)
    )


def octets(data: bytes | memoryview) -> Vector:
    """Return a vector of bytes."""
    return Vector(data, len(data), OCTETS_ALIGNMENT)


def build(root: Table, identifier: bytes) -> bytes:
    """Return the FlatBuffer of ``root`` and of all it refers to; ``identifier``: 4 bytes."""
    layout = _Layout(root)
    pieces: list[bytes | memoryview] = [struct.pack("<I4s", layout.positions[id(root)], identifier)]
    end = len(pieces[0])
    for at, piece in layout.pieces():
        pieces += (bytes(at - end), piece)
        end = at + len(piece)
    return b"".join((*pieces, bytes(layout.size - end)))


class _Layout:
    """Where each part lies; a part comes before those that it refers to."""

    def __init__(self, root: Table) -> None:
        self.positions: dict[int, int] = {}
        self.size = 8  # the offset of the root, and the identifier
        self._order = _parents_first(root)
        self._vtables: dict[bytes, int] = {}
        self._shapes: dict[tuple[tuple[int, int], ...], _Shape] = {}
        self._placed: list[_Shape | None] = [self._place(part) for part in self._order]

    def _place(self, part: Part) -> "_Shape | None":
        shape = None
        if isinstance(part, Table):
            shape = self._shape(part)
            if shape.vtable not in self._vtables:
                self._vtables[shape.vtable] = self._take(len(shape.vtable), 2)
            at = self._take(shape.size, shape.alignment)
        elif isinstance(part, Tables):
            at = self._take(4 + 4 * len(part.items), 4)
        else:
            at = self._take(4 + len(part.data), max(4, part.alignment), behind=4)
        self.positions[id(part)] = at
        return shape

    def _shape(self, table: Table) -> "_Shape":
        widths = tuple((number, _width(table.fields[number])) for number in sorted(table.fields))
        if widths not in self._shapes:
            self._shapes[widths] = _Shape.of(widths)
        return self._shapes[widths]

    def _take(self, size: int, alignment: int, behind: int = 0) -> int:
        """Return the next position at which the byte ``behind`` further on is aligned."""
        at = _align(self.size + behind, alignment) - behind
        self.size = at + size
        return at

    def pieces(self) -> Iterator[tuple[int, bytes | memoryview]]:
        """Yield the bytes of the parts with their positions, which rise."""
        written: set[bytes] = set()
        for part, shape in zip(self._order, self._placed, strict=True):
            at = self.positions[id(part)]
            if isinstance(part, Table):
                assert shape is not None
                if shape.vtable not in written:
                    written.add(shape.vtable)
                    yield self._vtables[shape.vtable], shape.vtable
                yield at, self._table(part, shape, at)
            elif isinstance(part, Tables):
                starts = range(at + 4, at + 4 + 4 * len(part.items), 4)
                offsets = [
                    self.positions[id(i)] - s for i, s in zip(part.items, starts, strict=True)
                ]
                yield at, struct.pack(f"<{1 + len(offsets)}I", len(offsets), *offsets)
            else:
                yield at, struct.pack("<I", part.count)
                yield at + 4, part.data

    def _table(self, table: Table, shape: "_Shape", at: int) -> bytes:
        content = bytearray(shape.size)
        struct.pack_into("<i", content, 0, at - self._vtables[shape.vtable])
        for number, value in table.fields.items():
            start = shape.offsets[number]
            if isinstance(value, Scalar):
                content[start : start + len(value.data)] = value.data
            else:
                struct.pack_into("<I", content, start, self.positions[id(value)] - at - start)
        return bytes(content)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a table is laid out; ``offsets`` of its fields in it, by number."""

    vtable: bytes
    offsets: dict[int, int]
    size: int
    alignment: int

    @classmethod
    def of(cls, widths: Sequence[tuple[int, int]]) -> "_Shape":
        """Lay out fields of these (number, width); large ones come first."""
        offsets: dict[int, int] = {}
        end = 4  # the offset of the vtable comes first
        for number, width in sorted(widths, key=lambda field: (-field[1], field[0])):
            offsets[number] = _align(end, width)
            end = offsets[number] + width
        slots = [offsets.get(number, 0) for number in range(max(offsets, default=-1) + 1)]
        vtable = struct.pack(f"<{2 + len(slots)}H", 4 + 2 * len(slots), end, *slots)
        return cls(vtable, offsets, end, max([4, *(width for _, width in widths)]))


def _parents_first(root: Table) -> list[Part]:
    """Return all parts in an order in which each comes before those that it refers to."""
    seen: set[int] = set()
    finished: list[Part] = []

    def visit(part: Part) -> None:
        if id(part) in seen:
            return
        seen.add(id(part))
        # By number, so that equal parts give equal bytes in whatever order fields were set.
        children = [part.fields[n] for n in sorted(part.fields)] if isinstance(part, Table) else ()
        items = part.items if isinstance(part, Tables) else ()
        for child in reversed((*children, *items)):
            if not isinstance(child, Scalar):
                visit(child)
        finished.append(part)

    visit(root)
    return finished[::-1]


def _width(value: "Scalar | Part") -> int:
    return len(value.data) if isinstance(value, Scalar) else 4


def _align(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment
