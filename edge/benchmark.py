"""Benchmark: measure how long a model takes, and say where the times cannot be relied on."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np

from edge.interpreter import Array, Runtime

NOISY_SPREAD = 2.0
"""95th percentile over median from which times are noisy."""

SLOWER = 1.1
"""Median over median above which more threads count as slower than fewer."""

_RUNS = 3
"""Least number of timed invokes in a turn: what disturbs a computer lasts for whole turns, so that
more turns tell more than longer ones."""

NOISE_ADVICE = (
    "something else kept this computer busy, or its clock varied; close other programs and "
    "measure again"
)


@dataclass(frozen=True, slots=True)
class InvokeTiming:
    """Milliseconds of the very first invoke, and median and 95th percentile of ``runs`` more.

    Setting the input and fetching the outputs are part of an invoke. ``noisy``: also when measured
    again, the 95th percentile was at least twice the median, or more threads were slower than
    fewer in some rounds only.
    """

    first_ms: float
    p50_ms: float
    p95_ms: float
    runs: int
    noisy: bool = False


def percentiles(ms: Sequence[float]) -> tuple[float, float]:
    """Compute the median and 95th percentile (linear interpolation) of a non-empty sequence.

    >>> percentiles([1.0, 2.0, 3.0])
    (2.0, 2.9)
    """
    p50, p95 = np.percentile(np.asarray(ms, np.float64), (50, 95))
    return float(p50), float(p95)


def measure(
    runtime: Runtime,
    *,
    warm_up: int = 5,
    min_runs: int = 30,
    max_runs: int = 1000,
    seconds: float = 2.0,
) -> InvokeTiming:
    """Time consecutive invokes of ``runtime`` on seeded noise.

    Between ``min_runs`` and ``max_runs`` invokes are timed, until ``seconds`` have passed. If
    their times are noisy, they are timed once more, and the calmer of both series counts.

    Raises:
        ModelError: the model fails on invoke.
    """
    arrays = noise(runtime)
    first = _invoke_ms(runtime, arrays)
    times = _times(runtime, arrays, warm_up, min_runs, max_runs, seconds)
    if _spread(times) >= NOISY_SPREAD:
        again = _times(runtime, arrays, warm_up, min_runs, max_runs, seconds)
        times = min(times, again, key=_spread)
    return _timing(first, times, _spread(times) >= NOISY_SPREAD)


Rounds = list[list[float]]
"""Times of one runtime in milliseconds, by round."""


def measure_in_turns(
    models: Sequence[Sequence[Runtime]], *, rounds: int = 4, seconds: float = 0.02
) -> tuple[tuple[InvokeTiming, ...], ...]:
    """Time models alternately, so that their times can be compared.

    Each runtime gets ``seconds`` in every round, at least 3 invokes after 1 to warm up: other load
    on the computer then slows all of them equally. If some times are noisy, or more threads are
    slower than fewer, all are timed once more, and the calmer of both series counts.

    Args:
        models: of each model its runtimes, by rising number of threads.
        rounds: number of rounds.
        seconds: of a runtime in a round.

    Returns:
        The timings, in the order of ``models``.

    Raises:
        ModelError: a model fails on invoke.
    """
    arrays = {runtime: noise(runtime) for runtime in chain(*models)}
    first: dict[Runtime, float] = {}

    def turn(runtime: Runtime) -> list[float]:
        warm_up = 1
        if runtime not in first:
            first[runtime], warm_up = _invoke_ms(runtime, arrays[runtime]), 0
        return _times(runtime, arrays[runtime], warm_up, _RUNS, 1000, seconds)

    def series() -> "_Series":
        times: dict[Runtime, Rounds] = {runtime: [] for runtime in arrays}
        for _ in range(rounds):
            for runtime in arrays:
                times[runtime].append(turn(runtime))
        return _Series(times, models)

    best = series()
    if best.doubtful:
        best = min(best, series(), key=lambda tried: (len(tried.noisy), len(tried.doubtful)))
    return tuple(
        tuple(
            _timing(first[runtime], best.all_times(runtime), runtime in best.noisy)
            for runtime in model
        )
        for model in models
    )


class _Series:
    """Times of all runtimes, and which of them are ``noisy``, or ``doubtful`` before a second try.

    A model that really is slower with more threads is so in every round: that is not noise.
    """

    def __init__(self, times: dict[Runtime, Rounds], models: Sequence[Sequence[Runtime]]) -> None:
        self._times = times
        self.noisy = {
            runtime for runtime in times if _spread(self.all_times(runtime)) >= NOISY_SPREAD
        }
        self.doubtful = set(self.noisy)
        for pair in chain.from_iterable(map(pairwise, models)):
            fewer, more = (percentiles(self.all_times(runtime))[0] for runtime in pair)
            if more <= SLOWER * fewer:
                continue
            self.doubtful.update(pair)
            medians = ([percentiles(ms)[0] for ms in times[runtime]] for runtime in pair)
            if any(m <= f for f, m in zip(*medians, strict=True)):
                self.noisy.update(pair)

    def all_times(self, runtime: Runtime) -> list[float]:
        """Return the times of all rounds."""
        return list(chain(*self._times[runtime]))


def _timing(first_ms: float, times: Sequence[float], noisy: bool) -> InvokeTiming:
    return InvokeTiming(first_ms, *percentiles(times), len(times), noisy)


def _spread(times: Sequence[float]) -> float:
    p50, p95 = percentiles(times)
    return p95 / p50


def _times(
    runtime: Runtime,
    arrays: tuple[Array, ...],
    warm_up: int,
    min_runs: int,
    max_runs: int,
    seconds: float,
) -> list[float]:
    for _ in range(warm_up):
        _invoke_ms(runtime, arrays)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < min_runs or (len(times) < max_runs and time.perf_counter() < end):
        times.append(_invoke_ms(runtime, arrays))
    return times


def noise(runtime: Runtime, seed: int = 0) -> tuple[Array, ...]:
    """Make one random array per input: the full range of 8-bit dtypes, else 0 to 1."""
    random = np.random.default_rng(seed)
    arrays: list[Array] = []
    for spec in runtime.inputs:
        if spec.dtype in ("uint8", "int8"):
            minimum = np.iinfo(spec.dtype).min
            arrays.append((random.integers(0, 256, spec.shape) + minimum).astype(spec.dtype))
        else:
            arrays.append(random.random(spec.shape).astype(spec.dtype))
    return tuple(arrays)


def _invoke_ms(runtime: Runtime, arrays: tuple[Array, ...]) -> float:
    start = time.perf_counter()
    runtime.invoke(*arrays)
    return (time.perf_counter() - start) * 1e3
