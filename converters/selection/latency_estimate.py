"""Latency on a board, estimated from latencies that others published for it.

A latency is divided by the multiply-adds of the network it was published of, and multiplied by
those of the file. Networks differ in how well they use a processor, so that the range is that of
all published latencies of the same kind (numbers, and what they run on); where there is one alone,
the range is as wide as such latencies lie apart on other boards.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from statistics import median

from boards import profile
from boards.profile import Profile, PublishedLatency
from converters.tflite import Variant
from converters.verification.evaluate import EvaluatedVariant, LatencyEstimate
from edge.modelfile import operations, tflite

ARCHITECTURE = "MobileNet v2 1.0 224"
"""The published network with our architecture: its latency is the best guide."""

RELATIVES = "MobileNet"
"""Part of the names of the next best guides, which have depthwise convolutions as well."""

ENOUGH = 2
"""Number of published latencies that give a range by themselves."""


def estimate_latencies(
    variants: Sequence[EvaluatedVariant], board: Profile, target: str
) -> tuple[EvaluatedVariant, ...]:
    """Add the latency on a board to every variant that it can be estimated of.

    Args:
        variants: evaluated, for how they are quantized, their multiply-adds, and the operations
            that the Edge TPU is predicted to run.
        board: with its accelerator.
        target: as chosen, see :class:`converters.selection.select.Limits`.
    """
    uses_edgetpu = board.run.delegate == "edgetpu" and target != "cpu"
    return tuple(
        replace(evaluated, estimate=_estimate(evaluated, board, uses_edgetpu))
        for evaluated in variants
    )


def estimate_latency(
    multiply_adds: float, dtype: str, runs_on: str, latencies: Sequence[PublishedLatency]
) -> LatencyEstimate | None:
    """Estimate the latency of a network of ``multiply_adds`` millions; None if none is published.

    On an Edge TPU, transferring images and scores takes time that does not shrink with the
    network: the range then reaches up to the fastest published network that is larger.
    """
    fitting = [known for known in latencies if (known.dtype, known.runs_on) == (dtype, runs_on)]
    if not fitting:
        return None
    low, high = _range(fitting)
    high_ms = high * multiply_adds
    if runs_on == "edgetpu":
        larger = [known.ms for known in fitting if _size(known) >= multiply_adds]
        high_ms = max(high_ms, min(larger, default=high_ms))
    return LatencyEstimate(
        ms=_likely(fitting) * multiply_adds,
        low_ms=low * multiply_adds,
        high_ms=high_ms,
        runs_on=runs_on,
        published=tuple(fitting),
    )


def _likely(fitting: Sequence[PublishedLatency]) -> float:
    """Return the milliseconds per million multiply-adds of the network nearest to ours."""
    same = [known for known in fitting if known.model == ARCHITECTURE]
    related = [known for known in fitting if RELATIVES in known.model]
    return median(map(_rate, same or related or fitting))


def _range(fitting: Sequence[PublishedLatency]) -> tuple[float, float]:
    """Return the minimum and the maximum milliseconds per million multiply-adds."""
    rates = [_rate(known) for known in fitting]
    if len(rates) >= ENOUGH:
        return min(rates), max(rates)
    low, high = latency_spread(fitting[0].dtype, fitting[0].runs_on)
    return low * rates[0], high * rates[0]


@cache
def latency_spread(dtype: str, runs_on: str) -> tuple[float, float]:
    """Return the spread of published latencies on one board, over all boards.

    Returns:
        the lowest and the highest milliseconds per multiply-add, as shares of the board's median.
    """
    shares: list[float] = []
    for name in (*profile.names(), *profile.accelerators()):
        rates: dict[str, list[float]] = {}
        for known in profile.find(name).latencies:
            if (known.dtype, known.runs_on) == (dtype, runs_on):
                rates.setdefault(known.bus, []).append(_rate(known))
        for several in rates.values():
            if len(several) >= ENOUGH:
                shares += [rate / median(several) for rate in several]
    return min(shares), max(shares)


def _rate(known: PublishedLatency) -> float:
    return known.ms / _size(known)


def _size(known: PublishedLatency) -> float:
    """Return the millions of multiply-adds of the network that was timed."""
    return profile.networks()[known.model].multiply_adds


def _estimate(
    evaluated: EvaluatedVariant, board: Profile, uses_edgetpu: bool
) -> LatencyEstimate | None:
    dtype = _dtype(evaluated.variant)
    mapping = evaluated.metrics.edgetpu["status"] if uses_edgetpu else "none"
    if dtype is None or mapping == "partly":  # nobody publishes the latency of a part
        return None
    runs_on = "edgetpu" if mapping == "full" else "cpu"
    multiply_adds = evaluated.metrics.cost.multiply_adds / 1e6
    return estimate_latency(multiply_adds, dtype, runs_on, board.latencies)


def _dtype(variant: Variant) -> str | None:
    """Return the type that it computes with, if latencies are published for it: int8 or float32."""
    types = operations.quantization(tflite.parse(variant.content, variant.name))
    if types["kind"].startswith("full integer"):
        return None if "int16" in types["activations"] else "int8"
    integers = {"int8", "uint8", "int16"} & (types["weights"].keys() | types["activations"].keys())
    return None if integers else "float32"
