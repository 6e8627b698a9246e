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

_SAVED_AT_ONCE = 64
"""Vectors from one write to the next: what Ctrl-C can cost."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Pooled features, float32, with their labels, int64.

    ``train``: [n, views, d] (view 0 is the image itself, the others are deterministic
    augmentations), ``validation``: [m, d] (judged, never trained on: the images alone),
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
    """Embed the training side in every view, and the validation side as it is.

    The test side is not touched.

    Known images come from ``cache`` (a folder), by content hash, view, backbone and
    preprocessing; with all of them known TensorFlow is not needed. What is computed is kept at
    once, so that an interrupted run loses next to nothing.

    Raises:
        OutputError: ``cache`` cannot be written.
    """
    indices = np.concatenate([split.train, split.validation])
    name = _cache_name(backbone, dataset)
    path = cache / f"{name}.sqlite"
    wanted = [(index, view) for index in split.train for view in views]
    wanted += [(index, views[0]) for index in split.validation]
    jobs = {_key(dataset, index, view): (int(index), view) for index, view in wanted}
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

    def side(chosen: NDArray[np.int64], view: str) -> NDArray[np.float32]:
        return np.stack([vectors[_key(dataset, index, view)] for index in chosen])

    return Embeddings(
        train=np.stack([side(split.train, view) for view in views], axis=1),
        train_labels=dataset.labels[split.train],
        validation=side(split.validation, views[0]),
        validation_labels=dataset.labels[split.validation],
        views=views,
        computed=computed,
        cached=total - computed,
    )


def _key(dataset: Dataset, index: int, view: str) -> str:
    return f"{dataset.images[index].digest} {view}"


def _cache_name(backbone: Backbone, dataset: Dataset) -> str:
    preprocessing = json.dumps(dataset.preprocessing.to_dict(), sort_keys=True)
    # The views are part of it: what "zoom" means may change with a release.
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

    def one(job: tuple[int, str]) -> NDArray[np.float32] | None:
        if stop.is_set():
            return None
        index, view = job
        pixels = VIEWS[view].apply(dataset.pixels[index])
        return run(dataset.preprocessing.normalize(pixels)[None])

    def results() -> Iterator[tuple[str, NDArray[np.float32]]]:
        with ThreadPoolExecutor(extractor.threads()) as pool:
            try:
                for key, vector in zip(missing, pool.map(one, missing.values()), strict=True):
                    assert vector is not None  # only when nobody waits any more
                    yield key, vector
            finally:
                stop.set()  # on Ctrl-C the pool must not work off its queue

    vectors: dict[str, NDArray[np.float32]] = {}
    unsaved: dict[str, NDArray[np.float32]] = {}
    try:
        for key, vector in progress.track(results(), len(missing), "Computing embeddings"):
            unsaved[key] = vector
            if len(unsaved) == _SAVED_AT_ONCE:
                store.put(unsaved)
                vectors |= unsaved
                unsaved = {}
    finally:
        store.put(unsaved)
    return vectors | unsaved
