"""Parts become a FlatBuffer that the reader, and Google's library, read back."""

import struct

import flatbuffers
import numpy as np
import pytest

from edge.modelfile.flatbuffer import FlatbufferReader, FlatbufferTable
from edge.modelfile.flatbuffer_writer import Table, Tables, build, numbers, octets, scalar, text


def read(table: Table) -> FlatbufferTable:
    return FlatbufferReader(build(table, b"TEST")).root()


def test_all_kinds_of_fields_are_read_back() -> None:
    inner = Table({1: scalar("b", -3)})
    root = read(
        Table({
            0: scalar("f", 0.5), 1: scalar("q", -(2**40)), 2: text("größe"), 4: inner,
            5: Tables([inner, Table({0: numbers("i", [7])})]), 6: numbers("q", np.arange(3)),
            7: scalar("B", 200),
        })
    )  # fmt: skip
    assert (root.real(0), root.integer(1, "q"), root.text(2)) == (0.5, -(2**40), "größe")
    assert not root.has(3)
    first, second = root.tables(5)
    assert (first.integer(1, "b"), second.integers(0)) == (-3, (7,))
    assert first.position == root.table(4).position, "a shared part is written once"
    assert root.integers(6, "q") == (0, 1, 2)
    assert root.integer(7, "B") == 200


def test_numbers_are_aligned_to_their_size_and_bytes_to_16() -> None:
    table = Table({
        0: scalar("B", 1), 1: scalar("d", 2.5), 2: scalar("H", 3), 3: octets(b"weights"),
        4: numbers("q", [5]), 5: scalar("B", 4),
    })  # fmt: skip
    root = read(Table({0: scalar("B", 9), 1: table})).table(1)
    assert root.position % 8 == 0
    assert root.span(3)[0] % 16 == 0
    assert root.span(4, "q")[0] % 8 == 0
    assert (root.integer(0, "B"), root.integer(2, "H"), root.integer(5, "B")) == (1, 3, 4)


def test_parts_that_refer_to_a_shared_one_lie_before_it() -> None:
    """Offsets have no sign: a child that was placed with its first parent would be out of reach."""
    shared = text("shared")
    deep = Table({0: Table({0: shared})})
    root = read(Table({0: shared, 1: deep, 2: Tables([Table({0: shared})])}))
    assert root.text(0) == root.table(1).table(0).text(0) == "shared"
    assert next(root.tables(2)).text(0) == "shared"


def test_the_identifier_is_where_readers_look() -> None:
    content = build(Table(), b"TFL3")
    assert flatbuffers.util.BufferHasIdentifier(content, 0, b"TFL3")


def test_a_number_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(struct.error):
        scalar("B", 300)
