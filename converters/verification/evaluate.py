"""Evaluation of model files: predictions, metrics, latency, verdicts."""

import gzip
import math
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boards.profile import PublishedLatency
from converters import tflite as quantize
from converters.dataset.audit import Dataset
from converters.dataset.split import Indices, Split
from converters.edgetpu.prediction import check
from converters.progress import Progress
from converters.tflite import Variant
from converters.verification.calibration import Reliability, ScoreThreshold, reliability
from converters.verification.intervals import wilson_interval
from converters.verification.layers import layer_noise
from converters.verification.sanity import check_finite, check_informative
from converters.verification.verdict import MAX_NAMED, Verdict, judge_loss, no_loss
from edge import benchmark
from edge.interpreter import load
from edge.modelfile import tflite
from edge.modelfile.operations import ModelCost, model_cost
from edge.tasks.classify.classifier import Classifier
from edge.terminal import suppress_native_stderr


@dataclass(frozen=True, slots=True)
class ClassMetrics:
    """Precision, recall and F1 of one class on the test split (0-1; 0 where undefined)."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class MeasuredLatency:
    """Latency of one inference in milliseconds, and the interpreter that ran it.

    ``noisy``: see :class:`edge.benchmark.InvokeTiming`.
    """

    p50_ms: float
    p95_ms: float
    interpreter: str
    delegate: str
    threads: int
    noisy: bool = False


@dataclass(frozen=True, slots=True)
class LatencyEstimate:
    """Latency of one inference on a board in milliseconds: the likeliest, and its range.

    ``runs_on``: "cpu" or "edgetpu"; ``published``: the latencies that it is estimated from.
    """

    ms: float
    low_ms: float
    high_ms: float
    runs_on: str
    published: tuple[PublishedLatency, ...]


@dataclass(frozen=True, slots=True)
class Predictions:
    """A file and its scores, float32 [n, classes], dequantized, aligned with each split.

    ``threshold``: the lowest score that is accepted, as stored in the file's metadata.
    """

    variant: Variant
    validation: NDArray[np.float32]
    test: NDArray[np.float32]
    threshold: ScoreThreshold | None = None


@dataclass(frozen=True, slots=True)
class Metrics:
    """Everything measured of one variant.

    ``confusion``: int64 [classes, classes], rows are the true class; ``agreement``: share of test
    images with the top-1 of float32; ``interval``: 95 % interval of the accuracy;
    ``validation_accuracy``: on the validation split. ``log_loss`` (in nats) and ``ece`` are of the
    test split. ``latencies``: by rising thread count, that of the interpreter's own choice last.
    ``edgetpu``: the predicted mapping to the Edge TPU, as ``Prediction.to_dict`` of
    :mod:`converters.edgetpu.prediction` gives it.
    """

    accuracy: float
    interval: tuple[float, float]
    agreement: float
    validation_accuracy: float
    log_loss: float
    ece: float
    per_class: tuple[ClassMetrics, ...]
    confusion: NDArray[np.int64]
    bytes: int
    gzip_bytes: int
    latencies: tuple[MeasuredLatency, ...]
    cost: ModelCost
    edgetpu: Mapping[str, Any]

    @property
    def latency(self) -> MeasuredLatency:
        """The latency with the interpreter's own number of threads."""
        return self.latencies[-1]


@dataclass(frozen=True, slots=True)
class EvaluatedVariant:
    """A variant with everything that is known about it.

    ``gain``: a sentence where a recipe gained nothing; ``estimate``: its latency on the board
    that the conversion is for, None without a board or without a comparable published latency.
    """

    predictions: Predictions
    metrics: Metrics
    gain: str | None = None
    estimate: LatencyEstimate | None = None

    @property
    def variant(self) -> Variant:
        """The file."""
        return self.predictions.variant

    @property
    def name(self) -> str:
        """The name of the variant, unique within a conversion."""
        return self.predictions.variant.name

    @property
    def threshold(self) -> ScoreThreshold | None:
        """The lowest score that is accepted, where a precision was required."""
        return self.predictions.threshold


@dataclass(frozen=True, slots=True)
class ScoreCalibration:
    """Reliability of the float32 scores before and after the division by ``temperature``."""

    temperature: float
    validation: tuple[Reliability, Reliability]
    test: tuple[Reliability, Reliability]


REFERENCE = "float32"
_THREADS = (1, 2, 4)
_IMAGES_PER_LAYER_CHECK = 16


def predict(variant: Variant, dataset: Dataset, split: Split, progress: Progress) -> Predictions:
    """Run a file on the validation and the test split; see :func:`score`."""
    both = np.concatenate([split.validation, split.test])
    scores = score(variant, dataset, both, "validation and test split", progress)
    validation, test = np.split(scores, [len(split.validation)])
    return Predictions(variant, validation, test)


def score(
    variant: Variant, dataset: Dataset, indices: Indices, where: str, progress: Progress
) -> NDArray[np.float32]:
    """Run a file on the images at ``indices`` with the interpreter that the board uses.

    Returns:
        The scores, float32 [n, classes], dequantized.

    Raises:
        ConversionError: they are not finite.
        EdgeError: it does not run.
    """
    own = threading.local()  # an interpreter belongs to one thread

    def one(index: int) -> NDArray[np.float32]:
        if not hasattr(own, "model"):
            with suppress_native_stderr():  # the interpreter announces its delegate
                own.model = Classifier.from_bytes(
                    variant.content, name=f"{variant.name}.tflite", threads=1, trusted=True
                )
        scores: NDArray[np.float32] = own.model.scores(np.asarray(dataset.pixels[index]))
        return scores

    pool = ThreadPoolExecutor(min(max(_THREADS), os.cpu_count() or 1))
    try:
        label = f"evaluating {variant.name} on the {where}"
        scores = np.stack(list(progress.track(pool.map(one, indices), len(indices), label)))
    finally:
        pool.shutdown(cancel_futures=True)  # on Ctrl-C the rest is not waited for
    check_finite(variant.name, scores)
    return scores


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

    def evaluated(scored: Predictions, timed: tuple[MeasuredLatency, ...]) -> EvaluatedVariant:
        return EvaluatedVariant(
            scored, _metrics(scored, dataset, split, reference.argmax(1), timed)
        )

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # compressing takes longest
        return tuple(pool.map(evaluated, predictions, latencies))


def verdict_on(
    chosen: Predictions,
    reference: Predictions,
    dataset: Dataset,
    split: Split,
    max_drop: float,
) -> Verdict:
    """Judge how much accuracy ``chosen`` loses to the ``reference``, float32, on the test split.

    ``max_drop``: points of accuracy that may be lost. If more are lost, be it by chance, the
    verdict names the layers that quantization hurt most.

    Raises:
        ConversionError: the scores of ``chosen`` are the same for every image, or saturated.
    """
    check_informative(chosen.variant.name, chosen.test)
    truth, classes = dataset.labels[split.test], dataset.classes
    right = [scored.test.argmax(1) == truth for scored in (reference, chosen)]
    name = chosen.variant.name
    if name == reference.variant.name:
        return no_loss(name, max_drop)
    verdict = judge_loss(name, right[0], right[1], truth, classes, max_drop)
    if verdict.drop <= max_drop:
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
    with progress.working("timing"), suppress_native_stderr():
        runtimes = [
            [
                load(
                    v.content, name=f"{v.name}.tflite", delegate="cpu", threads=count, trusted=True
                )
                for count in threads
            ]
            for v in variants
        ]
        timings = benchmark.measure_in_turns(runtimes)
    return [
        tuple(
            MeasuredLatency(
                timing.p50_ms, timing.p95_ms, runtime.package, runtime.delegate, count, timing.noisy
            )
            for count, runtime, timing in zip(threads, own, timed, strict=True)
        )
        for own, timed in zip(runtimes, timings, strict=True)
    ]


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
    count = len(classes)
    correct = np.bincount(truth[truth == predicted], minlength=count)
    support, named = (np.bincount(labels, minlength=count) for labels in (truth, predicted))
    rows = zip(
        correct / np.maximum(named, 1),
        correct / np.maximum(support, 1),
        2 * correct / np.maximum(support + named, 1),
        support,
        strict=True,
    )
    return tuple(
        ClassMetrics(label, float(precision), float(recall), float(f1), int(images))
        for label, (precision, recall, f1, images) in zip(classes, rows, strict=True)
    )


def _worst_layers(
    variant: Variant, reference: Variant, dataset: Dataset, split: Split
) -> tuple[tuple[str, float], ...]:
    """Find the layers of ``variant`` that differ most from the same network in float32."""
    same = reference.content if variant.model is None else quantize.to_float32(variant.model)
    step = math.ceil(len(split.test) / _IMAGES_PER_LAYER_CHECK)
    pixels = np.asarray(dataset.pixels[split.test[::step]])
    layers = layer_noise(same, variant.content, pixels, dataset.preprocessing)
    worst = sorted(layers, key=lambda layer: layer.snr_db)[:MAX_NAMED]
    return tuple((layer.layer, layer.snr_db) for layer in worst if math.isfinite(layer.snr_db))
