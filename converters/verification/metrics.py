"""Metrics of a TFLite file, and the record of an evaluated variant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boards.profile import PublishedLatency
from converters.tflite import Variant
from converters.verification.calibration import Reliability, ScoreThreshold
from edge.modelfile.cost import ModelCost


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
    """Latency of one inference in milliseconds, and the interpreter that ran it."""

    p50_ms: float
    p95_ms: float
    interpreter: str
    delegate: str
    threads: int


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
    """A variant with everything that is known of it.

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
