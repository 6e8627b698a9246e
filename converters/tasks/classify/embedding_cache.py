"""Embeddings of images by a file, from an image to its embedding, that are computed once.

The content of the file is part of the key, so that whatever changes it, another backbone or other
ranges of int8, has a cache of its own. The others are the content of the image, its preprocessing
and the version of the interpreter.
"""

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.progress import Progress
from converters.tasks.classify.embedding_store import EmbeddingStore, open_store
from converters.training.augment import VIEWS
from edge.interpreter import Runtime, default_package, load
from edge.preprocessing import Preprocessing, apply_table, input_table
from edge.terminal import suppress_native_stderr

IMAGE = "image"
"""The view that is the image itself."""

_DECODING = "large JPEGs reduced"
"""How files become pixels: another decoding is another embedding."""

_KEPT = 32
"""Caches that are kept, those used last: each change of a range of int8 begins another."""

_WRITE_INTERVAL = 64
"""Vectors between writes: at most so many are lost on Ctrl-C."""

Vectors = dict[str, NDArray[np.float32]]
"""By the hash of the image and the view."""

Infer = Callable[[int, str], Vectors]
"""What one inference tells of an image, by its index and the view; from any thread."""


def threads() -> int:
    """Return the number of threads: one per CPU, each with its own interpreter (20 MB)."""
    return min(8, len(os.sched_getaffinity(0)))


class ExtractorRunner:
    """Runs an extractor, a .tflite file, on images, with an interpreter in each thread."""

    def __init__(self, content: bytes, preprocessing: Preprocessing) -> None:
        self._content, self._preprocessing = content, preprocessing
        self._own = threading.local()  # an interpreter belongs to one thread

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the output for an image, uint8 [h, w, 3]: float32 [d], of int8 its codes."""
        if not hasattr(self._own, "runtime"):
            self._own.runtime = self._load()
            self._own.table = input_table(self._own.runtime.inputs[0], self._preprocessing)
        (output,) = self._own.runtime.invoke(apply_table(self._own.table, pixels))
        return np.asarray(output[0], np.float32)

    def _load(self) -> Runtime:
        with suppress_native_stderr():  # the interpreter announces its delegate
            return load(self._content, name="the backbone", delegate="cpu", threads=1, trusted=True)


class EmbeddingCache:
    """Vectors of the images of a data set; ``computed``: hashes of the images with new ones."""

    def __init__(self, store: EmbeddingStore, dataset: Dataset, progress: Progress) -> None:
        self._store, self._dataset, self._progress = store, dataset, progress
        self.computed: set[str] = set()

    def key(self, index: int, view: str) -> str:
        """Return the key of a view of an image."""
        return f"{self._dataset.images[index].digest} {view}"

    def vectors(self, pairs: Iterable[tuple[int, str]], infer: Infer, words: str) -> Vectors:
        """Return the vectors of (image, view) by key; ``words``: what is computed, if any is.

        New ones are written as they are computed, so that an interrupted run loses very little.
        """
        jobs = {self.key(index, view): (int(index), view) for index, view in pairs}
        known = self._store.get(jobs)
        missing = [job for key, job in jobs.items() if key not in known]
        self.computed |= {self._dataset.images[index].digest for index, _ in missing}
        return known | self._compute(missing, infer, words) if missing else known

    def _compute(self, jobs: list[tuple[int, str]], infer: Infer, words: str) -> Vectors:
        vectors: Vectors = {}
        unsaved: Vectors = {}
        try:
            for computed in self._progress.track(_in_threads(infer, jobs), len(jobs), words):
                unsaved |= computed
                if len(unsaved) >= _WRITE_INTERVAL:
                    self._store.put(unsaved)
                    vectors |= unsaved
                    unsaved = {}
        finally:
            self._store.put(unsaved)
        return vectors | unsaved


def _in_threads(infer: Infer, jobs: list[tuple[int, str]]) -> Iterator[Vectors]:
    stop = threading.Event()

    def compute(job: tuple[int, str]) -> Vectors | None:
        return None if stop.is_set() else infer(*job)

    with ThreadPoolExecutor(threads()) as pool:
        try:
            for vectors in pool.map(compute, jobs):
                assert vectors is not None  # None only after stop
                yield vectors
        finally:
            stop.set()  # on Ctrl-C the pool must not finish its queue


@contextlib.contextmanager
def open_cache(
    extractor: bytes, dataset: Dataset, folder: Path, progress: Progress
) -> Iterator[EmbeddingCache]:
    """Open the cache of an extractor, in ``folder``.

    Raises:
        OutputError: ``folder`` cannot be written.
    """
    path = folder / f"embeddings-{_fingerprint(extractor, dataset.preprocessing)}.sqlite"
    with open_store(path) as store:
        if store.reset:
            progress.say(f"The cache {path} was damaged and is being rebuilt.")
        _remember(path)
        yield EmbeddingCache(store, dataset, progress)


def _remember(path: Path) -> None:
    """Mark a cache as the one used last, and remove what has not been used for long."""
    path.touch()
    caches = list(path.parent.glob("embeddings-*.sqlite"))
    with contextlib.suppress(OSError):  # another process uses or removes them
        for file in sorted(caches, key=lambda file: file.stat().st_mtime)[:-_KEPT]:
            file.unlink()


def _fingerprint(extractor: bytes, preprocessing: Preprocessing) -> str:
    resizing = json.dumps(preprocessing.to_dict(), sort_keys=True)
    # Includes the views: the meaning of "mirror" may change between releases.
    key = f"{resizing} {VIEWS} {_DECODING} {default_package()}"
    digest = hashlib.sha256(key.encode())
    digest.update(extractor)
    return digest.hexdigest()[:20]


def embed_by_file(
    extractor: bytes,
    dataset: Dataset,
    indices: NDArray[np.int64],
    folder: Path,
    words: str,
    progress: Progress,
) -> NDArray[np.float32]:
    """Embed the images at ``indices``, unaugmented.

    Args:
        extractor: a .tflite file from an image to its embedding, float32 or 8-bit.
        dataset: of the images.
        indices: int64 [n].
        folder: of the cache.
        words: what is done, for the progress.
        progress: shows how far it is.

    Returns:
        float32 [n, d]; of an 8-bit file its codes.

    Raises:
        OutputError: ``folder`` cannot be written.
    """
    run = ExtractorRunner(extractor, dataset.preprocessing)
    with open_cache(extractor, dataset, folder, progress) as cache:

        def infer(index: int, view: str) -> Vectors:
            return {cache.key(index, view): run(dataset.pixels[index])}

        vectors = cache.vectors([(index, IMAGE) for index in indices], infer, words)
    return np.stack([vectors[cache.key(index, IMAGE)] for index in indices])
