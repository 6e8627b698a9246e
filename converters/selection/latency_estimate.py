"""What files would take on a board, estimated from latencies that others published there.

A latency is divided by the multiply-adds of the network it was published of, and multiplied by
those of the file. Networks differ in how well they use a processor, so that the range is that of
all published latencies of the same kind (numbers, and what they run on); where there is one alone,
the range is as wide as such latencies lie apart on other boards.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from statistics import median
from typing import Any

from boards import profile
from boards.profile import Profile, PublishedLatency
from converters.tflite import Variant
from converters.verification.metrics import Metrics
from edge.modelfile import operations, tflite

ARCHITECTURE = "MobileNet v2 1.0 224"
"""The published network that is built as ours are: its latency is the likeliest guide."""

RELATIVES = "MobileNet"
"""In the names of the next likeliest guides, of depthwise convolutions as well."""

ENOUGH = 2
"""Published latencies that make a range of their own."""


@dataclass(frozen=True, slots=True)
class LatencyEstimate:
    """Milliseconds of one invoke: the likeliest, and the range.

    ``runs_on``: "cpu" or "edgetpu"; ``published``: what it is estimated from.
    """

    ms: float
    low_ms: float
    high_ms: float
    runs_on: str
    published: tuple[PublishedLatency, ...]


@dataclass(frozen=True, slots=True)
class BoardEstimate:
    """What was picked for a board; ``estimates``: of every variant, None where there is none."""

    board: Profile
    target: str
    size: int
    estimates: tuple[tuple[str, LatencyEstimate | None], ...]

    def to_dict(self) -> dict[str, Any]:
        """The section ``board`` of the record."""
        run = self.board.run
        return {
            "name": self.board.name,
            "title": self.board.title,
            "tried": self.board.tested,
            "target": self.target,
            "size": self.size,
            "threads": run.threads or None,
            "estimates": {
                name: None if one is None else _plain(one) for name, one in self.estimates
            },
        }


def estimate_latencies(
    board: Profile,
    target: str,
    size: int,
    variants: Sequence[Variant],
    measured: Sequence[Metrics],
) -> BoardEstimate:
    """Estimate all ``variants``; ``measured`` are the same in the same order.

    Args:
        board: with its accelerator.
        target: as chosen, see :class:`converters.selection.select.Limits`.
        size: side of the model's input, in pixels.
        variants: for how they are quantized.
        measured: for their multiply-adds, and what the Edge TPU takes of them.
    """
    uses_edgetpu = board.run.delegate == "edgetpu" and target != "cpu"
    return BoardEstimate(
        board,
        target,
        size,
        tuple(
            (variant.name, _of(variant, one, board, uses_edgetpu))
            for variant, one in zip(variants, measured, strict=True)
        ),
    )


def estimate_latency(
    multiply_adds: float, dtype: str, runs_on: str, latencies: Sequence[PublishedLatency]
) -> LatencyEstimate | None:
    """The latency of a network of ``multiply_adds`` millions; None where nothing is published.

    On an Edge TPU, giving in images and taking out scores takes time that does not shrink with
    the network: the range then reaches up to the quickest published network that is larger.
    """
    fitting = [one for one in latencies if (one.dtype, one.runs_on) == (dtype, runs_on)]
    if not fitting:
        return None
    low, high = _range(fitting)
    high_ms = high * multiply_adds
    if runs_on == "edgetpu":
        larger = [one.ms for one in fitting if _size(one) >= multiply_adds]
        high_ms = max(high_ms, min(larger, default=high_ms))
    return LatencyEstimate(
        ms=_likely(fitting) * multiply_adds,
        low_ms=low * multiply_adds,
        high_ms=high_ms,
        runs_on=runs_on,
        published=tuple(fitting),
    )


def _likely(fitting: Sequence[PublishedLatency]) -> float:
    """Milliseconds for a million multiply-adds of the network that is nearest to ours."""
    same = [one for one in fitting if one.model == ARCHITECTURE]
    related = [one for one in fitting if RELATIVES in one.model]
    return median(map(_rate, same or related or fitting))


def _range(fitting: Sequence[PublishedLatency]) -> tuple[float, float]:
    """The least and the most milliseconds for a million multiply-adds."""
    rates = [_rate(one) for one in fitting]
    if len(rates) >= ENOUGH:
        return min(rates), max(rates)
    low, high = latency_spread(fitting[0].dtype, fitting[0].runs_on)
    return low * rates[0], high * rates[0]


@cache
def latency_spread(dtype: str, runs_on: str) -> tuple[float, float]:
    """How far networks lie apart on a board that several were published of, over all boards: the
    lowest and the highest milliseconds for a multiply-add, as shares of the board's median."""
    shares: list[float] = []
    for name in (*profile.names(), *profile.accelerators()):
        rates: dict[str, list[float]] = {}
        for one in profile.find(name).latencies:
            if (one.dtype, one.runs_on) == (dtype, runs_on):
                rates.setdefault(one.bus, []).append(_rate(one))
        for several in rates.values():
            if len(several) >= ENOUGH:
                shares += [rate / median(several) for rate in several]
    return min(shares), max(shares)


def _rate(one: PublishedLatency) -> float:
    return one.ms / _size(one)


def _size(one: PublishedLatency) -> float:
    """The millions of multiply-adds of the network that was timed."""
    return profile.networks()[one.model].multiply_adds


def _of(
    variant: Variant, measured: Metrics, board: Profile, uses_edgetpu: bool
) -> LatencyEstimate | None:
    dtype = _dtype(variant)
    takes = measured.edgetpu["status"] if uses_edgetpu else "none"
    if dtype is None or takes == "partly":  # nobody publishes what a part takes
        return None
    runs_on = "edgetpu" if takes == "full" else "cpu"
    return estimate_latency(measured.figures.multiply_adds / 1e6, dtype, runs_on, board.latencies)


def _dtype(variant: Variant) -> str | None:
    """The numbers it computes with, if latencies are published of such: int8 or float32."""
    found = operations.quantization(tflite.parse(variant.content, variant.name))
    if found["kind"].startswith("full integer"):
        return None if "int16" in found["activations"] else "int8"
    integers = {"int8", "uint8", "int16"} & (found["weights"].keys() | found["activations"].keys())
    return None if integers else "float32"


def _plain(one: LatencyEstimate) -> dict[str, Any]:
    return {
        "ms": one.ms,
        "low_ms": one.low_ms,
        "high_ms": one.high_ms,
        "runs_on": one.runs_on,
        "published": [
            {**asdict(known), "multiply_adds": round(1e6 * _size(known))} for known in one.published
        ],
    }
