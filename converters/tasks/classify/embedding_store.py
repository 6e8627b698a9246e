"""Vectors on disk by key: a SQLite file that concurrent processes may share."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import OutputError

_TIMEOUT_S = 60.0
"""Seconds to wait for another process that is writing."""

_PER_QUERY = 500
"""Keys in one query; SQLite allows at least 999 parameters."""


class EmbeddingStore:
    """A table of float32 vectors by key, safe for concurrent processes.

    A damaged database file is removed and created again; ``reset`` is then True.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reset = False
        try:
            self._database = self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # locked or not writable: nothing is wrong with the file
            self._remove()
            self._database = self._open()

    def get(self, keys: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Return the stored vectors, float32 [d], by key."""
        requested = list(keys)
        vectors = {}
        for start in range(0, len(requested), _PER_QUERY):
            part = requested[start : start + _PER_QUERY]
            marks = ",".join("?" * len(part))
            rows = self._database.execute(
                f"SELECT key, vector FROM embedding WHERE key IN ({marks})", part
            )
            vectors.update({key: np.frombuffer(vector, np.float32) for key, vector in rows})
        return vectors

    def put(self, vectors: dict[str, NDArray[np.float32]]) -> None:
        """Store vectors, float32 [d]; they outlive this process, also where it is killed now."""
        rows = [(key, vector.astype(np.float32).tobytes()) for key, vector in vectors.items()]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO embedding VALUES (?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=_TIMEOUT_S)
        try:
            # A loss of power may damage the file, which is noticed: waiting for the disk is worse.
            database.execute("PRAGMA synchronous = OFF")
            with database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS embedding (key TEXT PRIMARY KEY, vector BLOB)"
                    " WITHOUT ROWID"
                )
            if database.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("damaged")
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.path.with_name(self.path.name + "-journal").unlink(missing_ok=True)
        self.reset = True

    def close(self) -> None:
        """Close the database."""
        self._database.close()


@contextlib.contextmanager
def open_store(path: Path) -> Iterator[EmbeddingStore]:
    """Open an :class:`EmbeddingStore`, closed on exit.

    Raises:
        OutputError: it cannot be opened or written, or its disk is full.
    """
    try:
        with contextlib.closing(EmbeddingStore(path)) as store:
            yield store
    except sqlite3.OperationalError as error:
        raise OutputError(
            "a writable cache folder",
            f"{path.parent} ({error})",
            "set EDGE_CACHE to a writable folder",
            code="cache-not-writable",
        ) from None
