"""Embeddings on disk: one SQLite file for each backbone and preprocessing."""

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
    """A table of float32 vectors by key. Two processes may use it at once.

    A file that is no database any more is removed; ``reset`` then says so.
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
        """The vectors that are there, by key."""
        wanted = list(keys)
        found = {}
        for start in range(0, len(wanted), _PER_QUERY):
            part = wanted[start : start + _PER_QUERY]
            marks = ",".join("?" * len(part))
            rows = self._database.execute(
                f"SELECT key, vector FROM embedding WHERE key IN ({marks})", part
            )
            found.update({key: np.frombuffer(vector, np.float32) for key, vector in rows})
        return found

    def put(self, vectors: dict[str, NDArray[np.float32]]) -> None:
        """Keep vectors; they are safe on disk when this returns."""
        rows = [(key, vector.astype(np.float32).tobytes()) for key, vector in vectors.items()]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO embedding VALUES (?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=_TIMEOUT_S)
        try:
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
        self._database.close()


@contextlib.contextmanager
def open_store(path: Path) -> Iterator[EmbeddingStore]:
    """A :class:`EmbeddingStore`, closed at the end.

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
