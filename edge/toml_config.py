"""TOML files: raw tables, and frozen dataclasses whose fields are checked."""

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
    """Read a TOML file.

    Args:
        path: The file.
        what: The error's description of a valid file, as a noun phrase.
        fix: The error's fix.

    Raises:
        UsageError: the file cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(
            what,
            f"{path} ({reason})",
            fix,
            code="file-unreadable" if isinstance(error, OSError) else "invalid-toml",
        ) from error


def check_keys(given: Iterable[str], known: Iterable[str], location: str) -> None:
    """Check that all keys are known.

    Raises:
        UsageError: one is not; the fix names the nearest known key.
    """
    names = tuple(known)
    for key in given:
        if key not in names:
            raise UsageError(
                f"{'one of ' + ', '.join(names) if names else 'no other key'} in {location}",
                repr(key),
                did_you_mean(key, names, "remove it"),
                code="unknown-key",
            )


def build(type_: type[Value], values: Mapping[str, Any], location: str) -> Value:
    """Build a dataclass of strings, numbers, lists and such dataclasses from a table.

    Args:
        type_: The dataclass.
        values: The table.
        location: The table's name in errors.

    Raises:
        UsageError: a key is unknown or missing, a value has another type, or the dataclass itself
            rejects it.
    """
    hints = get_type_hints(type_)
    check_keys(values, hints, location)
    for field in fields(type_):  # type: ignore[arg-type]
        if field.name not in values and field.default is field.default_factory is MISSING:
            raise UsageError(
                f"{field.name!r} in {location}",
                "none",
                "add it",
                code="missing-key",
            )
    arguments = {key: _typed(value, hints[key], key, location) for key, value in values.items()}
    try:
        return type_(**arguments)
    except UsageError as error:
        summary = f"{error.summary} in {location}" if error.summary else None
        raise UsageError(
            f"{error.expected} in {location}",
            error.found,
            error.fix,
            code=error.code,
            summary=summary,
        ) from error


def _typed(value: Any, hint: Any, key: str, location: str) -> Any:
    """Convert ``value`` to the type of its field, if its TOML type matches."""
    choices = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    for choice in choices:
        if get_origin(choice) is tuple and isinstance(value, list):
            return tuple(_typed(item, get_args(choice)[0], key, location) for item in value)
        if is_dataclass(choice) and isinstance(choice, type) and isinstance(value, dict):
            return build(choice, value, f"{key} of {location}")
        if choice is float and type(value) in (int, float):
            return float(value)
        if type(value) is choice:
            return value
    words = " or ".join(
        _WORDS.get(get_origin(choice) or choice, "a table")
        for choice in choices
        if choice is not NoneType
    )
    raise UsageError(
        f"{words} as {key} in {location}", repr(value), f"correct {key}", code="wrong-type"
    )
