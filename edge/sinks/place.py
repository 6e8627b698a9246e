"""Whether a file can be written, asked before a stream begins."""

import os
from pathlib import Path

from edge.errors import OutputError


def check(path: Path) -> None:
    """See to it that ``path`` can be written, as far as one can know.

    Raises:
        OutputError: it cannot.
    """
    if path.is_dir():
        raise OutputError(f"a place to write {path}", "a folder", "choose another name")
    if not path.parent.is_dir():
        raise OutputError(
            f"a folder for {path}", f"no folder {path.parent}", f"mkdir -p {path.parent}"
        )
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OutputError(f"a place to write {path}", "permission denied", "choose another folder")
