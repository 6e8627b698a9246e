"""Messages of the page to the server, checked and turned into commands for the session.

Each is JSON with a "type"; texts and lists of texts are its only other fields.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from edge.errors import UsageError, did_you_mean
from edge.teaching.page.inbox import SessionCommand

_MAX_TEXT = 1000
_MAX_TEXTS = 100_000

Make = Callable[[int, dict[str, Any]], SessionCommand]
"""Makes the command of a message from the number of the visitor and the message's fields."""

_FIELDS: dict[str, dict[str, type]] = {
    "record": {"label": str},
    "stop": {},
    "add-class": {"label": str},
    "rename": {"label": str, "new": str},
    "remove-class": {"label": str},
    "remove-images": {"label": str, "names": list},
    "reorder": {"labels": list},
    "undo": {},
}
"""Type of a message → its fields; a list is one of texts."""

_COMMANDS: dict[str, Make] = {
    "record": lambda visitor, m: lambda s: s.record(visitor, m["label"], time.monotonic()),
    "stop": lambda visitor, _: lambda s: s.stop_recording(visitor),
    "add-class": lambda _, m: lambda s: s.add_class(m["label"], time.monotonic()),
    "rename": lambda _, m: lambda s: s.rename(m["label"], m["new"], time.monotonic()),
    "remove-class": lambda _, m: lambda s: s.remove_class(m["label"], time.monotonic()),
    "remove-images": lambda _, m: (
        lambda s: s.remove_images(m["label"], m["names"], time.monotonic())
    ),
    "reorder": lambda _, m: lambda s: s.reorder(m["labels"], time.monotonic()),
    "undo": lambda *_: lambda s: s.undo(time.monotonic()),
}


def parse_command(text: str, visitor: int) -> SessionCommand | None:
    """Return the command of a message of a visitor; None for the acknowledgment of an image.

    Raises:
        UsageError: it is no message, or its fields are not those of its type.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise UsageError(
            'a message such as {"type": "undo"}', text[:60], "reload the page",
            code="invalid-message",
        )  # fmt: skip
    kind = message.pop("type")
    if kind == "ack":
        return None
    if kind not in _FIELDS:
        raise UsageError(
            "a known message", f"'{kind[:60]}'", did_you_mean(kind, _FIELDS, "reload the page"),
            code="invalid-message",
        )  # fmt: skip
    fields = _FIELDS[kind]
    if message.keys() != fields.keys() or not all(
        _fits(message[name], expected) for name, expected in fields.items()
    ):
        raise UsageError(
            f"a message {kind} with {', '.join(fields) or 'nothing else'}",
            text[:60],
            "reload the page",
            code="invalid-message",
        )
    return _COMMANDS[kind](visitor, message)


def _fits(value: object, expected: type) -> bool:
    if expected is list:
        return (
            isinstance(value, list)
            and len(value) <= _MAX_TEXTS
            and all(_fits(each, str) for each in value)
        )
    return isinstance(value, str) and len(value) <= _MAX_TEXT
