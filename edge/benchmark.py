"""Benchmark: measure how long a model takes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.interpreter import Array, Runtime


@dataclass(frozen=True, slots=True)
class InvokeTiming:
    """Milliseconds of the very first invoke, and median and 95th percentile of ``runs`` more.

    Setting the input and fetching the outputs are part of an invoke.
    """

    first_ms: float
    p50_ms: float
    p95_ms: float
    runs: int


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

    Between ``min_runs`` and ``max_runs`` invokes are timed, until ``seconds`` have passed.

    Raises:
        ModelError: the model fails on invoke.
    """
    arrays = noise(runtime)
    first = _invoke_ms(runtime, arrays)
    times = _times(runtime, arrays, warm_up, min_runs, max_runs, seconds)
    return InvokeTiming(first, *percentiles(times), len(times))


def measure_in_turns(
    runtimes: Sequence[Runtime], *, rounds: int = 5, seconds: float = 0.1
) -> tuple[InvokeTiming, ...]:
    """Time several models alternately, so that their times can be compared.

    Each gets ``seconds`` in every round, at least 6 invokes after 3 to warm up: other load on the
    computer then slows all of them equally.

    Raises:
        ModelError: a model fails on invoke.
    """
    arrays = [noise(runtime) for runtime in runtimes]
    firsts = [_invoke_ms(*pair) for pair in zip(runtimes, arrays, strict=True)]
    times: list[list[float]] = [[] for _ in runtimes]
    for _ in range(rounds):
        for runtime, inputs, own in zip(runtimes, arrays, times, strict=True):
            own.extend(_times(runtime, inputs, 3, 6, 1000, seconds))
    return tuple(
        InvokeTiming(first, *percentiles(own), len(own))
        for first, own in zip(firsts, times, strict=True)
    )


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
