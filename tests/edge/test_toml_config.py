"""TOML tables are converted to dataclasses, or rejected."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from errors import raises_code

from edge import toml_config
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
            raise UsageError("a load from 0", f"{self.load:g}", "use load = 1", code="invalid-load")


@dataclass(frozen=True, slots=True)
class Nothing:
    pass


def cart(folder: Path, text: str) -> Cart:
    path = folder / "cart.toml"
    path.write_text(text, encoding="utf-8")
    return toml_config.build(Cart, toml_config.table(path, "a cart in TOML"), "the cart")


def test_a_table_is_converted_by_the_field_types(tmp_path: Path) -> None:
    text = 'name = "hay"\nload = 2\nlimit = 3\nspare = { spokes = 8 }\n[[wheels]]\nspokes = 9\n'
    built = cart(tmp_path, text + "worn = true")
    assert built == Cart("hay", 2.0, (Wheel(9, True),), Wheel(8), 3)
    assert isinstance(built.load, float)


@pytest.mark.parametrize(
    ("text", "code", "expected", "found"),
    [
        ("name = ", "invalid-toml", "a cart in TOML", "cart.toml"),
        ("", "missing-key", "'name' in the cart", ""),
        ('nmae = "hay"', "unknown-key", "in the cart", "'nmae'"),
        ("name = 3", "wrong-type", "name in the cart", "3"),
        ('name = "hay"\nload = true', "wrong-type", "load in the cart", "True"),
        ('name = "hay"\nlimit = 1.5', "wrong-type", "limit in the cart", "1.5"),
        ('name = "hay"\nspare = 3', "wrong-type", "a table as spare in the cart", "3"),
        ('name = "hay"\nwheels = 3', "wrong-type", "a list as wheels in the cart", "3"),
        ('name = "hay"\n[[wheels]]\nspokes = "9"', "wrong-type", "wheels of the cart", "'9'"),
        ('name = "hay"\n[[wheels]]\nspoke = 9', "unknown-key", "wheels of the cart", "'spoke'"),
        ('name = "hay"\nload = -1', "invalid-load", "a load from 0 in the cart", "-1"),
    ],
)
def test_an_invalid_table_is_rejected_with_its_location(
    tmp_path: Path, text: str, code: str, expected: str, found: str
) -> None:
    with raises_code(code, expected=expected, found=found, kind="UsageError"):
        cart(tmp_path, text)


def test_the_nearest_key_is_suggested(tmp_path: Path) -> None:
    with raises_code("unknown-key", fix="'name'"):
        cart(tmp_path, 'nmae = "hay"')


def test_a_dataclass_without_fields_takes_no_key() -> None:
    assert toml_config.build(Nothing, {}, "it") == Nothing()
    with raises_code("unknown-key", expected="it", found="'more'"):
        toml_config.build(Nothing, {"more": 1}, "it")


def test_an_unreadable_file_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    with raises_code("file-unreadable", expected="a cart", fix="make one") as caught:
        toml_config.table(path, "a cart", "make one")
    assert str(caught.value).count(str(path)) == 1
    path.write_bytes(b"\xff\xfe\x00")
    with raises_code("invalid-toml", found="codec"):
        toml_config.table(path, "a cart")
