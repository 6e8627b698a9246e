"""A command is tried here, on one frame, before anything is sent to a board."""

from pathlib import Path

import pytest
import tiny_models
from errors import error_code, raises_code
from ssh_board import Workstation

from boards.deploy import rehearsal, run_command
from edge.errors import ModelError

from .conftest import RUN, Edge


def rehearse(model: Path, run: str) -> list[str]:
    notes: list[str] = []
    rehearsal.rehearse(run_command.parse(run), model, notes.append)
    return notes


@pytest.fixture
def model(out: Path) -> Path:
    return out / "model.tflite"


def test_a_command_that_works_says_nothing(
    model: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sinks = "--sink web --sink out.mkv --stats stats.json"
    assert rehearse(model, f"demo classify --source 0 {sinks} --size 320x240 --fps 5") == []
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == [], "nothing is opened for writing"


@pytest.mark.parametrize("demo", ["detect", "track --line door:0,0,9,9", "segment", "pose",
                                  "mirror --index /data/people"])  # fmt: skip
def test_a_demo_for_other_models_is_refused(model: Path, demo: str) -> None:
    with raises_code("model-wrong-task", fix="--run 'demo classify"):
        rehearse(model, f"demo {demo} --source 0")


@pytest.mark.parametrize("path", ["deploy", "ansible"])
def test_nothing_is_sent_or_written_then(
    edge: Edge, workstation: Workstation, out: Path, tmp_path: Path, path: str
) -> None:
    more = ["--ansible", tmp_path / "fleet"] if path == "ansible" else []
    result = edge("deploy", out, "pi@nowhere.invalid", "--run", RUN.replace("classify", "detect"),
                  *more)  # fmt: skip
    assert result.code == 2
    assert error_code(result.err) != "board-unreachable"
    assert not (tmp_path / "fleet").exists()


def test_labels_must_fit_the_outputs(model: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("red\ngreen\n")
    with raises_code("labels-count-mismatch", found="2"):
        rehearse(model, f"demo classify --source 0 --labels {labels}")


def test_a_line_must_be_one(tmp_path: Path) -> None:
    path = tmp_path / "ssd.tflite"
    path.write_bytes(tiny_models.color_classifier())
    with raises_code("invalid-line", found="door:1,2"):
        rehearse(path, "demo track --source 0 --line door:1,2")


def test_a_line_is_measured_only_where_the_size_of_the_frames_is_known(tmp_path: Path) -> None:
    pytest.importorskip("lap", reason="the extra 'track' is not installed")
    path = tmp_path / "ssd.tflite"
    path.write_bytes(tiny_models.ssd_model())
    line = "demo track --source 0 --line door:1500,0,1500,900"
    assert rehearse(path, line) == []
    with raises_code("boundary-outside-frame", expected="1280 × 720"):
        rehearse(path, f"{line} --size 1280x720")
    assert rehearse(path, f"{line} --size 1920x1080") == []


def test_what_is_not_installed_here_is_said(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ModelError("a package", "none", "install it", code="missing-package")

    monkeypatch.setattr("edge.Classifier.open", missing)
    (note,) = rehearse(model, "demo classify --source 0")
    assert "install it" in note


def test_an_unknown_extra_suggests_the_nearest() -> None:
    with raises_code("unknown-extra", found="mqt", fix="'mqtt'"):
        run_command.parse("demo classify --source 0", ("mqt",))
