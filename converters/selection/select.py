"""Selection of the variant that becomes model.tflite, and the Pareto front.

Accuracy here is that of the test split, the figure that the report shows. The best of several
variants looks a little better on the images it was selected by than it will be on others; the
intervals in the report show how large that bias can be.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.errors import UsageError, did_you_mean
from edge.quantities import counted

if TYPE_CHECKING:  # "edge compare" needs the Pareto front, and no OpenCV
    from converters.verification.evaluate import EvaluatedVariant


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
    1 kB = 1000 bytes. ``min_accuracy``: a share (0–1) of the test split.

    Raises:
        UsageError: a limit that no file can meet, or that does not fit the target.
    """

    target: str = "cpu"
    max_latency_ms: float | None = None
    max_size_kb: float | None = None
    min_accuracy: float | None = None

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
        if self.min_accuracy is not None and not 0 <= self.min_accuracy <= 1:
            raise UsageError(
                "--min-accuracy to be from 0 to 1",
                f"{self.min_accuracy:g}",
                _as_share(self.min_accuracy),
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
        """True if there is a limit on latency, size or accuracy."""
        return (self.max_latency_ms, self.max_size_kb, self.min_accuracy) != (None, None, None)


@dataclass(frozen=True, slots=True)
class LimitFailure:
    """A limit that a variant does not meet, in the unit of the limit.

    ``limit`` is a field of :class:`Limits`, or "edgetpu": operations left on the CPU. ``actual``:
    the variant's own figure; ``required``: the limit; ``excess``: their distance, as a share of
    the limit.
    """

    variant: str
    limit: str
    actual: float
    required: float
    excess: float

    def sentence(self) -> str:
        """Say by how much the variant fails."""
        actual, required = self.actual, self.required
        distance = abs(actual - required)
        if self.limit == "max_latency_ms":
            return f"{actual:.3g} ms, {distance:.2g} ms over --max-latency {required:g}"
        if self.limit == "max_size_kb":
            return f"{actual:,.0f} kB, {distance:,.0f} kB over --max-size {required:g}"
        if self.limit == "min_accuracy":
            return (
                f"{100 * actual:.1f} % accuracy, {100 * distance:.1f} points below "
                f"--min-accuracy {required:g}"
            )
        left = counted(round(actual), "operation")
        return f"{left} predicted to run on the CPU instead of the Edge TPU"


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
        missed = "; ".join(failure.sentence() for failure in failures[chosen.name])
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
    points = [(v.metrics.accuracy, v.metrics.latency.p50_ms) for v in variants]
    best = pareto_front(points)
    return tuple(v.name for v, on_front in zip(variants, best, strict=True) if on_front)


def _rank(limits: Limits) -> "tuple[Callable[[EvaluatedVariant], Any], str]":
    """Return the order of preference, best first, and an adjective for the best."""

    def fastest(evaluated: "EvaluatedVariant") -> tuple[float, float, int]:
        metrics = evaluated.metrics
        return metrics.latency.p50_ms, -metrics.accuracy, metrics.bytes

    def most_accurate(evaluated: "EvaluatedVariant") -> tuple[float, float, int]:
        metrics = evaluated.metrics
        return -metrics.accuracy, metrics.latency.p50_ms, metrics.bytes

    accuracy_alone = limits.max_latency_ms is None and limits.max_size_kb is None
    if limits.min_accuracy is not None and accuracy_alone:
        return fastest, "fastest"
    return most_accurate, "most accurate"


def _failures(evaluated: "EvaluatedVariant", limits: Limits) -> tuple[LimitFailure, ...]:
    name, metrics = evaluated.name, evaluated.metrics
    upper = (
        ("max_latency_ms", metrics.latency.p50_ms, limits.max_latency_ms),
        ("max_size_kb", metrics.bytes / 1000, limits.max_size_kb),
    )
    failures = [
        LimitFailure(name, limit, actual, maximum, actual / maximum - 1)
        for limit, actual, maximum in upper
        if maximum is not None and actual > maximum
    ]
    minimum, accuracy = limits.min_accuracy, metrics.accuracy
    if minimum is not None and accuracy < minimum:
        failures.append(
            LimitFailure(name, "min_accuracy", accuracy, minimum, 1 - accuracy / minimum)
        )
    if limits.target != "cpu" and metrics.edgetpu["status"] != "full":
        left = sum(metrics.edgetpu["cpu"].values())
        share = left / max(1, left + metrics.edgetpu["mapped"])
        failures.append(LimitFailure(name, "edgetpu", left, 0, share))
    return tuple(failures)


def _distance(failures: Sequence[LimitFailure]) -> tuple[int, float]:
    return len(failures), sum(failure.excess for failure in failures)


def _as_share(percent: float) -> str:
    if 1 < percent <= 100:
        return f"use --min-accuracy {percent / 100:g} for {percent:g} %"
    return "use a fraction such as 0.95"
