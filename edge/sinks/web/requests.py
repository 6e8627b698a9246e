"""Messages of the page to the server: checked, and applied to the settings of the task.

A message "boundary" adds a line or zone, replaces the one called "name", or removes it where
"value" is null: {"type": "boundary", "name": null | str, "value": null | {"kind": "line" | "zone",
"name": str, "points": [[x, y], …]}}, in pixels of the frame.
"""

import json
from dataclasses import replace
from typing import Any

from edge.errors import UsageError, did_you_mean
from edge.tasks.task import TaskSettings
from edge.tracking.boundaries import Line, Point, Zone

MAX_BOUNDARIES = 20
"""Lines and zones that viewers may draw."""

MAX_NAME = 40
"""Characters in the name of a line or zone."""

MAX_CORNERS = 24
MAX_COORDINATE = 1e5
"""Pixels; not a number is not below it, either."""

_MESSAGE_TYPES = (
    "ack", "pause", "resume", "score", "classes", "boundary", "record", "snapshot",
)  # fmt: skip


def parse_message(text: str) -> dict[str, Any]:
    """Return a message of a client, which has a known "type".

    Raises:
        UsageError: it is none.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise UsageError(
            'a message such as {"type": "pause"}',
            text[:60],
            "reload the page",
            code="invalid-message",
        )
    if message["type"] not in _MESSAGE_TYPES:
        fix = did_you_mean(
            message["type"], _MESSAGE_TYPES, f"send one of {', '.join(_MESSAGE_TYPES)}"
        )
        raise UsageError(
            "a known message", f"'{message['type'][:60]}'", fix, code="invalid-message"
        )
    return message


def parse_flag(value: object) -> bool:
    """Return the value of "on".

    Raises:
        UsageError: it is neither true nor false.
    """
    if not isinstance(value, bool):
        raise UsageError(
            '"on": true or false',
            json.dumps(value)[:60],
            "reload the page",
            code="invalid-message",
        )
    return value


def change_settings(old: TaskSettings, request: dict[str, Any]) -> TaskSettings:
    """Apply a message "score", "classes" or "boundary" to the settings.

    Raises:
        UsageError: it is invalid.
    """
    if request["type"] == "boundary":
        return _change_boundary(old, request)
    value = request.get("value")
    if request["type"] == "score":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(
                "a score from 0 to 1",
                json.dumps(value)[:60],
                "use a score such as 0.4",
                code="invalid-option-value",
            )
        return replace(old, score=float(value))
    if value is None:
        return replace(old, classes=None)
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise UsageError(
            "a list of class names",
            json.dumps(value)[:60],
            "send a list of strings",
            code="invalid-message",
        )
    return replace(old, classes=tuple(value))


def _change_boundary(old: TaskSettings, request: dict[str, Any]) -> TaskSettings:
    """Add, replace or remove a line or zone."""
    if old.boundaries is None:
        raise UsageError(
            "a task that counts crossings",
            "one that does not",
            "use edge demo track",
            code="boundaries-not-supported",
            summary="this task has no lines and zones",
        )
    name, value = request.get("name"), request.get("value")
    names = [boundary.name for boundary in old.boundaries]
    if name is not None and name not in names:
        raise UsageError(
            "a line or zone that exists",
            f"'{_quoted(name)}'",
            "reload the page",
            code="unknown-boundary",
            summary="another viewer has removed or renamed this line or zone",
        )
    changed = list(old.boundaries)
    if name is None:
        if len(changed) >= MAX_BOUNDARIES:
            raise UsageError(
                f"at most {MAX_BOUNDARIES} lines and zones",
                "one more",
                "remove one",
                code="too-many-boundaries",
            )
        changed.append(_boundary(value, name))
    elif value is None:
        del changed[names.index(name)]
    else:
        changed[names.index(name)] = _boundary(value, name)
    return replace(old, boundaries=tuple(changed))


def _boundary(value: object, old_name: str | None) -> Line | Zone:
    """Return the line or zone of a message."""
    fields = value if isinstance(value, dict) else {}
    kind, points = fields.get("kind"), _points(fields.get("points"))
    if kind not in ("line", "zone") or (kind == "line" and len(points) != 2) or not points:
        raise UsageError(
            "a line or zone with its points",
            _quoted(value),
            "reload the page",
            code="invalid-message",
        )
    name = fields.get("name")
    if not isinstance(name, str) or (name != old_name and not _is_name(name)):
        raise UsageError(
            f"a name of 1 to {MAX_NAME} characters",
            f"'{_quoted(name)}'",
            "use a name such as door",
            code="invalid-name",
        )
    return Line(name, points[0], points[1]) if kind == "line" else Zone(name, points)


def _points(value: object) -> tuple[Point, ...]:
    """Return the points of a message; none where they are invalid."""
    points = value if isinstance(value, list) and len(value) <= MAX_CORNERS else []
    if not all(isinstance(point, list) and len(point) == 2 for point in points):
        return ()
    numbers = [number for point in points for number in point]
    if not all(
        type(number) in (int, float) and abs(number) <= MAX_COORDINATE for number in numbers
    ):
        return ()
    return tuple((float(x), float(y)) for x, y in points)


def _is_name(name: str) -> bool:
    return name == name.strip() and 1 <= len(name) <= MAX_NAME and name.isprintable()


def _quoted(value: object) -> str:
    """Return what is said of a value in an error, and not more of it."""
    return value[:60] if isinstance(value, str) else json.dumps(value)[:60]
