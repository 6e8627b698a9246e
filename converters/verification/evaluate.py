"""Evaluation of model files: predictions, metrics, latency, verdicts."""

import gzip
import math
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from boards.profile import PublishedLatency
from converters import tflite as quantize
from converters.dataset.audit import Dataset
from converters.dataset.split import Indices, Split
from converters.edgetpu.prediction import check
from converters.progress import Progress
from converters.tflite import Variant
from converters.verification.calibration import Reliability, ScoreThreshold
from converters.verification.layers import layer_noise
from converters.verification.quality import PairedLoss, Quality
from converters.verification.verdict import MAX_NAMED, Verdict, judge_loss, no_loss
from edge import benchmark
from edge.interpreter import load
from edge.modelfile import tflite
from edge.modelfile.operations import ModelCost, model_cost
from edge.terminal import suppress_native_stderr


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
    """A file and what it predicts for the images of each split, in their order.

    ``validation`` and ``test`` are the task's own: of a classifier scores, float32 [n, classes],
    dequantized. ``threshold``: the lowest score that is accepted, as in the file's metadata.
    """

    variant: Variant
    validation: Any
    test: Any
    threshold: ScoreThreshold | None = None


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file tells without being run.

    ``bytes`` of it, and compressed; ``cost`` of an inference; ``edgetpu``: the predicted mapping
    to the Edge TPU, as ``Prediction.to_dict`` of :mod:`converters.edgetpu.prediction` gives it.
    """

    bytes: int
    gzip_bytes: int
    cost: ModelCost
    edgetpu: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Everything measured of one variant.

    ``quality`` of its predictions; ``latencies``: by rising thread count, that of the
    interpreter's own choice last; see :class:`FileFacts` for the others.
    """

    quality: Quality
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


Output = TypeVar("Output")

REFERENCE = "float32"
_THREADS = (1, 2, 4)
_IMAGES_PER_LAYER_CHECK = 16


def run_on_images(
    open_model: Callable[[], Callable[[NDArray[np.uint8]], Output]],
    dataset: Dataset,
    indices: Indices,
    words: str,
    progress: Progress,
) -> list[Output]:
    """Run a model on images in threads, with an interpreter in each.

    Args:
        open_model: opens the file with the interpreter that the board uses, with one thread, and
            returns what runs an image, uint8 RGB [h, w, 3].
        dataset: of the images.
        indices: int64 [n], of the images.
        words: what is done, for the progress.
        progress: shows the progress.

    Returns:
        What the model returned for each image, in the order of ``indices``.
    """
    own = threading.local()  # an interpreter belongs to one thread

    def run(index: int) -> Output:
        if not hasattr(own, "model"):
            with suppress_native_stderr():  # the interpreter announces its delegate
                own.model = open_model()
        output: Output = own.model(np.asarray(dataset.pixels[index]))
        return output

    pool = ThreadPoolExecutor(min(max(_THREADS), os.cpu_count() or 1))
    try:
        return list(progress.track(pool.map(run, indices), len(indices), words))
    finally:
        pool.shutdown(cancel_futures=True)  # on Ctrl-C the rest is not waited for


def measure(
    predictions: Sequence[Predictions],
    qualities: Sequence[Quality],
    facts: Sequence[FileFacts],
    progress: Progress,
    *,
    threads: Sequence[int] | None = None,
) -> tuple[EvaluatedVariant, ...]:
    """Time files, each in the same way, in the order given, while nothing else runs here.

    Args:
        predictions: the files.
        qualities: of their predictions.
        facts: of them, see :func:`file_facts`.
        progress: shows how far it is.
        threads: numbers of threads to time with, rising; by default 1, 2 and 4 as far as the
            computer has cores, up to the interpreter's own choice.

    Raises:
        EdgeError: a file does not run.
    """
    latencies = _latencies([p.variant for p in predictions], threads or own_threads(), progress)
    return tuple(
        EvaluatedVariant(
            scored,
            Metrics(
                quality=quality,
                bytes=known.bytes,
                gzip_bytes=known.gzip_bytes,
                latencies=timed,
                cost=known.cost,
                edgetpu=known.edgetpu,
            ),
        )
        for scored, quality, known, timed in zip(
            predictions, qualities, facts, latencies, strict=True
        )
    )


def file_facts(variant: Variant) -> FileFacts:
    """Look at a file; compressing it takes longest, and lets other threads run."""
    return FileFacts(
        bytes=len(variant.content),
        gzip_bytes=len(gzip.compress(variant.content, mtime=0)),
        cost=model_cost(tflite.parse(variant.content, variant.name)),
        edgetpu=check(variant.content, variant.name).to_dict(),
    )


def verdict_on(
    chosen: Predictions,
    reference: Predictions,
    loss: PairedLoss,
    dataset: Dataset,
    split: Split,
    max_drop: float,
) -> Verdict:
    """Judge the ``loss`` of ``chosen`` against the ``reference``, float32, on the test split.

    ``max_drop``: points of the metric that may be lost. If more are lost, be it by chance, the
    verdict names the layers that quantization hurt most.
    """
    name = chosen.variant.name
    if name == reference.variant.name:
        return no_loss(name, max_drop)
    verdict = judge_loss(name, loss, max_drop)
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
