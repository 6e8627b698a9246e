"""Benchmarks time a model, or several in turns."""

import itertools

import pytest

from edge import benchmark, interpreter


def test_measure_counts_what_it_ran(tiny_model):
    runtime = interpreter.load(tiny_model(), name="m")
    timing = benchmark.measure(runtime, min_runs=10, max_runs=20, seconds=0.01)
    assert 10 <= timing.runs <= 20
    assert 0 < timing.p50_ms <= timing.p95_ms
    assert benchmark.percentiles([4.0, 1.0, 2.0, 3.0]) == (2.5, pytest.approx(3.85))


def test_compared_models_are_timed_in_turns(tiny_model):
    ran = []

    class Recorded(interpreter.Runtime):
        def invoke(self, *arrays):
            ran.append(self.name)
            return super().invoke(*arrays)

    runtimes = []
    for name in ("one", "other"):
        runtime = interpreter.load(tiny_model(), name=name)
        runtime.__class__, runtime.name = Recorded, name
        runtimes.append(runtime)
    timings = benchmark.measure_in_turns(runtimes, rounds=3, seconds=0)
    turns = [name for name, _ in itertools.groupby(ran)]
    assert turns == ["one", "other"] * 4  # the first invoke of each, then the rounds
    assert [timing.runs for timing in timings] == [18, 18]
    assert all(0 < timing.p50_ms <= timing.p95_ms for timing in timings)
