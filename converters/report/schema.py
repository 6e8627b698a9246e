"""JSON schema of report.json, generated from the dataclasses of the report.

``python -m converters.report.schema`` writes report.schema.json.
"""

import inspect
import json
import math
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from converters.report.codec import (
    FromKey,
    Items,
    JsonField,
    Omitted,
    Pattern,
    Range,
    Since,
    json_fields,
    split_markers,
)
from converters.report.model import SCHEMA, Report

SCHEMA_FILE = Path(__file__).with_name("report.schema.json")

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def report_schema() -> dict[str, Any]:
    """Return the JSON schema of a report of the current version."""
    definitions: dict[str, Any] = {}
    root = _object(Report, definitions)
    root["properties"]["schema"] = {"const": SCHEMA}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report.json of edge-toolkit",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """Return the content of report.schema.json."""
    return json.dumps(report_schema(), indent=2) + "\n"


def _object(cls: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    entries = [entry for entry in json_fields(cls) if entry.marker(FromKey) is None]
    return {
        "description": inspect.getdoc(cls) or "",
        "type": "object",
        "properties": {entry.key: _field(entry, definitions) for entry in entries},
        "required": [entry.key for entry in entries if entry.required],
        "additionalProperties": True,
    }


def _field(entry: JsonField, definitions: dict[str, Any]) -> dict[str, Any]:
    hint, since = entry.type, entry.marker(Since)
    only_old = since is not None and not since.nullable
    if (only_old or entry.marker(Omitted) is not None) and NoneType in get_args(hint):
        (hint,) = (argument for argument in get_args(hint) if argument is not NoneType)
    return _type(hint, entry.markers, definitions)


def _type(hint: Any, markers: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    hint, inner_markers = split_markers(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return {}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, UnionType):
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _nullable(_type(inner, (*markers, *inner_markers), definitions))
    if is_dataclass(hint):
        name = getattr(hint, "__name__", "")
        if name not in definitions:
            definitions[name] = {}  # for a class that contains itself
            definitions[name] = _object(hint, definitions)
        return {"$ref": f"#/$defs/{name}"}
    if origin is not None:
        constraints = _constraints((*markers, *inner_markers))
        return {**_container(origin, arguments, definitions), **constraints}
    return {"type": _TYPES[hint], **_constraints((*markers, *inner_markers))}


def _container(
    origin: Any, arguments: tuple[Any, ...], definitions: dict[str, Any]
) -> dict[str, Any]:
    if origin is Mapping:
        values = _type(arguments[1], (), definitions)
        return {"type": "object"} | ({"additionalProperties": values} if values else {})
    fixed = () if arguments[-1] is Ellipsis else arguments
    lengths = {"minItems": len(fixed), "maxItems": len(fixed)} if fixed else {}
    return {"type": "array", "items": _type(arguments[0], (), definitions), **lengths}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _constraints(markers: tuple[Any, ...]) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for marker in markers:
        if isinstance(marker, Range):
            limits["minimum"] = marker.minimum
            if math.isfinite(marker.maximum):
                limits["maximum"] = marker.maximum
        elif isinstance(marker, Items):
            limits["minItems"] = marker.minimum
            if marker.maximum is not None:
                limits["maxItems"] = marker.maximum
        elif isinstance(marker, Pattern):
            limits["pattern"] = marker.regex
    return limits


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
