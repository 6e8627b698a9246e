"""What a file of the registry is checked with."""

import hashlib
from pathlib import Path

from edge.registry.catalog import RemoteFile

_MODEL_HEADS = ((4, b"TFL3"), (0, b"PK\x03\x04"))
"""Where a .tflite file, or a .task file, which is a zip, has its mark."""


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    return _digest(path, "sha256")


def find_mismatch(path: Path, file: RemoteFile, recorded: str | None) -> str | None:
    """What is wrong with ``path`` as a copy of ``file``, as a noun phrase; None if it is right.

    ``recorded``: the SHA-256 that was written down when it was first pulled, if it was.
    """
    if file.blob is not None:
        # Git's id of a file: SHA-1 of "blob SIZE\\0" and the content (gitformat-pack, hash-object).
        found = _digest(path, "sha1", f"blob {path.stat().st_size}\0".encode())
        return None if found == file.blob else f"different content (git blob {found})"
    wanted = file.sha256 or recorded
    if wanted is not None:
        found = sha256(path)
        return None if found == wanted else f"different content (SHA-256 {found})"
    return None if _looks_right(path) else "a file that is not a model (perhaps a login page)"


def _looks_right(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(8)
    return any(head[at : at + len(mark)] == mark for at, mark in _MODEL_HEADS)


def _digest(path: Path, method: str, head: bytes = b"") -> str:
    with path.open("rb") as file:
        made = hashlib.file_digest(file, lambda: hashlib.new(method, head, usedforsecurity=False))
    return made.hexdigest()
