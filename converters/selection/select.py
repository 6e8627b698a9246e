"""Selection of the variant that becomes model.tflite, and the Pareto front.

Accuracy here is the metric of the task on the test split, the figure that the report shows. The
best of several variants looks a little better on the images it was selected by than it will be on
others; the intervals in the report show how large that bias can be.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.errors import UsageError, did_you_mean
from edge.quantities import counted

if TYPE_CHECKING:  # "edge compare" needs the Pareto front, and no OpenCV
    from converters.verification.evaluate import EvaluatedVariant
    from converters.verification.quality import QualityMetric


def pareto_front(points: Sequence[tuple[float, float]]) -> tuple[bool, ...]:
    """Mark each (accuracy, latency) that no other beats.

    A point is beaten by one that is as accurate and as fast, and better in one of both; so equal
    points are both on the front.

    >>> pareto_front([(0.9, 5.0), (0.9, 4.0), (0.8, 4.0), (0.8, 1.0)])
    (False, True, False, True)
    """
    return tuple(not any(_beats(other, point) for other in points) for point in points)


def _beats(point: tuple[float, float], other: tuple[float, float]) -> bool:
    return point != other and point[0] >= other[0] and point[1] <= other[1]


TARGETS = ("cpu", "edgetpu", "all")


@dataclass(frozen=True, slots=True)
class Limits:
    """Requirements on the model; None sets no limit.

    ``target``: "cpu" accepts any file, "edgetpu" only one that is predicted to run on the Edge TPU
    completely, "all" one that runs on both. ``max_latency_ms``: median of one inference on this
    computer's CPU, with the interpreter's own number of threads. ``max_size_kb``: of the file,
    1 kB = 1000 bytes. ``min_quality``: of the task's metric (0–1) on the test split, required by
    ``min_option``.

    Raises:
        UsageError: a limit that no file can meet, or that does not fit the target.
    """

    target: str = "cpu"
    max_latency_ms: float | None = None
    max_size_kb: float | None = None
    min_quality: float | None = None
    min_option: str = "--min-accuracy"

    def __post_init__(self) -> None:
        if self.target not in TARGETS:
            raise UsageError(
                f"--target to be {'|'.join(TARGETS)}",
                f"'{self.target}'",
                did_you_mean(self.target, TARGETS, f"use --target {TARGETS[0]}"),
                code="unknown-option-value",
            )
        for option, value in (
            ("--max-latency", self.max_latency_ms), ("--max-size", self.max_size_kb),
        ):  # fmt: skip
            if value is not None and not 0 < value < float("inf"):
                raise UsageError(
                    f"{option} to be above 0",
                    f"{value:g}",
                    "give the limit of your device",
                    code="option-out-of-range",
                )
        if self.min_quality is not None and not 0 <= self.min_quality <= 1:
            raise UsageError(
                f"{self.min_option} to be from 0 to 1",
                f"{self.min_quality:g}",
                self._as_share(self.min_quality),
                code="option-out-of-range",
            )
        if self.max_latency_ms is not None and self.target == "edgetpu":
            raise UsageError(
                "a limit that can be measured on this computer",
                "--max-latency with --target edgetpu, but no Edge TPU to measure on",
                "remove --max-latency, or use --target all to limit the latency on this CPU",
                code="conflicting-options",
            )

    @property
    def set(self) -> bool:
        """True if there is a limit on latency, size or quality."""
        return (self.max_latency_ms, self.max_size_kb, self.min_quality) != (None, None, None)

    def check_metric(self, metric: "QualityMetric") -> None:
        """Check that the minimum is one of this metric.

        Raises:
            UsageError: it is of another task's.
        """
        if self.min_quality is not None and self.min_option != metric.option:
            raise UsageError(
                f"{metric.option}, for {metric.name}",
                self.min_option,
                f"use {metric.option} {self.min_quality:g}",
                code="option-for-another-task",
            )

    def _as_share(self, percent: float) -> str:
        if 1 < percent <= 100:
            return f"use {self.min_option} {percent / 100:g} for {percent:g} %"
        return "use a fraction such as 0.95"


@dataclass(frozen=True, slots=True)
class LimitFailure:
    """A limit that a variant does not meet, in the unit of the limit.

    ``limit``: "max_latency_ms", "max_size_kb", "min_" with the key of the metric, or "edgetpu":
    operations left on the CPU. ``actual``: the variant's own figure; ``required``: the limit;
    ``excess``: their distance, as a share of the limit; ``words``: by how much it fails.
    """

    variant: str
    limit: str
    actual: float
    required: float
    excess: float
    words: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The variant in model.tflite; ``met``: whether it is within all limits.

    ``failures``: of every variant; ``pareto``: the variants that no other beats in accuracy and
    latency.
    """

    limits: Limits
    chosen: str
    met: bool
    reason: str
    failures: tuple[LimitFailure, ...]
    pareto: tuple[str, ...]


def select_variant(
    variants: "Sequence[EvaluatedVariant]", limits: Limits, preferred: str
) -> Selection:
    """Select the best variant within ``limits``, or the closest one if there is none.

    With limits, it is the most accurate; with a minimum accuracy alone, the fastest that reaches
    it. Ties are broken by latency, then by size. Without limits it is ``preferred``.

    Args:
        variants: at least one.
        limits: the requirements.
        preferred: name of the variant that is selected without limits.
    """
    failures = {evaluated.name: _failures(evaluated, limits) for evaluated in variants}
    fitting = [evaluated for evaluated in variants if not failures[evaluated.name]]
    if not fitting:
        chosen = min(variants, key=lambda evaluated: _distance(failures[evaluated.name]))
        missed = "; ".join(failure.words for failure in failures[chosen.name])
        reason = f"no variant meets the limits; {chosen.name} comes closest, with {missed}"
    elif not limits.set and preferred in (evaluated.name for evaluated in fitting):
        chosen = next(evaluated for evaluated in fitting if evaluated.name == preferred)
        reason = f"{chosen.name} was requested"
    else:
        rank, praise = _rank(limits)
        chosen = min(fitting, key=rank)
        if fitting[1:]:
            rank_among = f"the {praise} of the {len(fitting)} variants that meet the limits"
        else:
            rank_among = "the only variant that meets the limits"
        reason = f"{chosen.name} is {rank_among}"
    return Selection(
        limits=limits,
        chosen=chosen.name,
        met=bool(fitting),
        reason=reason,
        failures=tuple(failure for several in failures.values() for failure in several),
        pareto=pareto(variants),
    )


def pareto(variants: "Sequence[EvaluatedVariant]") -> tuple[str, ...]:
    """Name the variants that no other beats in accuracy and latency."""
    points = [(v.metrics.quality.value, v.metrics.latency.p50_ms) for v in variants]
    best = pareto_front(points)
    return tuple(v.name for v, on_front in zip(variants, best, strict=True) if on_front)


def _rank(limits: Limits) -> "tuple[Callable[[EvaluatedVariant], Any], str]":
    """Return the order of preference, best first, and an adjective for the best."""

    def fastest(evaluated: "EvaluatedVariant") -> tuple[float, float, int]:
        metrics = evaluated.metrics
        return metrics.latency.p50_ms, -metrics.quality.value, metrics.bytes

    def most_accurate(evaluated: "EvaluatedVariant") -> tuple[float, float, int]:
        metrics = evaluated.metrics
        return -metrics.quality.value, metrics.latency.p50_ms, metrics.bytes

    quality_alone = limits.max_latency_ms is None and limits.max_size_kb is None
    if limits.min_quality is not None and quality_alone:
        return fastest, "fastest"
    return most_accurate, "most accurate"


def _failures(evaluated: "EvaluatedVariant", limits: Limits) -> tuple[LimitFailure, ...]:
    failures = (
        _too_slow(evaluated, limits.max_latency_ms),
        _too_large(evaluated, limits.max_size_kb),
        _too_poor(evaluated, limits.min_quality),
        None if limits.target == "cpu" else _on_cpu(evaluated),
    )
    return tuple(failure for failure in failures if failure is not None)


def _too_slow(evaluated: "EvaluatedVariant", maximum: float | None) -> LimitFailure | None:
    ms = evaluated.metrics.latency.p50_ms
    if maximum is None or ms <= maximum:
        return None
    words = f"{ms:.3g} ms, {ms - maximum:.2g} ms over --max-latency {maximum:g}"
    return LimitFailure(evaluated.name, "max_latency_ms", ms, maximum, ms / maximum - 1, words)


def _too_large(evaluated: "EvaluatedVariant", maximum: float | None) -> LimitFailure | None:
    size = evaluated.metrics.bytes / 1000
    if maximum is None or size <= maximum:
        return None
    words = f"{size:,.0f} kB, {size - maximum:,.0f} kB over --max-size {maximum:g}"
    return LimitFailure(evaluated.name, "max_size_kb", size, maximum, size / maximum - 1, words)


def _too_poor(evaluated: "EvaluatedVariant", minimum: float | None) -> LimitFailure | None:
    quality = evaluated.metrics.quality
    value, metric = quality.value, quality.metric
    if minimum is None or value >= minimum:
        return None
    words = (
        f"{100 * value:.1f} % {metric.name}, {100 * (minimum - value):.1f} points below "
        f"{metric.option} {minimum:g}"
    )
    limit = f"min_{metric.key}"
    return LimitFailure(evaluated.name, limit, value, minimum, 1 - value / minimum, words)


def _on_cpu(evaluated: "EvaluatedVariant") -> LimitFailure | None:
    prediction = evaluated.metrics.edgetpu
    if prediction["status"] == "full":
        return None
    left = sum(prediction["cpu"].values())
    share = left / max(1, left + prediction["mapped"])
    words = f"{counted(left, 'operation')} predicted to run on the CPU instead of the Edge TPU"
    return LimitFailure(evaluated.name, "edgetpu", left, 0, share, words)


def _distance(failures: Sequence[LimitFailure]) -> tuple[int, float]:
    return len(failures), sum(failure.excess for failure in failures)
