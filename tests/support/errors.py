"""Match errors by their stable code and their fields, never by their wording."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from edge.errors import EdgeError


@contextmanager
def raises_code(code: str, **fields: str) -> Iterator["pytest.ExceptionInfo[EdgeError]"]:
    """Expect an :class:`EdgeError` with this code.

    Args:
        code: The expected ``error.code``.
        fields: Text that ``expected``, ``found``, ``fix`` or ``kind`` (the class name) must
            contain, such as a path or an option that the user would look for.
    """
    with pytest.raises(EdgeError) as caught:
        yield caught
    details = caught.value.to_dict()
    assert details["code"] == code, details
    for field, text in fields.items():
        assert text in details[field], details


def error_code(stderr: str) -> str | None:
    """Return the code at the end of the last line of ``stderr``, such as ``unknown-sink``."""
    match = re.search(r"\[([a-z0-9-]+)\]\s*\Z", stderr)
    return match.group(1) if match else None
