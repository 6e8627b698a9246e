"""What a conversion proposes to do next."""

import shlex
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest
from conversion import FAILED, VALIDATED, Conversion
from report_page import Page

from converters import tasks
from converters.report import html
from converters.report.model import Report
from converters.report.next_steps import (
    after_conversion,
    held_out_photo,
    with_next_steps,
)
from converters.report.sections import LimitFailureReport
from converters.selection.select import Limits
from edge.cli import cli

OUT = Path("/home/me/my models/out")
PHOTO = Path("/home/me/shapes/circle/it's 1.jpg")

CIRCLES = replace(VALIDATED, confusion=((14, 5, 1), (0, 20, 0), (0, 0, 20)))


def commands(report: Report, photo: Path | None = PHOTO) -> list[list[str]]:
    steps = after_conversion(report, OUT, photo, report.task)
    return [shlex.split(step.command) for step in steps if step.command]


def of(report: Report, *start: str) -> list[list[str]]:
    return [words for words in commands(report) if words[1 : 1 + len(start)] == list(start)]


def test_a_good_model_is_classified_with_watched_and_deployed() -> None:
    report = Conversion().report()
    assert commands(report) == [
        ["edge", "classify", str(OUT), str(PHOTO)],
        ["edge", "demo", "classify", "--model", str(OUT), "--source", "0"],
        ["edge", "deploy", str(OUT), "pi@raspberrypi.local", "--run",
         "demo classify --source 0 --sink web"],
    ]  # fmt: skip
    assert len(commands(report, photo=None)) == 2


def test_a_failed_verdict_names_its_remedies_first() -> None:
    report = Conversion(verdict=FAILED, wrong=3).report()
    steps = commands(report)
    assert [words[:5] for words in steps[:2]] == [
        ["edge", "compress", str(OUT), "--recipe", "qat"],
        ["edge", "compress", str(OUT), "--recipe", "float16"],
    ]
    assert steps[0][-2:] == ["-o", f"{OUT}-qat"]
    assert not of(report, "deploy")


def test_what_cannot_help_is_not_proposed() -> None:
    report = Conversion(verdict=FAILED, wrong=3).report()
    tried = replace(report, variants={**report.variants, "qat": report.variants["int8"]})
    assert not [words for words in commands(tried) if "qat" in words]
    coral = replace(report, choice=replace(report.choice, target="edgetpu"))
    assert not [words for words in commands(coral) if "float16" in words]
    (quantized,) = [words for words in commands(coral) if "qat" in words]
    assert quantized[-2:] == ["--target", "edgetpu"]


def test_a_model_that_knows_nothing_is_not_quantized_otherwise() -> None:
    report = Conversion(verdict=FAILED, wrong=3).report()
    judged = replace(report.verdict.judgments[0], requirement="baseline")
    ignorant = replace(report, verdict=replace(report.verdict, judgments=(judged,)))
    assert not of(ignorant, "compress")


def test_what_cannot_be_read_again_is_not_compressed() -> None:
    for report in (
        Conversion(verdict=FAILED, wrong=3).report(),
        Conversion(limits=Limits(max_size_kb=2000)).report(),
    ):
        assert of(report, "compress")
        phased = replace(report, training=replace(report.training, details={"phases": []}))
        assert not of(phased, "compress")


def test_a_model_beyond_a_limit_is_made_smaller_within_it() -> None:
    report = Conversion(limits=Limits(max_size_kb=2000)).report()
    (smaller,) = of(report, "compress")
    assert smaller[3:] == [
        "--recipe", "channels-50", "-o", f"{OUT}-channels-50", "--max-size", "2000",
    ]  # fmt: skip


def test_a_model_below_the_accuracy_is_trained_more() -> None:
    failure = LimitFailureReport("int8", "min_accuracy", actual=0.8, required=0.9)
    report = Conversion().report()
    report = replace(report, choice=replace(report.choice, met=False, failures=(failure,)))
    assert of(report, "convert")[0] == [
        "edge", "convert", "shapes", "--force", "--fine-tune", "always",
    ]  # fmt: skip
    phased = replace(report, training=replace(report.training, details={"phases": []}))
    assert of(phased, "convert")[0][-2:] == ["--budget", "900"]
    python = replace(report, command="converters.convert('shapes', 'out', ...)")
    assert not of(python, "convert")


@pytest.fixture
def weak(tmp_path: Path) -> Report:
    """The head takes circles for squares; the photos are in ``tmp_path``."""
    (tmp_path / "circle").mkdir()
    report = Conversion(validated=CIRCLES).report()
    dataset = replace(report.dataset, path=str(tmp_path))
    return replace(report, dataset=dataset)


def test_weak_classes_are_named_with_their_remedy(weak: Report, tmp_path: Path) -> None:
    first, again, *_ = after_conversion(weak, OUT, None, "classify")
    assert "photos of circle" in first.why and "5 of 20 are taken for square" in first.why
    assert "cross-validated" in first.why
    assert shlex.split(first.command) == [
        "edge", "capture", "--label", "circle", "-o", str(tmp_path),
    ]  # fmt: skip
    assert shlex.split(again.command) == ["edge", "convert", "shapes", "--force"]


def test_photos_in_an_archive_get_advice_without_a_command(weak: Report) -> None:
    zipped = replace(weak, dataset=replace(weak.dataset, path="/home/me/shapes.zip"))
    first, *others = after_conversion(zipped, OUT, None, "classify")
    assert "circle" in first.why and first.command == ""
    assert not [step for step in others if "convert" in step.command]


def test_the_commands_exist_with_these_options() -> None:
    """Each is parsed by its own command; nothing runs."""
    reports = (
        Conversion(verdict=FAILED).report(),
        Conversion(limits=Limits(max_size_kb=2000, min_quality=0.99), wrong=3).report(),
    )
    for report in reports:
        for words in commands(report):
            assert words[0] == "edge"
            command: click.Command | None = cli
            rest = words[1:]
            while isinstance(command, click.Group):
                command = command.get_command(click.Context(command), rest.pop(0))
            assert command is not None, words
            command.make_context(words[1], rest)


def test_the_page_and_the_record_keep_the_steps() -> None:
    conversion = Conversion()
    report = with_next_steps(conversion.report(), OUT, PHOTO, "classify")
    assert Report.from_json(report.to_json()) == report
    stages = conversion.stages()
    page = Page(
        html.render(
            report, dataset=stages["training"].dataset, split=stages["training"].split,
            task=tasks.fill_page(
                report, stages["training"], stages["result"].selected.predictions
            ),
        )
    )  # fmt: skip
    for step in report.next_steps:
        assert step.why in page.text and step.command in page.text


def test_a_held_out_photo_is_a_file_of_the_test_split(tmp_path: Path) -> None:
    training = Conversion().training()
    dataset, split = training.dataset, training.split
    assert held_out_photo(dataset, split, tmp_path) is None
    for index in np.concatenate([split.train, split.test[-1:]]):
        file = tmp_path / dataset.images[index].name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    expected = tmp_path / dataset.images[split.test[-1]].name
    assert held_out_photo(dataset, split, tmp_path) == expected
    (tmp_path / "list.csv").touch()
    assert held_out_photo(dataset, split, tmp_path / "list.csv") == expected
