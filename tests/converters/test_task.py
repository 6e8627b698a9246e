"""A fourth task is a package and a line: nothing else of training knows a task by name."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import brightness_task
import cv2
import numpy as np
import pytest
from conversion import Conversion
from errors import raises_code
from jsonschema import validate
from report_page import Page
from rich.console import Console

import converters
from converters import pipeline, tasks
from converters.progress import SilentProgress
from converters.report import compare, schema, terminal
from converters.report.model import Report
from converters.selection.plan import CompressionPlan, make_plan
from converters.selection.select import Limits
from edge import task_kinds
from edge.modelfile import metadata


@pytest.fixture(scope="module", autouse=True)
def fourth_task() -> Iterator[None]:
    """The line in the table, and that of the task on the board."""
    with pytest.MonkeyPatch.context() as patch:
        table = {brightness_task.NAME: brightness_task.ENTRY, **tasks.TASKS}
        patch.setattr(tasks, "TASKS", table)
        kind = replace(task_kinds.TASKS["classify"], command=None)
        patch.setitem(task_kinds.TASKS, brightness_task.NAME, kind)
        yield


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bright") / "lamps"
    brightness_task.write_images(folder)
    return folder


def convert(images: Path, out: Path, limits: Limits | None = None) -> Report:
    plan = CompressionPlan(limits=limits or Limits(), max_drop=1)
    return pipeline.convert(pipeline.ConvertSettings(images, out, plan=plan), SilentProgress())


@pytest.fixture(scope="module")
def result(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a conversion of the images, whose task is recognized."""
    out = tmp_path_factory.mktemp("result") / "lamps-model"
    convert(images, out)
    return out


def test_its_metric_is_measured_judged_and_written_down(result: Path) -> None:
    report = Report.load(result)
    assert (report.task, report.metric.key) == ("brightness", "closeness")
    for variant in report.variants.values():
        assert variant.quality.value > 0.95
        low, high = variant.quality.interval
        assert low < variant.quality.value < high
        assert variant.quality.figures["largest_error"] > 1 - variant.quality.value
    assert report.verdict.status == "pass" and report.success
    assert report.verdict.interval[0] <= report.verdict.drop <= report.verdict.interval[1]
    assert report.verdict.interval[1] < 1
    assert report.training.method == "least squares"
    assert len(report.split.test) == 9 and report.dataset.images == 60
    about = metadata.read((result / "model.tflite").read_bytes())
    assert about is not None and about.name == "brightness"


def test_its_report_has_nothing_of_classes_and_keeps_to_the_schema(result: Path) -> None:
    record = json.loads((result / "report.json").read_text("utf-8"))
    validate(record, schema.report_schema())
    int8 = record["variants"]["int8"]
    assert not int8.keys() & {"accuracy", "confusion", "per_class", "agreement", "ece"}
    assert "validation_accuracy" not in record["training"]
    assert Report.from_dict(record).to_dict() == record


def test_page_and_terminal_name_its_metric(result: Path) -> None:
    page = Page((result / "report.html").read_text("utf-8"))
    assert "bright-" in page.section("errors")
    assert "Usable lamps per class" in page.section("audit")
    decoded = cv2.imdecode(np.frombuffer(b64decode(page.images()[0][23:]), np.uint8), 0)
    assert decoded.mean() > 200, "the first image is the darkest, and shown inverted"
    assert "A line through the mean colors" in page.text and "Closeness by latency" in page.text
    assert not re.search(r"(?i)accuracy|confus", page.text)
    console = Console(record=True, width=100)
    terminal.summary(Report.load(result), result, console)
    shown = console.export_text()
    assert "closeness" in shown and "edge demo brightness" in shown
    assert not re.search(r"accuracy|agree", shown)


def test_a_minimum_of_its_metric_is_a_limit(images: Path, tmp_path: Path) -> None:
    with raises_code("option-for-another-task", expected="--min-closeness"):
        convert(images, tmp_path / "wrong", Limits(min_quality=0.9))
    assert not (tmp_path / "wrong").exists()
    limits = Limits(min_quality=0.999, min_option="--min-closeness")
    report = convert(images, tmp_path / "strict", limits)
    assert not report.success and "closeness" in report.choice.reason
    assert {failure.limit for failure in report.choice.failures} == {"min_closeness"}
    assert report.choice.limits.minimum == 0.999
    assert [j.requirement for j in report.verdict.judgments] == ["loss", "min_closeness"]


def test_one_minimum_is_given_by_the_name_of_its_option(images: Path, tmp_path: Path) -> None:
    report = converters.convert(images, tmp_path / "out", minimums={"min_closeness": 0.9})
    assert report.choice.limits.minimum == 0.9 and report.success
    with raises_code("conflicting-options", found="--min-accuracy and --min-closeness"):
        converters.convert(
            images, tmp_path / "no", min_accuracy=0.9, minimums={"min_closeness": 0.9}
        )
    with raises_code("unknown-option-value", fix="--min-closeness"):
        converters.convert(images, tmp_path / "no", minimums={"min_closenes": 0.9})


def test_recipes_that_it_lacks_are_refused_before_any_work(images: Path, tmp_path: Path) -> None:
    plan = make_plan(["qat"], Limits(), None, 1.0)
    settings = pipeline.ConvertSettings(images, tmp_path / "out", plan=plan)
    with raises_code("recipe-not-for-task"):
        pipeline.convert(settings, SilentProgress())


def test_its_result_can_be_compressed_again(result: Path, tmp_path: Path) -> None:
    plan = make_plan(["float16"], Limits(), None, 1.0)
    settings = pipeline.CompressSettings(result, tmp_path / "again", plan=plan)
    again, before = pipeline.compress(settings, SilentProgress()), Report.load(result)
    assert (again.task, again.chosen) == ("brightness", "float16")
    for name, variant in again.variants.items():
        assert variant.quality.value == pytest.approx(before.variants[name].quality.value, abs=1e-3)


def test_its_results_are_compared_with_each_other_only(result: Path, tmp_path: Path) -> None:
    compared = compare.compare_results([result])
    assert compared.to_dict()["variants"][0]["closeness"] > 0.95
    console = Console(record=True, width=200)
    compare.show_table(compared, console)
    assert "closeness" in console.export_text()
    other = tmp_path / "report.json"
    other.write_text(Conversion().report().to_json(), encoding="utf-8")
    with raises_code("results-of-different-tasks", found="classify"):
        compare.compare_results([result, other])
