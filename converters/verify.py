"""Verify: measure the TFLite files themselves on the untouched test side."""

import gzip
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.compress.quantise import Variant
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.layers import layer_noise
from converters.progress import Progress
from converters.statistics import wilson_interval
from converters.verdict import NAMED, Verdict, check_scores, judge
from edge import stats
from edge.model import Model, load_model

__all__ = ["ClassFigures", "Latency", "Measured", "Verdict", "Verified", "verify"]

REFERENCE = "float32"
JUDGED = "int8"
_PICTURES_PER_LAYER_CHECK = 16
_SECONDS_OF_TIMING = 0.5


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Precision, recall and F1 of one class on the test side (0–1; 0 where undefined)."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of one invoke, with what ran it."""

    p50_ms: float
    p95_ms: float
    interpreter: str
    delegate: str
    threads: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One variant measured on the test side.

    ``scores``: float32 [n, classes], dequantised, aligned with ``Split.test``; ``confusion``:
    int64 [classes, classes], rows are the true class; ``agreement``: share of test pictures with
    the top-1 of float32; ``interval``: 95 % interval of the accuracy.
    """

    name: str
    scores: NDArray[np.float32]
    accuracy: float
    interval: tuple[float, float]
    agreement: float
    per_class: tuple[ClassFigures, ...]
    confusion: NDArray[np.int64]
    bytes: int
    gzip_bytes: int
    latency: Latency


@dataclass(frozen=True, slots=True)
class Verified:
    """All variants, measured alike, and the verdict."""

    variants: tuple[Measured, ...]
    verdict: Verdict


def verify(
    variants: Sequence[Variant],
    dataset: Dataset,
    split: Split,
    max_drop: float,
    progress: Progress,
    *,
    threads: int | None = None,
) -> Verified:
    """Run every variant on the test side with the interpreter that the board uses, and judge int8.

    Args:
        variants: TFLite files; "float32" and "int8" are among them.
        dataset: its pixels are fed as they are.
        split: only its test side is used.
        max_drop: points of accuracy that int8 may lose.
        progress: shows how far it is.
        threads: of the interpreter; None leaves the choice to it.

    Raises:
        ConversionError: a variant's scores are not finite, are the same whatever the picture, or
            are stuck at the end of their range.
        EdgeError: a variant does not run.
    """
    with tf.quiet():  # the interpreter announces its delegate
        models = {v.name: _load(v, threads) for v in variants}
    truth = dataset.labels[split.test]
    scores: dict[str, NDArray[np.float32]] = {}
    for name, model in models.items():
        scores[name] = _scores(model, dataset.pixels, split.test, progress, name)
        check_scores(name, scores[name])
    # Timed when nothing else runs in this process any more.
    latencies = {name: _latency(model) for name, model in models.items()}
    reference = scores[REFERENCE].argmax(1)
    measured = tuple(
        _measure(v, scores[v.name], truth, reference, dataset.classes, latencies[v.name])
        for v in variants
    )
    right = {name: s.argmax(1) == truth for name, s in scores.items()}
    verdict = judge(right[REFERENCE], right[JUDGED], truth, dataset.classes, max_drop)
    if verdict.status != "pass":
        verdict = replace(verdict, layers=_worst_layers(variants, dataset, split))
    return Verified(measured, verdict)


def _load(variant: Variant, threads: int | None) -> Model:
    return load_model(
        variant.content,
        name=f"{variant.name}.tflite",
        delegate="cpu",
        threads=threads,
    )


def _scores(
    model: Model,
    pixels: NDArray[np.uint8],
    indices: NDArray[np.int64],
    progress: Progress,
    name: str,
) -> NDArray[np.float32]:
    steps = progress.track(indices, len(indices), f"verifying {name}")
    return np.stack([model.scores(np.asarray(pixels[index])) for index in steps])


def _latency(model: Model) -> Latency:
    timing = stats.measure(model.runtime, seconds=_SECONDS_OF_TIMING)
    return Latency(
        p50_ms=timing.p50_ms,
        p95_ms=timing.p95_ms,
        interpreter=model.runtime.package,
        delegate=model.runtime.delegate,
        threads=model.runtime.threads,
    )


def _measure(
    variant: Variant,
    scores: NDArray[np.float32],
    truth: NDArray[np.int64],
    reference: NDArray[np.int64],
    classes: Sequence[str],
    latency: Latency,
) -> Measured:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    said = scores.argmax(1)
    every = np.arange(len(classes))
    rows = np.stack(
        precision_recall_fscore_support(truth, said, labels=every, zero_division=0), axis=1
    )
    return Measured(
        name=variant.name,
        scores=scores,
        accuracy=float((said == truth).mean()),
        interval=wilson_interval(int((said == truth).sum()), len(truth)),
        agreement=float((said == reference).mean()),
        per_class=tuple(
            ClassFigures(label, float(precision), float(recall), float(f1), int(support))
            for label, (precision, recall, f1, support) in zip(classes, rows, strict=True)
        ),
        confusion=confusion_matrix(truth, said, labels=every).astype(np.int64),
        bytes=len(variant.content),
        gzip_bytes=len(gzip.compress(variant.content, mtime=0)),
        latency=latency,
    )


def _worst_layers(
    variants: Sequence[Variant], dataset: Dataset, split: Split
) -> tuple[tuple[str, float], ...]:
    contents = {v.name: v.content for v in variants}
    step = math.ceil(len(split.test) / _PICTURES_PER_LAYER_CHECK)
    pixels = np.asarray(dataset.pixels[split.test[::step]])
    layers = layer_noise(contents[REFERENCE], contents[JUDGED], pixels, dataset.preprocessing)
    worst = sorted(layers, key=lambda layer: layer.snr_db)[:NAMED]
    return tuple((layer.layer, layer.snr_db) for layer in worst if math.isfinite(layer.snr_db))
