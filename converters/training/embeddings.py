"""Embeddings: the frozen backbone's pooled output for each image, computed once, cached."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.training import extractor
from converters.training.augment import VIEWS
from converters.training.embedding_store import EmbeddingStore, open_store

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
    view, backbone and preprocessing; if all are cached, TensorFlow is not needed. New ones are
    written as they are computed, so that an interrupted run loses very little.

    Raises:
        OutputError: ``cache`` cannot be written.
    """
    indices = np.concatenate([split.train, split.validation])
    name = _cache_name(backbone, dataset)
    path = cache / f"{name}.sqlite"
    pairs = [(index, view) for index in split.train for view in views]
    pairs += [(index, views[0]) for index in split.validation]
    jobs = {_key(dataset, index, view): (int(index), view) for index, view in pairs}
    with open_store(path) as store:
        if store.reset:
            progress.say(f"The cache {path} was damaged and is being rebuilt.")
        vectors = store.get(jobs)
        missing = {key: job for key, job in jobs.items() if key not in vectors}
        if missing:
            run = extractor.load(backbone, cache / f"{name}.tflite")
            vectors |= _compute(run, dataset, missing, store, progress)
    computed = len({dataset.images[index].digest for index, _ in missing.values()})
    total = len({dataset.images[index].digest for index in indices})

    def stack(chosen: NDArray[np.int64], view: str) -> NDArray[np.float32]:
        return np.stack([vectors[_key(dataset, index, view)] for index in chosen])

    return Embeddings(
        train=np.stack([stack(split.train, view) for view in views], axis=1),
        train_labels=dataset.labels[split.train],
        validation=stack(split.validation, views[0]),
        validation_labels=dataset.labels[split.validation],
        views=views,
        computed=computed,
        cached=total - computed,
    )


def _key(dataset: Dataset, index: int, view: str) -> str:
    return f"{dataset.images[index].digest} {view}"


def _cache_name(backbone: Backbone, dataset: Dataset) -> str:
    preprocessing = json.dumps(dataset.preprocessing.to_dict(), sort_keys=True)
    # Includes the views: the meaning of "mirror" may change between releases.
    key = f"{backbone.fingerprint} {preprocessing} {VIEWS}"
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
        with ThreadPoolExecutor(extractor.threads()) as pool:
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
