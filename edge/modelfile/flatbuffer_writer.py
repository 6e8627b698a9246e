"""FlatBuffers written without a library: parts that refer to each other become bytes.

Layout: https://flatbuffers.dev/internals/. A part lies behind all parts that refer to it, since
offsets have no sign; a part that several others refer to is written once.
"""

import struct
from collections.abc import Iterable, Sequence
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
    items = [value.item() if isinstance(value, np.generic) else value for value in values]
    return Vector(
        struct.pack(f"<{len(items)}{layout}", *items), len(items), struct.calcsize("<" + layout)
    )


def octets(data: bytes | memoryview) -> Vector:
    """Return a vector of bytes."""
    return Vector(data, len(data), OCTETS_ALIGNMENT)


def build(root: Table, identifier: bytes) -> bytes:
    """Return the FlatBuffer of ``root`` and of all it refers to; ``identifier``: 4 bytes."""
    layout = _Layout(root)
    content = bytearray(layout.size)
    struct.pack_into("<I4s", content, 0, layout.positions[id(root)], identifier)
    for part in layout.order:
        layout.write(part, content)
    return bytes(content)


class _Layout:
    """Where each part lies; ``order``: a part comes before those that it refers to."""

    def __init__(self, root: Table) -> None:
        self.order = _parents_first(root)
        self.positions: dict[int, int] = {}
        self.size = 8  # the offset of the root, and the identifier
        self._vtables: dict[bytes, int] = {}
        self._shapes: dict[int, tuple[bytes, dict[int, int]]] = {}
        for part in self.order:
            self._place(part)

    def _place(self, part: Part) -> None:
        if isinstance(part, Table):
            self._shapes[id(part)] = _shape(part)
            vtable = self._shapes[id(part)][0]
            if vtable not in self._vtables:
                self._vtables[vtable] = self._take(len(vtable), 2)
            at = self._take(int.from_bytes(vtable[2:4], "little"), _table_alignment(part))
        elif isinstance(part, Tables):
            at = self._take(4 + 4 * len(part.items), 4)
        else:
            at = self._take(4 + len(part.data), max(4, part.alignment), behind=4)
        self.positions[id(part)] = at

    def _take(self, size: int, alignment: int, behind: int = 0) -> int:
        """Return the next position at which the byte ``behind`` further on is aligned."""
        at = _align(self.size + behind, alignment) - behind
        self.size = at + size
        return at

    def write(self, part: Part, content: bytearray) -> None:
        """Write a part into the bytes of the whole."""
        at = self.positions[id(part)]
        if isinstance(part, Table):
            self._write_table(part, at, content)
        elif isinstance(part, Tables):
            struct.pack_into("<I", content, at, len(part.items))
            for number, item in enumerate(part.items):
                self._refer(at + 4 + 4 * number, item, content)
        else:
            struct.pack_into("<I", content, at, part.count)
            content[at + 4 : at + 4 + len(part.data)] = part.data

    def _write_table(self, table: Table, at: int, content: bytearray) -> None:
        vtable, offsets = self._shapes[id(table)]
        vtable_at = self._vtables[vtable]
        content[vtable_at : vtable_at + len(vtable)] = vtable
        struct.pack_into("<i", content, at, at - vtable_at)
        for number, value in table.fields.items():
            start = at + offsets[number]
            if isinstance(value, Scalar):
                content[start : start + len(value.data)] = value.data
            else:
                self._refer(start, value, content)

    def _refer(self, at: int, part: Part, content: bytearray) -> None:
        struct.pack_into("<I", content, at, self.positions[id(part)] - at)


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


def _shape(table: Table) -> tuple[bytes, dict[int, int]]:
    """Return the vtable, and the offset of each field in the table; large fields come first."""
    offsets: dict[int, int] = {}
    end = 4  # the offset of the vtable comes first
    for number in sorted(table.fields, key=lambda key: (-_width(table.fields[key]), key)):
        width = _width(table.fields[number])
        offsets[number] = _align(end, width)
        end = offsets[number] + width
    slots = [offsets.get(number, 0) for number in range(max(offsets, default=-1) + 1)]
    return struct.pack(f"<{2 + len(slots)}H", 4 + 2 * len(slots), end, *slots), offsets


def _width(value: "Scalar | Part") -> int:
    return len(value.data) if isinstance(value, Scalar) else 4


def _table_alignment(table: Table) -> int:
    return max([4, *map(_width, table.fields.values())])


def _align(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment
