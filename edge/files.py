"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.errors import unwritable


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file beside its place and rename it into it; text as UTF-8.

    Raises:
        OutputError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with atomic_write(path):
            part.write_bytes(content.encode() if isinstance(content, str) else content)
            part.replace(path)
    finally:
        with suppress(OSError):  # gone already, but where we were stopped, be it by Ctrl-C
            part.unlink()


@contextmanager
def atomic_write(path: Path) -> Iterator[None]:
    """Tell of the place where the block cannot write.

    Raises:
        OutputError: it cannot.
    """
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from None
