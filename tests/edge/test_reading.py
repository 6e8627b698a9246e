"""TOML tables as dataclasses: what fits, and how the rest is refused."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge import reading
from edge.errors import UsageError


@dataclass(frozen=True, slots=True)
class Wheel:
    spokes: int
    worn: bool = False


@dataclass(frozen=True, slots=True)
class Cart:
    name: str
    load: float = 0.0
    wheels: tuple[Wheel, ...] = ()
    spare: Wheel | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.load < 0:
            raise UsageError("a load from 0", f"{self.load:g}", "use load = 1")


@dataclass(frozen=True, slots=True)
class Nothing:
    pass


def cart(folder: Path, text: str) -> Cart:
    path = folder / "cart.toml"
    path.write_text(text, encoding="utf-8")
    return reading.build(Cart, reading.table(path, "a cart in TOML"), "the cart")


def test_a_table_becomes_what_its_fields_say(tmp_path: Path) -> None:
    text = 'name = "hay"\nload = 2\nlimit = 3\nspare = { spokes = 8 }\n[[wheels]]\nspokes = 9\n'
    made = cart(tmp_path, text + "worn = true")
    assert made == Cart("hay", 2.0, (Wheel(9, True),), Wheel(8), 3)
    assert isinstance(made.load, float)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "expected a cart in TOML, found "),
        ("", "expected 'name' in the cart, found none: add it"),
        ('nmae = "hay"', "in the cart, found 'nmae': did you mean 'name'?"),
        ("name = 3", "a text as name in the cart, found 3: correct name"),
        ('name = "hay"\nload = true', "a number as load in the cart, found True"),
        ('name = "hay"\nlimit = 1.5', "expected a whole number as limit in the cart, found 1.5"),
        ('name = "hay"\nspare = 3', "a table as spare in the cart"),
        ('name = "hay"\nwheels = 3', "a list as wheels in the cart"),
        ('name = "hay"\n[[wheels]]\nspokes = "9"', "as spokes in wheels of the cart"),
        ('name = "hay"\n[[wheels]]\nspoke = 9', "in wheels of the cart, found 'spoke'"),
        ('name = "hay"\nload = -1', "a load from 0 in the cart, found -1: use load = 1"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        cart(tmp_path, text)


def test_a_dataclass_without_fields_takes_no_key() -> None:
    assert reading.build(Nothing, {}, "it") == Nothing()
    with pytest.raises(UsageError, match="no further key in it, found 'more': leave it out"):
        reading.build(Nothing, {"more": 1}, "it")


def test_a_file_that_cannot_be_read_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    with pytest.raises(UsageError) as caught:
        reading.table(path, "a cart", "make one")
    assert (
        str(caught.value) == f"expected a cart, found {path} (No such file or directory): make one"
    )
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="codec can't decode"):
        reading.table(path, "a cart")
