"""Files that are there whole or not at all."""

import os
from contextlib import suppress
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
        raise unwritable(path, error) from None
    finally:
        with suppress(OSError):  # gone already, but where we were stopped, be it by Ctrl-C
            part.unlink()
