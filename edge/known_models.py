"""Model files that need no trial before they are run; see :mod:`edge.model_trial`.

A file is known by the SHA-256 of its content. The record in the cache lists files that ran in a
trial, with the interpreter that ran them; those that this copy of the toolkit made, or downloaded
with a pinned checksum; and those that the user trusts.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from edge.errors import EdgeError
from edge.files import cache_folder, write_atomic
from edge.modelfile.tflite import unreadable

RECORD = "known-models.txt"
"""File in the cache: on each line the SHA-256 of a model and an interpreter with its version."""

ANY = "any interpreter"
"""Stands for the interpreter where a file is known for all of them."""

MAX_LINES = 5000

_here: set[str] = set()
"""Lines of this process, which hold also where the cache cannot be written."""


def trust_model(model: str | Path | bytes) -> None:
    """Trust a model file: it is not tried before it is run, now and later.

    Args:
        model: The path of a .tflite or .task file, or its content.

    Raises:
        ModelError: the file cannot be read.
    """
    remember(digest(model if isinstance(model, bytes) else _content(Path(model))))


def digest(content: bytes) -> str:
    """Return the name by which a content is known: its SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def is_known(digest: str, interpreter: str) -> bool:
    """Return whether a file ran with this interpreter (name and version), or is trusted."""
    lines = {f"{digest} {interpreter}", f"{digest} {ANY}"}
    return not lines.isdisjoint(_here) or not lines.isdisjoint(_recorded())


def remember(digest: str, interpreter: str = ANY) -> None:
    """Record that a file is known; where the cache cannot be written, for this process only."""
    line = f"{digest} {interpreter}"
    if line in _here:
        return
    _here.add(line)
    lines = _recorded()
    if line not in lines:
        with suppress(EdgeError):
            kept = [*lines, line][-MAX_LINES:]
            write_atomic(cache_folder() / RECORD, "".join(f"{entry}\n" for entry in kept))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None


def _recorded() -> list[str]:
    try:
        text = (cache_folder() / RECORD).read_text(encoding="utf-8")
    except (OSError, ValueError, EdgeError):
        return []
    return text.splitlines()
