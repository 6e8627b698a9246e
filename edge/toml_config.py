"""TOML files: tables as they are, and as frozen dataclasses that are checked by their fields."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from edge.errors import UsageError, did_you_mean

Value = TypeVar("Value")

_WORDS = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    tuple: "a list",
}


def table(path: Path, what: str = "a TOML file", fix: str = "correct the file") -> dict[str, Any]:
    """A TOML file; ``what`` it should be, as a noun phrase, and ``fix`` are said if it is none.

    Raises:
        UsageError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        code = "file-unreadable" if isinstance(error, OSError) else "invalid-toml"
        raise UsageError(what, f"{path} ({reason})", fix, code=code) from error


def check_keys(given: Iterable[str], known: Iterable[str], place: str) -> None:
    """Refuse keys that are not known.

    Raises:
        UsageError: there is one; the nearest that is known is named.
    """
    names = tuple(known)
    for key in given:
        if key not in names:
            raise UsageError(
                f"{'one of ' + ', '.join(names) if names else 'no other key'} in {place}",
                repr(key),
                did_you_mean(key, names, "remove it"),
                code="unknown-key",
            )


def build(type_: type[Value], values: Mapping[str, Any], place: str) -> Value:
    """``values`` as a ``type_``, a dataclass of texts, numbers, lists and such dataclasses.

    ``place`` is what errors call the table.

    Raises:
        UsageError: a key is unknown or missing, a value is of another type, or the dataclass
            itself refuses it.
    """
    hints = get_type_hints(type_)
    check_keys(values, hints, place)
    for field in fields(type_):  # type: ignore[arg-type]
        if field.name not in values and field.default is field.default_factory is MISSING:
            raise UsageError(
                f"{field.name!r} in {place}",
                "none",
                "add it",
                code="missing-key",
            )
    made = {key: _typed(value, hints[key], key, place) for key, value in values.items()}
    try:
        return type_(**made)
    except UsageError as error:
        summary = f"{error.summary} in {place}" if error.summary else None
        raise UsageError(
            f"{error.expected} in {place}",
            error.found,
            error.fix,
            code=error.code,
            summary=summary,
        ) from error


def _typed(value: Any, hint: Any, key: str, place: str) -> Any:
    """``value`` as the type of its field, where TOML has it as that type."""
    choices = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    for wanted in choices:
        if get_origin(wanted) is tuple and isinstance(value, list):
            return tuple(_typed(item, get_args(wanted)[0], key, place) for item in value)
        if is_dataclass(wanted) and isinstance(wanted, type) and isinstance(value, dict):
            return build(wanted, value, f"{key} of {place}")
        if wanted is float and type(value) in (int, float):
            return float(value)
        if type(value) is wanted:
            return value
    words = " or ".join(
        _WORDS.get(get_origin(wanted) or wanted, "a table")
        for wanted in choices
        if wanted is not NoneType
    )
    raise UsageError(
        f"{words} as {key} in {place}", repr(value), f"correct {key}", code="wrong-type"
    )
