"""Verify: measure the TFLite files themselves on the untouched test side."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
class Verdict:
    """Whether int8 keeps what float32 had.

    ``drop``: accuracy of float32 minus int8, in points (paired), with its 95 % ``interval``.
    ``status``: "pass", "warn" (the drop exceeds the limit, but its lower bound does not) or
    "fail". ``reason``: one sentence. ``classes``: those that lose most; ``layers``: those whose
    int8 output is furthest from float32 (name, signal-to-noise in dB), worst first.
    """

    status: str
    reason: str
    max_drop: float
    drop: float
    interval: tuple[float, float]
    classes: tuple[str, ...] = ()
    layers: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Verified:
    """All variants, measured alike, and the verdict."""

    variants: tuple[Measured, ...]
    verdict: Verdict
