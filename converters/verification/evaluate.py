"""Evaluate the TFLite files themselves, on images that no weight has seen."""

import gzip
import math
import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from converters import tflite as quantize
from converters.dataset.audit import Dataset
from converters.dataset.split import Indices, Split
from converters.edgetpu.prediction import check
from converters.progress import Progress
from converters.tflite import Variant
from converters.verification.calibration import reliability
from converters.verification.layers import layer_noise
from converters.verification.metrics import (
    ClassMetrics,
    EvaluatedVariant,
    MeasuredLatency,
    Metrics,
    Predictions,
)
from converters.verification.statistics import wilson_interval
from converters.verification.verdict import NAMED, Verdict, check_finite, check_informative, judge
from edge import benchmark
from edge.interpreter import load
from edge.modelfile import tflite
from edge.modelfile.cost import model_cost
from edge.tasks.classify.classifier import Classifier
from edge.terminal.native_stderr import suppress_native_stderr

REFERENCE = "float32"
_THREADS = (1, 2, 4)
_IMAGES_PER_LAYER_CHECK = 16


def predict(variant: Variant, dataset: Dataset, split: Split, progress: Progress) -> Predictions:
    """Run a file on the validation and the test split with the interpreter that the board uses.

    Raises:
        ConversionError: its scores are not finite.
        EdgeError: it does not run.
    """
    with suppress_native_stderr():  # the interpreter announces its delegate
        model = Classifier.from_bytes(variant.content, name=f"{variant.name}.tflite")

    def scores(subset: Indices, name: str) -> NDArray[np.float32]:
        label = f"evaluating {variant.name} on the {name} split"
        steps = progress.track(subset, len(subset), label)
        return np.stack([model.scores(np.asarray(dataset.pixels[index])) for index in steps])

    predictions = Predictions(
        variant, scores(split.validation, "validation"), scores(split.test, "test")
    )
    check_finite(variant.name, predictions.test)
    return predictions


def measure(
    predictions: Sequence[Predictions],
    dataset: Dataset,
    split: Split,
    reference: NDArray[np.float32],
    progress: Progress,
    *,
    threads: Sequence[int] | None = None,
) -> tuple[EvaluatedVariant, ...]:
    """Measure files, each in the same way, in the order given.

    Args:
        predictions: the files with their scores.
        dataset: the truth.
        split: of ``dataset``.
        reference: scores of float32 on the test split, [n, classes].
        progress: shows how far it is.
        threads: numbers of threads to time with, rising; by default 1, 2 and 4 as far as the
            computer has cores, up to the interpreter's own choice.

    Raises:
        EdgeError: a file does not run.
    """
    # Timed when nothing else runs in this process.
    latencies = _latencies([p.variant for p in predictions], threads or own_threads(), progress)
    return tuple(
        EvaluatedVariant(scored, _metrics(scored, dataset, split, reference.argmax(1), timed))
        for scored, timed in zip(predictions, latencies, strict=True)
    )


def verdict_on(
    chosen: Predictions,
    reference: Predictions,
    dataset: Dataset,
    split: Split,
    max_drop: float,
) -> Verdict:
    """Judge whether ``chosen`` keeps the accuracy of the ``reference``, float32, on the test split.

    ``max_drop``: points of accuracy that may be lost. If more are lost, the verdict names the
    layers that quantization hurt most.

    Raises:
        ConversionError: the scores of ``chosen`` are the same for every image, or saturated.
    """
    check_informative(chosen.variant.name, chosen.test)
    truth, classes = dataset.labels[split.test], dataset.classes
    right = [scored.test.argmax(1) == truth for scored in (reference, chosen)]
    name = chosen.variant.name
    if name == reference.variant.name:
        reason = f"{name} is the reference for the other variants"
        return Verdict(name, "pass", reason, max_drop, 0.0, (0.0, 0.0))
    verdict = judge(name, right[0], right[1], truth, classes, max_drop)
    if verdict.status == "pass":
        return verdict
    return replace(verdict, layers=_worst_layers(chosen.variant, reference.variant, dataset, split))


def own_threads() -> tuple[int, ...]:
    """Return 1, 2 and 4 as far as there are cores; the last is the interpreter's own choice."""
    own = min(max(_THREADS), os.cpu_count() or 1)
    return tuple(sorted({own, *(count for count in _THREADS if count < own)}))


def _latencies(
    variants: Sequence[Variant], threads: Sequence[int], progress: Progress
) -> list[tuple[MeasuredLatency, ...]]:
    """Time each variant with each number of threads; one tuple per variant."""
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


def _metrics(
    predictions: Predictions,
    dataset: Dataset,
    split: Split,
    reference: NDArray[np.int64],
    latencies: tuple[MeasuredLatency, ...],
) -> Metrics:
    variant, scores = predictions.variant, predictions.test
    truth, predicted = dataset.labels[split.test], scores.argmax(1)
    confusion = np.zeros((len(dataset.classes),) * 2, np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    trust = reliability(scores, truth)
    return Metrics(
        accuracy=float((predicted == truth).mean()),
        interval=wilson_interval(int((predicted == truth).sum()), len(truth)),
        agreement=float((predicted == reference).mean()),
        validation_accuracy=float(
            (predictions.validation.argmax(1) == dataset.labels[split.validation]).mean()
        ),
        log_loss=trust.log_loss,
        ece=trust.ece,
        per_class=_per_class(truth, predicted, dataset.classes),
        confusion=confusion,
        bytes=len(variant.content),
        gzip_bytes=len(gzip.compress(variant.content, mtime=0)),
        latencies=latencies,
        cost=model_cost(tflite.parse(variant.content, variant.name)),
        edgetpu=check(variant.content, variant.name).to_dict(),
    )


def _per_class(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: Sequence[str]
) -> tuple[ClassMetrics, ...]:
    from sklearn.metrics import precision_recall_fscore_support

    rows = np.stack(
        precision_recall_fscore_support(
            truth, predicted, labels=np.arange(len(classes)), zero_division=0
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
    """Find the layers of ``variant`` that differ most from the same network in float32."""
    same = reference.content if variant.model is None else quantize.to_float32(variant.model)
    step = math.ceil(len(split.test) / _IMAGES_PER_LAYER_CHECK)
    pixels = np.asarray(dataset.pixels[split.test[::step]])
    layers = layer_noise(same, variant.content, pixels, dataset.preprocessing)
    worst = sorted(layers, key=lambda layer: layer.snr_db)[:NAMED]
    return tuple((layer.layer, layer.snr_db) for layer in worst if math.isfinite(layer.snr_db))
