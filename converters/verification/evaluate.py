"""Verify: measure the TFLite files themselves, on images that no weight has seen."""

import gzip
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from converters import tflite as quantize
from converters.dataset.audit import Dataset
from converters.dataset.split import Indices, Split
from converters.edgetpu.prediction import check
from converters.progress import Progress
from converters.tflite import Variant
from converters.verification.calibration import ScoreThreshold, reliability
from converters.verification.layers import layer_noise
from converters.verification.metrics import ClassMetrics, Evaluation, MeasuredLatency, Metrics
from converters.verification.statistics import wilson_interval
from converters.verification.verdict import NAMED, Verdict, check_finite, check_informative, judge
from edge import benchmark
from edge.interpreter import load
from edge.modelfile import tflite
from edge.modelfile.cost import model_cost
from edge.tasks.classify.model import load_model
from edge.terminal.native_stderr import suppress_native_stderr

__all__ = ["Evaluation", "Metrics", "Predictions", "measure", "predict", "verdict_on"]

REFERENCE = "float32"
_THREADS = (1, 2, 4)
_IMAGES_PER_LAYER_CHECK = 16


@dataclass(frozen=True, slots=True)
class Predictions:
    """A file and what it said: scores, float32 [n, classes], dequantized, aligned with each side.

    ``threshold``: the least score that is an answer, as stored in the file's metadata.
    """

    variant: Variant
    validation: NDArray[np.float32]
    test: NDArray[np.float32]
    threshold: ScoreThreshold | None = None


def predict(variant: Variant, dataset: Dataset, split: Split, progress: Progress) -> Predictions:
    """Run a file on the validation and the test side with the interpreter that the board uses.

    Raises:
        ConversionError: its scores are not finite.
        EdgeError: it does not run.
    """
    with suppress_native_stderr():  # the interpreter announces its delegate
        model = load_model(variant.content, name=f"{variant.name}.tflite")

    def scores(side: Indices, what: str) -> NDArray[np.float32]:
        steps = progress.track(side, len(side), f"evaluating {variant.name} on the {what} split")
        return np.stack([model.scores(np.asarray(dataset.pixels[index])) for index in steps])

    answered = Predictions(
        variant, scores(split.validation, "validation"), scores(split.test, "test")
    )
    check_finite(variant.name, answered.test)
    return answered


def measure(
    answered: Sequence[Predictions],
    dataset: Dataset,
    split: Split,
    reference: NDArray[np.float32],
    progress: Progress,
    *,
    threads: Sequence[int] | None = None,
) -> tuple[Metrics, ...]:
    """All that is measured of files, each in the same way, in the order given.

    Args:
        answered: the files and what they said.
        dataset: the truth.
        split: of ``dataset``.
        reference: scores of float32 on the test side.
        progress: shows how far it is.
        threads: numbers of threads to time with, rising; by default 1, 2 and 4 as far as the
            computer has cores, up to the interpreter's own choice.

    Raises:
        EdgeError: a file does not run.
    """
    # Timed when nothing else runs in this process.
    latencies = _latencies([a.variant for a in answered], threads or own_threads(), progress)
    return tuple(
        _measure(one, dataset, split, reference.argmax(1), timed)
        for one, timed in zip(answered, latencies, strict=True)
    )


def verdict_on(
    chosen: Predictions,
    reference: Predictions,
    dataset: Dataset,
    split: Split,
    max_drop: float,
) -> Verdict:
    """Whether ``chosen`` keeps what the ``reference``, float32, had on the test side.

    ``max_drop``: points of accuracy that may be lost. Where they are, the layers that quantizing
    hurt most are named.

    Raises:
        ConversionError: the scores of ``chosen`` are the same whatever the image, or are stuck
            at the end of their range: it is no model.
    """
    check_informative(chosen.variant.name, chosen.test)
    truth, classes = dataset.labels[split.test], dataset.classes
    right = [one.test.argmax(1) == truth for one in (reference, chosen)]
    name = chosen.variant.name
    if name == reference.variant.name:
        reason = f"{name} is the reference for the other variants"
        return Verdict(name, "pass", reason, max_drop, 0.0, (0.0, 0.0))
    said = judge(name, right[0], right[1], truth, classes, max_drop)
    if said.status == "pass":
        return said
    return replace(said, layers=_worst_layers(chosen.variant, reference.variant, dataset, split))


def own_threads() -> tuple[int, ...]:
    """1, 2 and 4 threads as far as there are cores; the last is the interpreter's own choice."""
    own = min(max(_THREADS), os.cpu_count() or 1)
    return tuple(sorted({own, *(count for count in _THREADS if count < own)}))


def _latencies(
    variants: Sequence[Variant], threads: Sequence[int], progress: Progress
) -> list[tuple[MeasuredLatency, ...]]:
    """Per variant its times, one for each number of threads."""
    timed: list[list[MeasuredLatency]] = [[] for _ in variants]
    for count in progress.track(threads, len(threads), "timing"):
        with suppress_native_stderr():
            runtimes = [
                load(v.content, name=f"{v.name}.tflite", delegate="cpu", threads=count)
                for v in variants
            ]
        for own, runtime, timing in zip(
            timed, runtimes, benchmark.measure_in_turns(runtimes), strict=True
        ):
            own.append(
                MeasuredLatency(
                    timing.p50_ms, timing.p95_ms, runtime.package, runtime.delegate, count
                )
            )
    return [tuple(own) for own in timed]


def _measure(
    answered: Predictions,
    dataset: Dataset,
    split: Split,
    reference: NDArray[np.int64],
    latencies: tuple[MeasuredLatency, ...],
) -> Metrics:
    variant, scores = answered.variant, answered.test
    truth, said = dataset.labels[split.test], scores.argmax(1)
    confusion = np.zeros((len(dataset.classes),) * 2, np.int64)
    np.add.at(confusion, (truth, said), 1)
    trusted = reliability(scores, truth)
    return Metrics(
        name=variant.name,
        scores=scores,
        accuracy=float((said == truth).mean()),
        interval=wilson_interval(int((said == truth).sum()), len(truth)),
        agreement=float((said == reference).mean()),
        validation_accuracy=float(
            (answered.validation.argmax(1) == dataset.labels[split.validation]).mean()
        ),
        log_loss=trusted.log_loss,
        ece=trusted.ece,
        per_class=_per_class(truth, said, dataset.classes),
        confusion=confusion,
        bytes=len(variant.content),
        gzip_bytes=len(gzip.compress(variant.content, mtime=0)),
        latencies=latencies,
        figures=model_cost(tflite.parse(variant.content, variant.name)),
        edgetpu=check(variant.content, variant.name).to_dict(),
        threshold=answered.threshold,
    )


def _per_class(
    truth: NDArray[np.int64], said: NDArray[np.int64], classes: Sequence[str]
) -> tuple[ClassMetrics, ...]:
    from sklearn.metrics import precision_recall_fscore_support

    rows = np.stack(
        precision_recall_fscore_support(
            truth, said, labels=np.arange(len(classes)), zero_division=0
        ),
        axis=1,
    )
    return tuple(
        ClassMetrics(label, float(precision), float(recall), float(f1), int(support))
        for label, (precision, recall, f1, support) in zip(classes, rows, strict=True)
    )


def _worst_layers(
    variant: Variant, reference: Variant, dataset: Dataset, split: Split
) -> tuple[tuple[str, float], ...]:
    """Those of ``variant`` that are furthest from the same network in float32."""
    same = reference.content if variant.model is None else quantize.to_float32(variant.model)
    step = math.ceil(len(split.test) / _IMAGES_PER_LAYER_CHECK)
    pixels = np.asarray(dataset.pixels[split.test[::step]])
    layers = layer_noise(same, variant.content, pixels, dataset.preprocessing)
    worst = sorted(layers, key=lambda layer: layer.snr_db)[:NAMED]
    return tuple((layer.layer, layer.snr_db) for layer in worst if math.isfinite(layer.snr_db))
