"""Which variant becomes model.tflite."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from conversion import FULL, NONE, Conversion
from errors import raises_code

from converters.selection.select import Limits, Selection, select_variant
from converters.verification.evaluate import EvaluatedVariant

ANY = Conversion().result().variants[0]
PARTLY = {**FULL, "mapped": 60, "cpu": {"MEAN": 1, "SOFTMAX": 1}, "status": "partly"}


def file(
    name: str, accuracy: float, ms: float, kilobytes: float, edgetpu: dict[str, Any] = FULL
) -> EvaluatedVariant:
    """An evaluated variant of which only this matters."""
    latency = replace(ANY.metrics.latency, p50_ms=ms)
    metrics = replace(
        ANY.metrics, quality=replace(ANY.metrics.quality, value=accuracy), latencies=(latency,),
        bytes=round(1000 * kilobytes),
        edgetpu=edgetpu,
    )  # fmt: skip
    predictions = replace(ANY.predictions, variant=replace(ANY.variant, name=name))
    return replace(ANY, predictions=predictions, metrics=metrics)


FILES = (
    file("float32", 0.97, 6.6, 8900, NONE),
    file("float16", 0.97, 6.7, 4500, NONE),
    file("int8", 0.96, 3.4, 2700),
    file("small", 0.94, 2.1, 1800),
    file("odd", 0.95, 2.4, 1900, PARTLY),
)


def choice(
    files: Iterable[EvaluatedVariant] = FILES, preferred: str = "int8", **limits: Any
) -> Selection:
    return select_variant(tuple(files), Limits(**limits), preferred)


def test_without_limits_it_is_what_was_asked_for() -> None:
    assert choice(preferred="small").chosen == "small"
    assert choice(preferred="small").met
    assert choice(preferred="small").failures == ()


@pytest.mark.parametrize(
    ("limits", "chosen", "fitting"),
    [
        ({"max_latency_ms": 5}, "int8", 3),
        ({"max_latency_ms": 3}, "odd", 2),
        ({"max_latency_ms": 2.2}, "small", 1),
        ({"max_size_kb": 1800}, "small", 1),
        ({"max_size_kb": 5000}, "float16", 4),
        ({"min_quality": 0.94}, "small", 5),
        ({"min_quality": 0.955}, "int8", 3),
        ({"min_quality": 0.94, "max_latency_ms": 100}, "float32", 5),
        ({"target": "edgetpu", "max_size_kb": 5000}, "int8", 2),
        ({"target": "all", "max_latency_ms": 3}, "small", 1),
    ],
)
def test_the_best_within_the_limits(limits: dict[str, Any], chosen: str, fitting: int) -> None:
    selection = choice(**limits)
    assert (selection.chosen, selection.met) == (chosen, True)
    assert len(FILES) - len({failure.variant for failure in selection.failures}) == fitting
    assert chosen in selection.reason and (fitting == 1 or str(fitting) in selection.reason)


def test_equal_accuracy_is_told_apart_by_time_then_by_size() -> None:
    same = [file(f"{ms} {size}", 0.9, ms, size) for ms, size in ((3, 10), (2, 30), (2, 20))]
    assert choice(same, max_latency_ms=5).chosen == "2 20"


def test_what_the_edge_tpu_leaves_is_not_taken_for_it() -> None:
    selection = choice(preferred="odd", target="edgetpu")
    assert selection.chosen == "int8"
    assert {f.variant for f in selection.failures} == {"float32", "float16", "odd"}
    assert choice(preferred="small", target="edgetpu").chosen == "small"
    assert choice(preferred="float16", target="cpu").chosen == "float16"


def test_where_nothing_fits_the_nearest_is_taken_and_its_failure_named() -> None:
    selection = choice(max_size_kb=1500)
    assert (selection.chosen, selection.met) == ("small", False)
    for part in ("small", "1,800 kB", "300 kB", "--max-size 1500"):
        assert part in selection.reason
    assert len(selection.failures) == len(FILES)
    slow = choice(max_latency_ms=2)
    for part in ("2.1 ms", "0.1 ms", "--max-latency 2"):
        assert part in slow.reason
    poor = choice(min_quality=0.99)
    assert poor.chosen in ("float32", "float16")
    for part in ("97.0 %", "2.0 points", "--min-accuracy 0.99"):
        assert part in poor.reason


def test_a_variant_that_misses_one_limit_is_nearer_than_one_that_misses_two() -> None:
    selection = choice(max_latency_ms=2, min_quality=0.9)
    assert selection.chosen == "small"
    assert {f.limit for f in selection.failures} == {"max_latency_ms"}


def test_nothing_for_the_edge_tpu_is_never_called_good() -> None:
    selection = choice(FILES[:2], preferred="float32", target="edgetpu")
    assert not selection.met
    assert {failure.limit for failure in selection.failures} == {"edgetpu"}
    assert "Edge TPU" in selection.reason


def test_the_pareto_front_has_no_variant_that_another_beats() -> None:
    assert choice().pareto == ("float32", "int8", "small", "odd")


@pytest.mark.parametrize(
    ("limits", "code", "fields"),
    [
        ({"target": "gpu"}, "unknown-option-value", {"expected": "--target to be cpu|edgetpu|all"}),
        ({"target": "board"}, "unknown-option-value", {"fix": "--target cpu"}),
        ({"target": "edgtpu"}, "unknown-option-value", {"fix": "'edgetpu'"}),
        ({"max_latency_ms": 0}, "option-out-of-range", {"expected": "--max-latency"}),
        ({"max_latency_ms": float("nan")}, "option-out-of-range", {"expected": "--max-latency"}),
        ({"max_size_kb": -3}, "option-out-of-range", {"expected": "--max-size"}),
        ({"min_quality": 95}, "option-out-of-range", {"fix": "--min-accuracy 0.95"}),
        ({"min_quality": -0.5}, "option-out-of-range", {"expected": "--min-accuracy"}),
        (
            {"target": "edgetpu", "max_latency_ms": 5},
            "conflicting-options",
            {"found": "--max-latency"},
        ),
    ],
)
def test_an_impossible_limit_is_refused(
    limits: dict[str, Any], code: str, fields: dict[str, str]
) -> None:
    with raises_code(code, kind="UsageError", **fields):
        Limits(**limits)
