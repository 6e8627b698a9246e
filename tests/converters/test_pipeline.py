"""What the pipeline does between its stages."""

import json
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
from conversion import Conversion

from converters import pipeline, tasks
from converters.commands import convert as cli
from converters.commands import options
from converters.progress import SilentProgress
from converters.report import html, terminal
from converters.steps import Step, Steps
from converters.training.config import TrainingOptions

LATIN = "K\udce4se"
"""The name of a folder as an old system wrote it, in Latin-1, as Python has it."""


def test_a_command_with_a_name_that_is_no_utf8_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = f"edge convert {LATIN}"
    monkeypatch.setattr(
        pipeline,
        "build_report",
        lambda *_, command, **__: replace(Conversion().report(), command=command),
    )
    monkeypatch.setattr(tasks, "fill_page", lambda *_: None)
    monkeypatch.setattr(html, "render", lambda report, **_: f"<p>{report.command}")
    steps = Steps([Step("report", "writing the report")], SilentProgress())
    monkeypatch.setattr(pipeline, "held_out_photo", lambda *_: None)
    pipeline.write_report(tmp_path, Path("out"), Mock(), Mock(), Mock(), {}, command, steps)
    assert "edge convert K" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "report.json").read_text())["command"] == command


def test_the_seed_of_training_is_that_of_the_whole_run() -> None:
    settings = pipeline.ConvertSettings(
        Path("photos"), Path("out"), training=TrainingOptions(seed=7)
    )
    record = settings.to_dict()
    assert record["seed"] == record["training"]["seed"] == 7
    with pytest.raises(TypeError):
        pipeline.ConvertSettings(Path("photos"), Path("out"), seed=7)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("dataset", "out"),
    [
        ("photos.v1", "photos.v1-model"),
        ("photos.v2/", "photos.v2-model"),
        ("photos.v1.zip", "photos.v1-model"),
        ("set.tar.gz", "set-model"),
        ("list.csv", "list-model"),
        (".", "../start-model"),
        ("..", "../../{parent}-model"),
        ("../start", "../start-model"),
    ],
)
def test_the_result_lies_here_or_beside_the_dataset(
    dataset: str, out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("photos.v1", "photos.v2"):
        (tmp_path / "start" / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "start")
    assert cli.default_out(Path(dataset)) == Path(out.format(parent=tmp_path.name))
    settings = pipeline.ConvertSettings(Path(dataset), Path("out"))
    assert settings.to_dict()["dataset"] == Path(dataset).resolve().name


def test_the_place_of_its_result_can_be_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.default_out(tmp_path / LATIN) == Path(r"K\xe4se-model")
    shown: list[Path] = []
    monkeypatch.setattr(terminal, "summary", lambda _, out: shown.append(out))
    assert options.print_report(Conversion().report(), Path(LATIN), as_json=False) == 0
    assert shown == [Path(r"K\xe4se")]
