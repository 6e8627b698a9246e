"""Conversion of frozen dataclasses to plain JSON values and back, by their annotations.

A field's annotation may carry markers, ``Annotated[int, Key("pictures"), Range(0)]``: the name in
the JSON, and the constraints that :mod:`converters.report.schema` writes into the JSON schema.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Key:
    """Name of a field in the JSON, where it differs from the attribute's name."""

    name: str


@dataclass(frozen=True, slots=True)
class Range:
    """Minimum and maximum of a number, both included."""

    minimum: float
    maximum: float = math.inf


@dataclass(frozen=True, slots=True)
class Pattern:
    """Regular expression that a string matches."""

    regex: str


@dataclass(frozen=True, slots=True)
class Items:
    """Minimum and maximum number of entries of an array."""

    minimum: int
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Since:
    """First version of the schema that requires a field; in older records it has its default.

    ``nullable``: whether None is a value of its own, and not only the mark of an older record.
    """

    version: int
    nullable: bool = False


class Omitted:
    """Mark of a field that is left out of the JSON where it is None."""


class Added:
    """Mark of a field that not all records of the current schema have."""


class FromKey:
    """Mark of a string field that is the key of its object in the mapping around it."""


@dataclass(frozen=True, slots=True)
class JsonField:
    """A field of a dataclass with its name in the JSON, its type and its markers."""

    field: Field[Any]
    key: str
    type: Any
    markers: tuple[Any, ...]

    @property
    def has_default(self) -> bool:
        """True if the field may be missing in a record."""
        default, factory = self.field.default, self.field.default_factory
        return default is not MISSING or factory is not MISSING

    @property
    def required(self) -> bool:
        """True if every record of the current schema has the field."""
        if self.marker(Added) is not None:
            return False
        return not self.has_default or self.marker(Since) is not None

    def marker(self, kind: type[T]) -> T | None:
        """Return the marker of a kind, or None."""
        return next((marker for marker in self.markers if isinstance(marker, kind)), None)


@cache
def json_fields(cls: Any) -> tuple[JsonField, ...]:
    """List the fields of a dataclass with their markers."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple(_json_field(field, hints[field.name]) for field in fields(cls))


def _json_field(field: Field[Any], hint: Any) -> JsonField:
    inner, markers = split_markers(hint)
    key = next((marker.name for marker in markers if isinstance(marker, Key)), field.name)
    return JsonField(field, key, inner, markers)


def split_markers(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Split an annotation into the type and the markers."""
    if get_origin(hint) is Annotated:
        inner, *markers = get_args(hint)
        return inner, tuple(markers)
    return hint, ()


def to_plain(value: Any) -> Any:
    """Convert to plain JSON values; numbers keep 8 significant digits, non-finite become None.

    Raises:
        TypeError: a value that JSON has no type for.

    >>> to_plain({"a": (np.float32(0.5), float("nan"))})
    {'a': [0.5, None]}
    """
    if isinstance(value, np.ndarray | np.generic):
        return to_plain(value.tolist())
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(f"{value:.8g}") if math.isfinite(value) else None
    if is_dataclass(value) and not isinstance(value, type):
        return dict(_plain_fields(value))
    if isinstance(value, Mapping):
        return {str(key): to_plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(entry) for entry in value]
    raise TypeError(f"cannot convert to JSON: {type(value).__name__}")


def _plain_fields(value: Any) -> Iterator[tuple[str, Any]]:
    for entry in json_fields(cast(Any, type(value))):
        content = getattr(value, entry.field.name)
        left_out = content is None and entry.marker(Omitted) is not None
        if entry.marker(FromKey) is None and not left_out:
            yield entry.key, to_plain(content)


def from_plain(cls: type[T], plain: Any) -> T:
    """Build a dataclass from plain JSON values; unknown keys are ignored.

    Raises:
        ValueError: a value is missing or has the wrong type; the text says where.
    """
    built: T = _build(cls, plain, "", "")
    return built


def _build(hint: Any, plain: Any, path: str, key: str) -> Any:
    hint, _ = split_markers(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any or origin is Literal:
        return plain
    if origin in (Union, UnionType):
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return None if plain is None else _build(inner, plain, path, key)
    if is_dataclass(hint):
        return _build_dataclass(hint, _checked(plain, Mapping, "an object", path), path, key)
    if origin is not None:
        return _build_container(origin, arguments, plain, path)
    if hint is float:
        return _checked(plain, float | int, "a number", path)
    return _checked(plain, hint, f"a value of type {hint.__name__}", path)


def _build_container(origin: Any, arguments: tuple[Any, ...], plain: Any, path: str) -> Any:
    if origin is Mapping:
        mapping = _checked(plain, Mapping, "an object", path)
        return {k: _build(arguments[1], e, _join(path, k), k) for k, e in mapping.items()}
    entries = _checked(plain, list | tuple, "an array", path)
    if arguments[-1] is not Ellipsis and len(entries) != len(arguments):
        raise ValueError(f"{path}: expected {len(arguments)} entries, found {len(entries)}")
    return tuple(_build(arguments[0], e, f"{path}[{i}]", "") for i, e in enumerate(entries))


def _build_dataclass(cls: Any, plain: Mapping[str, Any], path: str, key: str) -> Any:
    values = {}
    for entry in json_fields(cls):
        name = entry.field.name
        if entry.marker(FromKey) is not None:
            values[name] = key
        elif entry.key in plain:
            values[name] = _build(entry.type, plain[entry.key], _join(path, entry.key), "")
        elif not entry.has_default:
            raise ValueError(f"{_join(path, entry.key)} is missing")
    return cls(**values)


def _checked(plain: Any, kinds: Any, description: str, path: str) -> Any:
    if not isinstance(plain, kinds) or (isinstance(plain, bool) and kinds is not bool):
        raise ValueError(f"{path}: expected {description}, found {plain!r:.40}")
    return plain


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
