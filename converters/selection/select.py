"""The choice: which of the measured variants becomes model.tflite.

Accuracy here is that of the test side, the figure that the report shows. The best of several
variants looks a little better on the images it was chosen by than it will be on others; the
intervals in the report say how much that can be.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from converters.selection.pareto import pareto_front
from converters.verification.metrics import Metrics
from edge.errors import UsageError, did_you_mean

TARGETS = ("cpu", "edgetpu", "all")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the model must keep to; None sets no limit.

    ``target``: "cpu" takes any file, "edgetpu" only what the Edge TPU is foreseen to take whole,
    "all" what both take. ``max_latency_ms``: median of one invoke on this computer's CPU, with
    as many threads as the interpreter takes by itself. ``max_size_kb``: of the file, 1 kB = 1000
    bytes. ``min_accuracy``: a share (0–1) of the test side.

    Raises:
        UsageError: a limit that nothing can keep to, or that says nothing about the target.
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
        """Whether there is a limit on time, size or accuracy."""
        return (self.max_latency_ms, self.max_size_kb, self.min_accuracy) != (None, None, None)


@dataclass(frozen=True, slots=True)
class LimitFailure:
    """A limit that a variant does not keep to, in the unit of the limit.

    ``limit`` is a field of :class:`Limits`, or "edgetpu": operations left on the CPU.
    ``excess``: by how much it is missed, as a share of what was wanted.
    """

    variant: str
    limit: str
    found: float
    wanted: float
    excess: float

    def sentence(self) -> str:
        """By how much it fails, in words."""
        found, wanted, short = self.found, self.wanted, abs(self.found - self.wanted)
        if self.limit == "max_latency_ms":
            return f"{found:.3g} ms, {short:.2g} ms over --max-latency {wanted:g}"
        if self.limit == "max_size_kb":
            return f"{found:,.0f} kB, {short:,.0f} kB over --max-size {wanted:g}"
        if self.limit == "min_accuracy":
            return (
                f"{100 * found:.1f} % accuracy, {100 * short:.1f} points below "
                f"--min-accuracy {wanted:g}"
            )
        return f"{found:.0f} operations predicted to run on the CPU instead of the Edge TPU"


@dataclass(frozen=True, slots=True)
class Selection:
    """The variant in model.tflite; ``met`` says whether it keeps to all limits.

    ``failures``: of every variant; ``pareto``: variants that no other beats in accuracy and time.
    """

    limits: Limits
    chosen: str
    met: bool
    reason: str
    failures: tuple[LimitFailure, ...]
    pareto: tuple[str, ...]


def select_variant(variants: Sequence[Metrics], limits: Limits, wanted: str) -> Selection:
    """The best variant within ``limits``; where there is none, the one that comes nearest.

    With limits, it is the most accurate; with a least accuracy alone, the quickest that reaches
    it. Equals are told apart by time, then by size. Without limits it is ``wanted``.

    Args:
        variants: at least one, measured alike.
        limits: to keep to.
        wanted: the variant that is taken without limits.
    """
    failures = {m.name: _failures(m, limits) for m in variants}
    fitting = [m for m in variants if not failures[m.name]]
    if not fitting:
        chosen = min(variants, key=lambda m: _distance(failures[m.name]))
        missed = "; ".join(failure.sentence() for failure in failures[chosen.name])
        reason = f"no variant meets the limits; {chosen.name} comes closest, with {missed}"
    elif not limits.set and wanted in (m.name for m in fitting):
        chosen = next(m for m in fitting if m.name == wanted)
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
        failures=tuple(failure for m in variants for failure in failures[m.name]),
        pareto=pareto(variants),
    )


def pareto(variants: Sequence[Metrics]) -> tuple[str, ...]:
    """Those that no other is at least as accurate and as quick as, and better in one of both."""
    best = pareto_front([(m.accuracy, m.latency.p50_ms) for m in variants])
    return tuple(m.name for m, on in zip(variants, best, strict=True) if on)


def _rank(limits: Limits) -> tuple[Callable[[Metrics], Any], str]:
    """The order of preference, the best first, and what the first one is called."""
    accuracy_alone = limits.max_latency_ms is None and limits.max_size_kb is None
    if limits.min_accuracy is not None and accuracy_alone:
        return lambda m: (m.latency.p50_ms, -m.accuracy, m.bytes), "fastest"
    return lambda m: (-m.accuracy, m.latency.p50_ms, m.bytes), "most accurate"


def _failures(measured: Metrics, limits: Limits) -> tuple[LimitFailure, ...]:
    upper = (
        ("max_latency_ms", measured.latency.p50_ms, limits.max_latency_ms),
        ("max_size_kb", measured.bytes / 1000, limits.max_size_kb),
    )
    failures = [
        LimitFailure(measured.name, limit, found, wanted, found / wanted - 1)
        for limit, found, wanted in upper
        if wanted is not None and found > wanted
    ]
    least = limits.min_accuracy
    if least is not None and measured.accuracy < least:
        found = measured.accuracy
        failures.append(
            LimitFailure(measured.name, "min_accuracy", found, least, 1 - found / least)
        )
    if limits.target != "cpu" and measured.edgetpu["status"] != "full":
        left = sum(measured.edgetpu["cpu"].values())
        share = left / max(1, left + measured.edgetpu["mapped"])
        failures.append(LimitFailure(measured.name, "edgetpu", left, 0, share))
    return tuple(failures)


def _distance(failures: Sequence[LimitFailure]) -> tuple[int, float]:
    return len(failures), sum(failure.excess for failure in failures)


def _as_share(percent: float) -> str:
    if 1 < percent <= 100:
        return f"use --min-accuracy {percent / 100:g} for {percent:g} %"
    return "use a fraction such as 0.95"
