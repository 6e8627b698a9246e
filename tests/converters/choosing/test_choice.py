"""Which variant becomes model.tflite."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from conversion import FULL, NONE, Conversion

from converters.choosing.choice import Choice, Limits, choose
from converters.verification.measured import Measured
from edge.errors import UsageError

PARTLY = {**FULL, "mapped": 60, "cpu": {"MEAN": 1, "SOFTMAX": 1}, "status": "partly"}


def file(
    name: str, accuracy: float, ms: float, kilobytes: float, edgetpu: dict[str, Any] = FULL
) -> Measured:
    """A measured file of which only this is of interest."""
    any_file = Conversion().stages()["verified"].variants[0]
    latency = replace(any_file.latency, p50_ms=ms)
    return replace(
        any_file, name=name, accuracy=accuracy, latencies=(latency,),
        bytes=round(1000 * kilobytes), edgetpu=edgetpu,
    )  # fmt: skip


FILES = (
    file("float32", 0.97, 6.6, 8900, NONE),
    file("float16", 0.97, 6.7, 4500, NONE),
    file("int8", 0.96, 3.4, 2700),
    file("small", 0.94, 2.1, 1800),
    file("odd", 0.95, 2.4, 1900, PARTLY),
)


def choice(files: Iterable[Measured] = FILES, wanted: str = "int8", **limits: Any) -> Choice:
    return choose(tuple(files), Limits(**limits), wanted)


def test_without_limits_it_is_what_was_asked_for() -> None:
    assert choice(wanted="small").chosen == "small"
    assert choice(wanted="small").met
    assert choice(wanted="small").failures == ()


@pytest.mark.parametrize(
    ("limits", "chosen", "why"),
    [
        ({"max_latency_ms": 5}, "int8", "most accurate of the 3 variants"),
        ({"max_latency_ms": 3}, "odd", "most accurate of the 2"),
        ({"max_latency_ms": 2.2}, "small", "one variant"),
        ({"max_size_kb": 1800}, "small", "one variant"),
        ({"max_size_kb": 5000}, "float16", "most accurate of the 4"),
        ({"min_accuracy": 0.94}, "small", "quickest of the 5"),
        ({"min_accuracy": 0.955}, "int8", "quickest of the 3"),
        ({"min_accuracy": 0.94, "max_latency_ms": 100}, "float32", "most accurate of the 5"),
        ({"target": "edgetpu", "max_size_kb": 5000}, "int8", "most accurate of the 2"),
        ({"target": "all", "max_latency_ms": 3}, "small", "one variant"),
    ],
)
def test_the_best_within_the_limits(limits: dict[str, Any], chosen: str, why: str) -> None:
    made = choice(**limits)
    assert (made.chosen, made.met) == (chosen, True)
    assert why in made.reason


def test_equal_accuracy_is_told_apart_by_time_then_by_size() -> None:
    same = [file(f"{ms} {size}", 0.9, ms, size) for ms, size in ((3, 10), (2, 30), (2, 20))]
    assert choice(same, max_latency_ms=5).chosen == "2 20"


def test_what_the_edge_tpu_leaves_is_not_taken_for_it() -> None:
    made = choice(wanted="odd", target="edgetpu")
    assert made.chosen == "int8"
    assert {f.variant for f in made.failures} == {"float32", "float16", "odd"}
    assert choice(wanted="small", target="edgetpu").chosen == "small"
    assert choice(wanted="float16", target="cpu").chosen == "float16"


def test_where_nothing_fits_the_nearest_is_taken_and_its_failure_named() -> None:
    made = choice(max_size_kb=1500)
    assert (made.chosen, made.met) == ("small", False)
    assert "small comes nearest, with 1,800 kB, 300 kB more than the 1500 kB" in made.reason
    assert len(made.failures) == len(FILES)
    slow = choice(max_latency_ms=2)
    assert "2.1 ms, 0.1 ms more than the 2 ms of --max-latency" in slow.reason
    poor = choice(min_accuracy=0.99)
    assert poor.chosen in ("float32", "float16")
    assert "97.0 % of the test pictures right, 2.0 points less than the 99 %" in poor.reason


def test_a_variant_that_misses_one_limit_is_nearer_than_one_that_misses_two() -> None:
    made = choice(max_latency_ms=2, min_accuracy=0.9)
    assert made.chosen == "small"
    assert {f.limit for f in made.failures} == {"max_latency_ms"}


def test_nothing_for_the_edge_tpu_is_never_called_good() -> None:
    made = choice(FILES[:2], wanted="float32", target="edgetpu")
    assert not made.met
    assert "operations that the Edge TPU is foreseen to leave to the CPU" in made.reason


def test_the_pareto_front_has_no_variant_that_another_beats() -> None:
    assert choice().pareto == ("float32", "int8", "small", "odd")


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"target": "gpu"}, "--target cpu|edgetpu|all"),
        ({"target": "board"}, "use --target cpu"),
        ({"target": "edgtpu"}, "did you mean 'edgetpu'?"),
        ({"max_latency_ms": 0}, "--max-latency above 0"),
        ({"max_latency_ms": float("nan")}, "--max-latency above 0"),
        ({"max_size_kb": -3}, "--max-size above 0"),
        ({"min_accuracy": 95}, "write --min-accuracy 0.95 for 95 %"),
        ({"min_accuracy": -0.5}, "give a share such as 0.95"),
        ({"target": "edgetpu", "max_latency_ms": 5}, "no Edge TPU to time it on"),
    ],
)
def test_an_impossible_limit_is_refused(limits: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as error:
        Limits(**limits)
    assert said in str(error.value)
