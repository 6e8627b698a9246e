"""Embeddings of images from the frozen backbone, cached by content hash.

The backbone with its pooling runs as a float32 TFLite model: on a CPU the TFLite interpreter is
about three times as fast as Keras. The cache is a SQLite file for each backbone and preprocessing.
"""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from converters.tasks.classify.embedding_store import EmbeddingStore, open_store
from converters.training.augment import VIEWS
from converters.writer.float_files import activation_names, to_float32
from converters.writer.folding import fold
from converters.writer.ranges import BackboneRanges, RangeProbe, Ranges, union
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

_WRITE_INTERVAL = 64
"""Vectors between writes: at most so many are lost on Ctrl-C."""

_IMAGE, _RANGES = "image", "ranges"
"""Views of an image: the image itself, and the ranges of all activations on it."""

Vectors = dict[str, NDArray[np.float32]]
"""By the hash of the image and the view."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Pooled features, float32, with their labels, int64.

    ``train``: [n, views, d] (view 0 is the image itself, the others are deterministic
    augmentations), ``validation``: [m, d] (the images alone),
    ``computed`` and ``cached`` count images. ``ranges``: on the calibration images, if there are
    any.
    """

    train: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    validation: NDArray[np.float32]
    validation_labels: NDArray[np.int64]
    views: tuple[str, ...]
    computed: int
    cached: int
    ranges: BackboneRanges | None = None


def embed(
    backbone: Backbone,
    dataset: Dataset,
    split: Split,
    cache: Path,
    progress: Progress,
    views: tuple[str, ...] = tuple(VIEWS),
    calibration: Sequence[int] | NDArray[np.int64] = (),
) -> Embeddings:
    """Embed the training split in every view, and the validation split unaugmented.

    The test split is not used. Embeddings are read from ``cache`` (a folder), by content hash,
    view, backbone and preprocessing; TensorFlow is not needed. New ones are
    written as they are computed, so that an interrupted run loses very little. So are the ranges
    of the activations on the images at ``calibration``, which are of the training split: both
    come from one inference.

    Raises:
        OutputError: ``cache`` cannot be written.
        ConversionError: activations that are not finite.
    """
    pairs = [(index, _RANGES) for index in calibration]  # first, as they take longest
    pairs += [(index, view) for index in split.train for view in views]
    pairs += [(index, views[0]) for index in split.validation]
    vectors, computed = _vectors(backbone, dataset, pairs, cache, progress)
    images = {dataset.images[index].digest for index, _ in pairs}

    def stack(chosen: NDArray[np.int64], view: str) -> NDArray[np.float32]:
        return np.stack([vectors[_key(dataset, index, view)] for index in chosen])

    ranges = None
    if len(calibration):
        names = activation_names(fold(backbone.arrays, backbone.size))
        measured = (_named(names, vectors[_key(dataset, i, _RANGES)]) for i in calibration)
        ranges = BackboneRanges(union(measured), stack(np.asarray(calibration), _IMAGE))
    return Embeddings(
        train=np.stack([stack(split.train, view) for view in views], axis=1),
        train_labels=dataset.labels[split.train],
        validation=stack(split.validation, views[0]),
        validation_labels=dataset.labels[split.validation],
        views=views,
        computed=computed,
        cached=len(images) - computed,
        ranges=ranges,
    )


def _named(names: Sequence[str], ends: NDArray[np.float32]) -> Ranges:
    """Return ranges from a vector of the least and the greatest value of each activation."""
    return {
        name: (float(low), float(high))
        for name, (low, high) in zip(names, ends.reshape(-1, 2), strict=True)
    }


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
    pairs = [(index, _IMAGE) for index in indices]
    vectors, _ = _vectors(backbone, dataset, pairs, cache, progress)
    return np.stack([vectors[_key(dataset, index, _IMAGE)] for index in indices])


def _vectors(
    backbone: Backbone,
    dataset: Dataset,
    pairs: Iterable[tuple[int, str]],
    cache: Path,
    progress: Progress,
) -> tuple[Vectors, int]:
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
            inferences = _Inferences(backbone, dataset, cache / f"{name}.tflite")
            vectors |= _compute(inferences, missing, store, progress)
    return vectors, len({dataset.images[index].digest for index, _ in missing.values()})


def _key(dataset: Dataset, index: int, view: str) -> str:
    return f"{dataset.images[index].digest} {view}"


def _cache_name(backbone: Backbone, dataset: Dataset) -> str:
    preprocessing = json.dumps(dataset.preprocessing.to_dict(), sort_keys=True)
    # Includes the views: the meaning of "mirror" may change between releases.
    key = f"{backbone.fingerprint} {preprocessing} {VIEWS} {_DECODING}"
    return f"embeddings-{hashlib.sha256(key.encode()).hexdigest()[:20]}"


class _Inferences:
    """Runs the backbone on images of a data set, in any thread."""

    def __init__(self, backbone: Backbone, dataset: Dataset, extractor: Path) -> None:
        self._dataset = dataset
        self._extract = load_extractor(backbone, extractor)
        self._backbone = backbone
        self._lock = threading.Lock()
        self._made: RangeProbe | None = None

    def __call__(self, index: int, view: str) -> Vectors:
        """Return what one inference tells of an image."""
        if view != _RANGES:
            return {self._key(index, view): self._extract(self._inputs(index, view))}
        probe = self._probe()
        embedding, ranges = probe.run(self._inputs(index, _IMAGE))
        ends = np.array([ranges[name] for name in probe.names], np.float32).reshape(-1)
        return {self._key(index, _IMAGE): embedding, self._key(index, _RANGES): ends}

    def _probe(self) -> RangeProbe:
        with self._lock:
            if self._made is None:
                self._made = RangeProbe(fold(self._backbone.arrays, self._backbone.size))
            return self._made

    def _inputs(self, index: int, view: str) -> NDArray[np.float32]:
        pixels = VIEWS[view].apply(self._dataset.pixels[index])
        return self._dataset.preprocessing.normalize(pixels)[None]

    def _key(self, index: int, view: str) -> str:
        return _key(self._dataset, index, view)


def _compute(
    infer: _Inferences,
    missing: dict[str, tuple[int, str]],
    store: EmbeddingStore,
    progress: Progress,
) -> Vectors:
    stop = threading.Event()
    probed = {index for index, view in missing.values() if view == _RANGES}
    jobs = [job for job in missing.values() if job[1] != _IMAGE or job[0] not in probed]

    def compute(job: tuple[int, str]) -> Vectors | None:
        return None if stop.is_set() else infer(*job)

    def results() -> Iterator[Vectors]:
        with ThreadPoolExecutor(threads()) as pool:
            try:
                for vectors in pool.map(compute, jobs):
                    assert vectors is not None  # None only after stop
                    yield vectors
            finally:
                stop.set()  # on Ctrl-C the pool must not finish its queue

    vectors: Vectors = {}
    unsaved: Vectors = {}
    try:
        for computed in progress.track(results(), len(jobs), "Computing embeddings"):
            unsaved |= computed
            if len(unsaved) >= _WRITE_INTERVAL:
                store.put(unsaved)
                vectors |= unsaved
                unsaved = {}
    finally:
        store.put(unsaved)
    return vectors | unsaved
