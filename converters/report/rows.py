"""The variants of a result as rows: what the page and ``edge compare`` set side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from converters.report.formatting import number
from edge.terminal.text import printable

BASELINE = "int8"
"""The variant that others are held against."""


@dataclass(frozen=True, slots=True)
class VariantTiming:
    """Milliseconds of one invoke, and what ran it."""

    threads: int
    p50_ms: float
    p95_ms: float
    interpreter: str
    delegate: str

    def runner(self) -> str:
        """What ran it, in words."""
        return f"{self.interpreter}, {self.delegate}, {number(self.threads, 'thread')}"


@dataclass(frozen=True, slots=True)
class EdgeTpuSummary:
    """The predicted fate of a file: ``status`` full, partly or none; operations on either side."""

    status: str
    mapped: int
    on_cpu: int


@dataclass(frozen=True, slots=True)
class UnknownSummary:
    """Scores below ``score`` (0–1) mean "unknown"; ``coverage``: share (0–1) above it."""

    score: float
    coverage: float


@dataclass(frozen=True, slots=True)
class VariantRow:
    """One variant. Shares are 0–1; None stands for a figure that the record does not have.

    ``timing``: the one that is compared and drawn; ``timings``: per thread count, rising, with
    ``timing`` among them; ``gain``: a sentence where the recipe gained nothing.
    """

    name: str
    accuracy: float
    interval: tuple[float, float]
    agreement: float
    bytes: int
    gzip_bytes: int
    timing: VariantTiming
    timings: tuple[VariantTiming, ...]
    sparsity: float | None = None
    multiply_adds: int | None = None
    edgetpu: EdgeTpuSummary | None = None
    unknown: UnknownSummary | None = None
    gain: str | None = None

    def on(self, threads: int) -> VariantTiming | None:
        """The timing with so many threads."""
        return next((timing for timing in self.timings if timing.threads == threads), None)


def rows(record: Mapping[str, Any]) -> tuple[VariantRow, ...]:
    """The variants of a record of schema 1 or 2, in its order.

    Raises:
        LookupError, TypeError, ValueError: the record is not as its schema says.
    """
    return tuple(_row(name, variant) for name, variant in record["variants"].items())


def _row(name: str, variant: Mapping[str, Any]) -> VariantRow:
    low, high = variant["accuracy_interval"]
    timing = VariantTiming(
        threads=int(variant["latency"]["threads"]),
        p50_ms=float(variant["p50_ms"]),
        p95_ms=float(variant["p95_ms"]),
        interpreter=printable(variant["latency"]["interpreter"]),
        delegate=printable(variant["latency"]["delegate"]),
    )
    others = [VariantTiming(**entry) for entry in variant.get("latencies", ())]
    timings = {entry.threads: entry for entry in (*others, timing)}
    return VariantRow(
        name=printable(name),
        accuracy=float(variant["accuracy"]),
        interval=(float(low), float(high)),
        agreement=float(variant["agreement"]),
        bytes=int(variant["bytes"]),
        gzip_bytes=int(variant["gzip_bytes"]),
        timing=timing,
        timings=tuple(timings[threads] for threads in sorted(timings)),
        sparsity=variant.get("sparsity"),
        multiply_adds=variant.get("multiply_adds"),
        edgetpu=_edgetpu(variant.get("edgetpu")),
        unknown=_unknown(variant.get("threshold")),
        gain=printable(variant["gain"]) if variant.get("gain") else None,
    )


def _edgetpu(prediction: Mapping[str, Any] | None) -> EdgeTpuSummary | None:
    if prediction is None:
        return None
    on_cpu = sum(prediction["cpu"].values())
    return EdgeTpuSummary(str(prediction["status"]), int(prediction["mapped"]), int(on_cpu))


def _unknown(threshold: Mapping[str, Any] | None) -> UnknownSummary | None:
    if threshold is None:
        return None
    return UnknownSummary(float(threshold["score"]), float(threshold["coverage"]))
