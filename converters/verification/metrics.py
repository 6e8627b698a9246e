"""What is measured of a TFLite file, and how two states of the scores are held side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.verification.calibration import Reliability, ScoreThreshold
from converters.verification.verdict import Verdict
from edge.modelfile.cost import ModelCost


@dataclass(frozen=True, slots=True)
class ClassMetrics:
    """Precision, recall and F1 of one class on the test side (0–1; 0 where undefined)."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class MeasuredLatency:
    """Milliseconds of one invoke, with what ran it."""

    p50_ms: float
    p95_ms: float
    interpreter: str
    delegate: str
    threads: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """One variant, measured.

    ``scores``: float32 [n, classes], dequantized, aligned with ``Split.test``; ``confusion``:
    int64 [classes, classes], rows are the true class; ``agreement``: share of test images with
    the top-1 of float32; ``interval``: 95 % interval of the accuracy; ``validation_accuracy``:
    on the validation side. ``log_loss`` (in nats) and ``ece`` are of the test side.
    ``latencies``: by rising thread count, that of the interpreter's own choice last.
    ``edgetpu``: what the Edge TPU is foreseen to take, as ``Prediction.to_dict`` of
    :mod:`converters.edgetpu.prediction` gives it. ``threshold``: the least score that is an answer,
    where a precision was asked for. ``gain``: a sentence where a recipe gained nothing.
    """

    name: str
    scores: NDArray[np.float32]
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
    figures: ModelCost
    edgetpu: Mapping[str, Any]
    threshold: ScoreThreshold | None = None
    gain: str | None = None

    @property
    def latency(self) -> MeasuredLatency:
        """That with as many threads as the interpreter takes by itself."""
        return self.latencies[-1]


@dataclass(frozen=True, slots=True)
class ScoreCalibration:
    """The scores of float32 before and after ``temperature``, on both sides."""

    temperature: float
    validation: tuple[Reliability, Reliability]
    test: tuple[Reliability, Reliability]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All variants, measured alike, and the verdict on the chosen one."""

    variants: tuple[Metrics, ...]
    verdict: Verdict
