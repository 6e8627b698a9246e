"""Files that are there whole or not at all."""

import os
from pathlib import Path

from edge.errors import unwritable


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file beside its place and rename it into it; text as UTF-8.

    Raises:
        OutputError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise unwritable(path, error) from None
