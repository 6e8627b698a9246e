"""What a board picks for a conversion, and what latencies are estimated from."""

from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from conversion import FULL, NONE, Conversion, render
from report_page import Page

from boards import profile
from converters import pipeline
from converters.report import terminal, text
from converters.report.build import build_report
from converters.report.model import Report
from converters.selection.latency_estimate import (
    estimate_latencies,
    estimate_latency,
    latency_spread,
)
from converters.selection.select import Limits
from converters.tflite import Variant
from converters.verification.evaluate import EvaluatedVariant
from edge import cli

PI = profile.load("raspberry-pi-4b")
WITH_TPU = profile.load("raspberry-pi-4b+coral-usb")


def settings(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *options: str
) -> pipeline.ConvertSettings:
    """What `edge convert` would start with."""
    called: list[pipeline.ConvertSettings] = []

    def stop(settings: pipeline.ConvertSettings, progress: object) -> Any:
        called.append(settings)
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "convert", stop)
    assert cli.run(["convert", str(folder), *options]) == 130
    return called[0]


@pytest.mark.parametrize(
    ("options", "target", "size"),
    [
        ((), "cpu", None),
        (("--board", "raspberry-pi-4b"), "cpu", None),
        (("--board", "raspberry-pi-zero-2-w"), "cpu", 160),
        (("--board", "raspberry-pi-zero-2-w", "--size", "96"), "cpu", 96),
        (("--board", "raspberry-pi-4b+coral-usb"), "edgetpu", None),
        (("--board", "raspberry-pi-4b+coral-usb", "--target", "cpu"), "cpu", None),
        (("--board", "coral-dev-board"), "edgetpu", None),
    ],
)
def test_the_board_picks_target_and_size_where_they_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    options: tuple[str, ...],
    target: str,
    size: int | None,
) -> None:
    called = settings(monkeypatch, tmp_path, *options)
    assert (called.plan.limits.target, called.size) == (target, size)
    assert called.to_dict()["board"] == (options[1] if options else None)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--board", "raspbery-pi-4b"), "'raspberry-pi-4b'"),
        (("--board", "coral-usb"), "[accelerator-without-board]"),
        (("--board", "raspberry-pi-4b", "--target", "edgetpu"), "--board raspberry-pi-4b+"),
    ],
)
def test_a_board_that_does_not_fit_is_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], part: str
) -> None:
    assert cli.run(["convert", str(tmp_path), *options]) == 2
    assert part in capsys.readouterr().err


def test_a_published_network_is_estimated_as_published() -> None:
    estimate = estimate_latency(300, "int8", "cpu", PI.latencies)
    assert estimate is not None
    assert estimate.ms == pytest.approx(17)
    assert estimate.low_ms < 17 < estimate.high_ms
    assert {known.dtype for known in estimate.published} == {"int8"}


@pytest.mark.parametrize("name", profile.names())
def test_the_range_holds_what_was_published(name: str) -> None:
    latencies = profile.load(name).latencies
    for known in latencies:
        size = profile.networks()[known.model].multiply_adds
        estimate = estimate_latency(size, known.dtype, known.runs_on, latencies)
        assert estimate is None or estimate.low_ms - 1e-6 <= known.ms <= estimate.high_ms + 1e-6


def test_half_the_multiply_adds_take_half_the_time_on_a_cpu() -> None:
    whole, half = (estimate_latency(size, "int8", "cpu", PI.latencies) for size in (300, 150))
    assert whole is not None and half is not None
    assert half.ms == pytest.approx(whole.ms / 2)
    assert (half.low_ms, half.high_ms) == pytest.approx((whole.low_ms / 2, whole.high_ms / 2))


def test_on_an_edge_tpu_a_small_network_may_take_as_long_as_the_quickest_published() -> None:
    estimate = estimate_latency(10, "int8", "edgetpu", WITH_TPU.latencies)
    assert estimate is not None
    assert estimate.high_ms == 2.4
    assert estimate.low_ms < estimate.ms < 1


@pytest.mark.parametrize(
    ("name", "ms"),
    [
        ("raspberry-pi-4b", 17),  # as MobileNet v2 was published there
        ("raspberry-pi-5", 16.9 * 300 / 728),  # no MobileNet but that of a detector
        ("raspberry-pi-zero-2-w", 91.03 * 300 / 575),  # MobileNet v1 beside ResNet and Inception
    ],
)
def test_the_likeliest_guide_is_the_network_that_is_built_most_alike(name: str, ms: float) -> None:
    estimate = estimate_latency(300, "int8", "cpu", profile.load(name).latencies)
    assert estimate is not None
    assert estimate.ms == pytest.approx(ms)
    assert estimate.low_ms < estimate.ms <= estimate.high_ms


@pytest.mark.parametrize("name", ["raspberry-pi-5+coral-pcie", "raspberry-pi-3b-plus+coral-usb"])
def test_one_published_latency_has_the_range_that_others_have(name: str) -> None:
    latencies = profile.load(name).latencies
    (known,) = [each for each in latencies if each.runs_on == "edgetpu"]
    size = profile.networks()[known.model].multiply_adds
    estimate = estimate_latency(size, "int8", "edgetpu", latencies)
    assert estimate is not None
    assert estimate.ms == pytest.approx(known.ms)
    assert estimate.published == (known,)
    several = profile.load("coral-dev-board").latencies
    rates = [each.ms / profile.networks()[each.model].multiply_adds for each in several]
    assert estimate.high_ms / estimate.ms >= max(rates) / median(rates) > 3
    assert estimate.low_ms / estimate.ms <= min(rates) / median(rates) < 0.5


@pytest.mark.parametrize(
    ("dtype", "runs_on"), [("int8", "cpu"), ("float32", "cpu"), ("int8", "edgetpu")]
)
def test_every_kind_that_is_published_has_its_spread(dtype: str, runs_on: str) -> None:
    low, high = latency_spread(dtype, runs_on)
    assert low < 1 < high


def test_without_a_published_latency_there_is_no_estimate() -> None:
    latencies = profile.load("raspberry-pi-5+coral-pcie").latencies
    assert estimate_latency(300, "float32", "cpu", latencies) is None
    assert estimate_latency(300, "int8", "cpu", ()) is None


def evaluated(
    variants: tuple[Variant, ...], edgetpu: dict[str, Any]
) -> tuple[EvaluatedVariant, ...]:
    """Real files, of whose metrics only the mapping to the Edge TPU and multiply-adds matter."""
    some = Conversion().result().variants[0]
    return tuple(
        replace(
            some,
            predictions=replace(some.predictions, variant=variant),
            metrics=replace(some.metrics, edgetpu=edgetpu),
        )
        for variant in variants
    )


def test_files_are_estimated_by_how_they_compute(micro_variants: tuple[Variant, ...]) -> None:
    def runs_on(edgetpu: dict[str, Any], target: str) -> dict[str, str | None]:
        variants = estimate_latencies(evaluated(micro_variants, edgetpu), WITH_TPU, target)
        return {v.name: None if v.estimate is None else v.estimate.runs_on for v in variants}

    cpu = {"float32": "cpu", "float16": "cpu", "int8": "cpu"}
    assert runs_on(NONE, "edgetpu") == cpu
    assert runs_on(FULL, "edgetpu")["int8"] == "edgetpu"
    assert runs_on(FULL, "cpu") == cpu
    assert runs_on({**FULL, "status": "partly"}, "edgetpu")["int8"] is None


def test_float_files_are_held_against_float_ones(micro_variants: tuple[Variant, ...]) -> None:
    variants = estimate_latencies(evaluated(micro_variants, NONE), PI, "cpu")
    dtypes = {
        v.name: v.estimate and {known.dtype for known in v.estimate.published} for v in variants
    }
    assert dtypes == {"float32": {"float32"}, "float16": {"float32"}, "int8": {"int8"}}


def shown(board: profile.Profile) -> tuple[Report, str]:
    """The report and the page of a result for ``board``."""
    stages = Conversion().stages()
    estimate = estimate_latency(300, "int8", board.run.delegate, board.latencies)
    stages["plan"] = replace(stages["plan"], board=board, limits=Limits(target=board.run.delegate))
    stages["result"] = replace(
        stages["result"],
        variants=tuple(
            replace(variant, estimate=estimate if variant.name == "int8" else None)
            for variant in stages["result"].variants
        ),
    )
    report = build_report(**stages)
    return report, Page(render(report, stages)).text


def estimated_latency(report: Report) -> str:
    """The sentence on the chosen variant."""
    assert report.board is not None
    return text.estimated_latency(report.board, report.chosen)


def test_page_and_terminal_mark_the_estimate(capsys: pytest.CaptureFixture[str]) -> None:
    report, page = shown(WITH_TPU)
    sentence = estimated_latency(report)
    for part in (
        "Raspberry Pi 4 Model B with Coral USB Accelerator", "int8", "2.6 ms", "0.68 to 6.1 ms",
        "the Edge TPU", "4 published times", "not measured",
    ):  # fmt: skip
        assert part in sentence, part
    assert sentence in page
    assert "https://coral.ai/docs/edgetpu/benchmarks" in page
    assert "Untested: no Edge TPU was available." in page
    terminal.summary(report, Path("out"))
    assert sentence in " ".join(capsys.readouterr().out.split())


def test_an_estimate_from_one_published_time_says_where_its_range_is_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report, page = shown(profile.load("raspberry-pi-5+coral-pcie"))
    sentence = estimated_latency(report)
    for part in ("int8", "2.5 ms", "0.88 to 8.4 ms", "1 published time", "other boards"):
        assert part in sentence, part
    assert "other boards" not in estimated_latency(shown(WITH_TPU)[0])
    assert sentence in page
    terminal.summary(report, Path("out"))
    assert sentence in " ".join(capsys.readouterr().out.split())


def test_where_nothing_is_published_nothing_is_estimated() -> None:
    report, page = shown(profile.load("generic-x86-64"))
    assert report.board is not None and report.board.estimates["int8"] is None
    sentence = estimated_latency(report)
    assert "int8" in sentence and "x86-64 computer with Linux" in sentence
    assert " ms" not in sentence
    assert sentence in page
    assert "one thread per core" in page


def test_the_page_says_nothing_of_boards_where_none_was_named() -> None:
    assert "published times" not in Page(Conversion().page()).text
