"""Embeddings of images from the frozen backbone, cached by content hash.

The backbone with its pooling runs as a float32 TFLite model: on a CPU the TFLite interpreter is
about three times as fast as Keras. The cache is a SQLite file for each backbone and preprocessing.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.training.augment import VIEWS
from converters.writer.float_files import to_float32
from converters.writer.folding import fold
from edge.errors import OutputError
from edge.files import write_atomic
from edge.terminal import suppress_native_stderr

Extractor = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""float32 [1, size, size, 3] in [-1, 1] to the embedding float32 [d]; from any thread."""


def threads() -> int:
    """Return the number of threads: one per CPU, each with its own interpreter (20 MB)."""
    return min(8, len(os.sched_getaffinity(0)))


def load_extractor(backbone: Backbone, path: Path) -> Extractor:
    """Load the extractor of ``backbone`` from ``path``, or make it and write it there.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        content = path.read_bytes()
        _interpreter(content)
    except (OSError, ValueError):  # missing or truncated
        content = _extractor_file(backbone)
        write_atomic(path, content)
    local = threading.local()

    def run(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        if not hasattr(local, "interpreter"):
            local.interpreter = _interpreter(content)
        interpreter = local.interpreter
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
        interpreter.invoke()
        output: NDArray[np.float32] = interpreter.get_tensor(
            interpreter.get_output_details()[0]["index"]
        )
        return np.asarray(output[0], np.float32)

    return run


def _interpreter(content: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    with suppress_native_stderr():  # it announces its delegate
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    return interpreter


def _extractor_file(backbone: Backbone) -> bytes:
    return to_float32(fold(backbone.arrays, backbone.size))


_DECODING = "large JPEGs reduced"
"""How files become pixels: another decoding is another embedding."""

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
        """Store vectors, float32 [d]; they are on disk when this returns."""
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


_WRITE_INTERVAL = 64
"""Vectors between writes: at most so many are lost on Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Pooled features, float32, with their labels, int64.

    ``train``: [n, views, d] (view 0 is the image itself, the others are deterministic
    augmentations), ``validation``: [m, d] (the images alone),
    ``computed`` and ``cached`` count images.
    """

    train: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    validation: NDArray[np.float32]
    validation_labels: NDArray[np.int64]
    views: tuple[str, ...]
    computed: int
    cached: int


def embed(
    backbone: Backbone,
    dataset: Dataset,
    split: Split,
    cache: Path,
    progress: Progress,
    views: tuple[str, ...] = tuple(VIEWS),
) -> Embeddings:
    """Embed the training split in every view, and the validation split unaugmented.

    The test split is not used. Embeddings are read from ``cache`` (a folder), by content hash,
    view, backbone and preprocessing; TensorFlow is not needed. New ones are
    written as they are computed, so that an interrupted run loses very little.

    Raises:
        OutputError: ``cache`` cannot be written.
    """
    pairs = [(index, view) for index in split.train for view in views]
    pairs += [(index, views[0]) for index in split.validation]
    vectors, computed = _vectors(backbone, dataset, pairs, cache, progress)
    images = {dataset.images[index].digest for index, _ in pairs}

    def stack(chosen: NDArray[np.int64], view: str) -> NDArray[np.float32]:
        return np.stack([vectors[_key(dataset, index, view)] for index in chosen])

    return Embeddings(
        train=np.stack([stack(split.train, view) for view in views], axis=1),
        train_labels=dataset.labels[split.train],
        validation=stack(split.validation, views[0]),
        validation_labels=dataset.labels[split.validation],
        views=views,
        computed=computed,
        cached=len(images) - computed,
    )


def embed_images(
    backbone: Backbone,
    dataset: Dataset,
    indices: NDArray[np.int64],
    cache: Path,
    progress: Progress,
) -> NDArray[np.float32]:
    """Embed the images at ``indices`` unaugmented: float32 [n, d], from the cache of :func:`embed`.

    Raises:
        OutputError: ``cache`` cannot be written.
    """
    pairs = [(index, "image") for index in indices]
    vectors, _ = _vectors(backbone, dataset, pairs, cache, progress)
    return np.stack([vectors[_key(dataset, index, "image")] for index in indices])


def _vectors(
    backbone: Backbone,
    dataset: Dataset,
    pairs: Iterable[tuple[int, str]],
    cache: Path,
    progress: Progress,
) -> tuple[dict[str, NDArray[np.float32]], int]:
    """Return the vectors of (image, view) by key, and the number of images computed for them."""
    name = _cache_name(backbone, dataset)
    path = cache / f"{name}.sqlite"
    jobs = {_key(dataset, index, view): (int(index), view) for index, view in pairs}
    with open_store(path) as store:
        if store.reset:
            progress.say(f"The cache {path} was damaged and is being rebuilt.")
        vectors = store.get(jobs)
        missing = {key: job for key, job in jobs.items() if key not in vectors}
        if missing:
            run = load_extractor(backbone, cache / f"{name}.tflite")
            vectors |= _compute(run, dataset, missing, store, progress)
    return vectors, len({dataset.images[index].digest for index, _ in missing.values()})


def _key(dataset: Dataset, index: int, view: str) -> str:
    return f"{dataset.images[index].digest} {view}"


def _cache_name(backbone: Backbone, dataset: Dataset) -> str:
    preprocessing = json.dumps(dataset.preprocessing.to_dict(), sort_keys=True)
    # Includes the views: the meaning of "mirror" may change between releases.
    key = f"{backbone.fingerprint} {preprocessing} {VIEWS} {_DECODING}"
    return f"embeddings-{hashlib.sha256(key.encode()).hexdigest()[:20]}"


def _compute(
    run: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    dataset: Dataset,
    missing: dict[str, tuple[int, str]],
    store: EmbeddingStore,
    progress: Progress,
) -> dict[str, NDArray[np.float32]]:
    stop = threading.Event()

    def compute(job: tuple[int, str]) -> NDArray[np.float32] | None:
        if stop.is_set():
            return None
        index, view = job
        pixels = VIEWS[view].apply(dataset.pixels[index])
        return run(dataset.preprocessing.normalize(pixels)[None])

    def results() -> Iterator[tuple[str, NDArray[np.float32]]]:
        with ThreadPoolExecutor(threads()) as pool:
            try:
                for key, vector in zip(missing, pool.map(compute, missing.values()), strict=True):
                    assert vector is not None  # None only after stop
                    yield key, vector
            finally:
                stop.set()  # on Ctrl-C the pool must not finish its queue

    vectors: dict[str, NDArray[np.float32]] = {}
    unsaved: dict[str, NDArray[np.float32]] = {}
    try:
        for key, vector in progress.track(results(), len(missing), "Computing embeddings"):
            unsaved[key] = vector
            if len(unsaved) == _WRITE_INTERVAL:
                store.put(unsaved)
                vectors |= unsaved
                unsaved = {}
    finally:
        store.put(unsaved)
    return vectors | unsaved
