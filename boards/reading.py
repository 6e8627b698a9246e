"""TOML tables as frozen dataclasses, checked against their fields."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from edge.errors import UsageError, nearest

Value = TypeVar("Value")

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple: "a list",
}


def table(path: Path) -> dict[str, Any]:
    """A TOML file.

    Raises:
        UsageError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError("a file in TOML", f"{path.name} ({error})", "correct the file") from error


def build(
    type_: type[Value], values: Mapping[str, Any], sources: Mapping[str, str], place: str
) -> Value:
    """``values`` as a ``type_``, a dataclass of texts, numbers, lists and such dataclasses.

    A field called ``source`` holds a key of ``sources`` in the file and its address in the result.

    Raises:
        UsageError: a key is unknown (the nearest is named) or missing, a value is of another type
            or empty, a source is not listed.
    """
    hints = get_type_hints(type_)
    for key in values:
        chosen(key, hints, place)
    for field in fields(type_):  # type: ignore[arg-type]
        if field.name not in values and field.default is field.default_factory is MISSING:
            raise UsageError(f"{field.name!r} in {place}", "none", "add it")
    made = {
        key: _typed(value, hints[key], sources, f"{key} of {place}")
        for key, value in values.items()
    }
    if "source" in made:
        made["source"] = sources[chosen(made["source"], sources, f"source of {place}")]
    return type_(**made)


def chosen(word: str, known: Iterable[str], place: str) -> str:
    """``word``, if it is one of ``known``.

    Raises:
        UsageError: it is not; the nearest is named.
    """
    words = tuple(known)
    if word in words:
        return word
    guess = nearest(word, words)
    raise UsageError(
        f"one of {', '.join(words)} as {place}",
        repr(word),
        f"did you mean {guess}?" if guess else "correct the file",
    )


def _typed(value: Any, hint: Any, sources: Mapping[str, str], place: str) -> Any:
    """``value`` as the type of its field."""
    if isinstance(hint, UnionType):  # what may be left out is never written as None
        hint = get_args(hint)[0]
    if get_origin(hint) is tuple and isinstance(value, list):
        return tuple(_typed(item, get_args(hint)[0], sources, place) for item in value)
    if is_dataclass(hint) and isinstance(hint, type) and isinstance(value, dict):
        return build(hint, value, sources, place)
    if hint is float and type(value) in (int, float):
        return float(value)
    if type(value) is hint:
        return value
    words = _WORDS.get(get_origin(hint) or hint, "a table")
    raise UsageError(f"{words} as {place}", repr(value), "correct the file")
