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
        raise OutputError(
            f"a file {path}",
            "a directory",
            "choose another name",
            code="output-is-directory",
            summary=f"{path} is a directory",
        )
    if not path.parent.is_dir():
        raise OutputError(
            f"a directory {path.parent}",
            "none",
            f"mkdir -p {path.parent}",
            code="output-directory-missing",
            summary=f"the directory {path.parent} does not exist",
        )
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OutputError(
            f"a writable path {path}",
            "permission denied",
            "choose another directory",
            code="output-not-writable",
        )
