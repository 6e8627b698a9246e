"""Embeddings of images from the frozen backbone, cached by content hash.

The backbone with its pooling runs as a float32 TFLite model: on a CPU the TFLite interpreter is
about three times as fast as Keras.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.tasks.classify.embedding_cache import (
    IMAGE,
    ExtractorRunner,
    Vectors,
    open_cache,
)
from converters.training.augment import VIEWS
from converters.writer.float_files import activation_names, to_float32
from converters.writer.folding import FoldedNetwork, fold
from converters.writer.ranges import BackboneRanges, RangeProbe, Ranges, union

_RANGES = "ranges"
"""Beside the views of an image: the ranges of all activations on it."""

_WORDS = "Computing embeddings"


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Pooled features, float32, with their labels, int64.

    ``train``: [n, views, d] (view 0 is the image itself, the others are deterministic
    augmentations), ``validation``: [m, d] (the images alone),
    ``computed`` and ``cached`` count images. ``extractor``: the .tflite file that computed them.
    ``ranges``: on the calibration images, if there are any.
    """

    train: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    validation: NDArray[np.float32]
    validation_labels: NDArray[np.int64]
    views: tuple[str, ...]
    computed: int
    cached: int
    extractor: bytes = b""
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
    network = fold(backbone.arrays, backbone.size)
    pairs = [(index, view) for index in split.train for view in views]
    pairs += [(index, views[0]) for index in split.validation]
    extractor = to_float32(network)
    with open_cache(extractor, dataset, cache, progress) as opened:
        infer = _Inferences(network, extractor, dataset, opened.key)
        # First, as their embeddings come with them.
        vectors = opened.vectors([(i, _RANGES) for i in calibration], infer, _WORDS)
        vectors |= opened.vectors(pairs, infer, _WORDS)
    images = {dataset.images[index].digest for index in (*split.train, *split.validation)}

    def stack(chosen: NDArray[np.int64], view: str) -> NDArray[np.float32]:
        return np.stack([vectors[opened.key(index, view)] for index in chosen])

    ranges = None
    if len(calibration):
        names = activation_names(network)
        measured = (_named(names, vectors[opened.key(i, _RANGES)]) for i in calibration)
        ranges = BackboneRanges(union(measured), stack(np.asarray(calibration), IMAGE))
    return Embeddings(
        train=np.stack([stack(split.train, view) for view in views], axis=1),
        train_labels=dataset.labels[split.train],
        validation=stack(split.validation, views[0]),
        validation_labels=dataset.labels[split.validation],
        views=views,
        computed=len(opened.computed),
        cached=len(images) - len(opened.computed),
        extractor=extractor,
        ranges=ranges,
    )


def _named(names: Sequence[str], ends: NDArray[np.float32]) -> Ranges:
    """Return ranges from a vector of the least and the greatest value of each activation."""
    return {
        name: (float(low), float(high))
        for name, (low, high) in zip(names, ends.reshape(-1, 2), strict=True)
    }


class _Inferences:
    """Runs the backbone on images of a data set, in any thread."""

    def __init__(
        self,
        network: FoldedNetwork,
        extractor: bytes,
        dataset: Dataset,
        key: Callable[[int, str], str],
    ) -> None:
        self._network, self._dataset, self._key = network, dataset, key
        self._extract = ExtractorRunner(extractor, dataset.preprocessing)
        self._lock = threading.Lock()
        self._made: RangeProbe | None = None

    def __call__(self, index: int, view: str) -> Vectors:
        """Return what one inference tells of an image."""
        pixels = self._dataset.pixels[index]
        if view != _RANGES:
            return {self._key(index, view): self._extract(VIEWS[view].apply(pixels))}
        probe = self._probe()
        embedding, ranges = probe.run(self._dataset.preprocessing.normalize(pixels)[None])
        ends = np.array([ranges[name] for name in probe.names], np.float32).reshape(-1)
        return {self._key(index, IMAGE): embedding, self._key(index, _RANGES): ends}

    def _probe(self) -> RangeProbe:
        with self._lock:
            if self._made is None:
                self._made = RangeProbe(self._network)
            return self._made
