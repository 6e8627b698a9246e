"""``edge models`` as a user calls it."""

import importlib.util
import json
import zipfile
from pathlib import Path

import pytest
from errors import error_code

from edge.cli import run
from edge.commands import models
from edge.registry import catalog, download

from .conftest import CPU, LABELS, TWIN


def test_list_shows_every_model_in_80_columns(monkeypatch, capsys):
    catalog.entries.cache_clear()
    assert run(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(catalog.entries())
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)


def test_list_as_json_shows_what_is_downloaded(shop, capsys):
    run(["models", "pull", "colors"])
    capsys.readouterr()
    assert run(["models", "list", "--task", "classify", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["here"], row["edgetpu"], row["checked"]) == (
        "colors", True, True, "git",
    )  # fmt: skip
    assert row["licence"] == "Apache-2.0"
    paths = {file["name"]: file["path"] for file in row["files"]}
    assert paths["cpu.tflite"] == str(shop.at("colors", "cpu.tflite"))
    assert paths["cpu_edgetpu.tflite"] is None


def test_pull_several_models(shop, capsys):
    assert run(["models", "pull", "colors", "open", "--edgetpu"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"colors: {shop.at('colors', 'cpu.tflite')}",
        f"open: {shop.at('open', 'open.tflite')}",
    ]
    assert err.count("Downloading") == 2
    assert shop.at("colors", "cpu_edgetpu.tflite").read_bytes() == TWIN


def test_pull_all_continues_after_a_missing_file(shop, capsys):
    del shop.files.served["/v1/open/1/open.tflite"]
    assert run(["models", "pull", "--all"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("colors: ")
    assert "HTTP 404" in err
    assert "Traceback" not in err


def test_pull_all_without_a_connection_stops_at_the_first(shop, capsys):
    shop.files.served.clear()
    assert run(["models", "pull", "--all"]) == 2
    assert len(shop.files.requests) == 1
    assert capsys.readouterr().err.count("edge: ") == 1


def test_path_prints_the_path_and_nothing_else(shop, capsys):
    assert run(["models", "path", "colors"]) == 2
    stderr = capsys.readouterr().err
    assert error_code(stderr) == "model-not-downloaded"
    assert "edge models pull colors" in stderr
    assert shop.files.requests == []
    run(["models", "pull", "colors"])
    capsys.readouterr()
    assert run(["models", "path", "colors"]) == 0
    assert capsys.readouterr() == (f"{shop.at('colors', 'cpu.tflite')}\n", "")
    assert run(["models", "path", "colors", "--edgetpu"]) == 2
    assert "edge models pull colors --edgetpu" in capsys.readouterr().err
    assert run(["models", "path", "open", "--edgetpu"]) == 2
    assert error_code(capsys.readouterr().err) == "no-edgetpu-version"


def test_verify_finds_a_modified_file_and_pull_replaces_it(shop, capsys):
    assert run(["models", "verify"]) == 0
    run(["models", "pull", "--all"])
    assert run(["models", "verify"]) == 0
    for name, file in (("colors", "cpu.tflite"), ("open", "open.tflite")):
        path = shop.at(name, file)
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    capsys.readouterr()
    assert run(["models", "verify"]) == 1
    out = capsys.readouterr().out
    assert str(shop.at("colors", "cpu.tflite")) in out
    assert "edge models pull open" in out
    assert [part for part in out.splitlines()[-1].split() if part.isdigit()] == ["3", "2"]
    assert run(["models", "verify", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert [bool(row["wrong"]) for row in rows] == [True, False, True]
    assert run(["models", "pull", "--all"]) == 0
    assert run(["models", "verify"]) == 0


def test_verify_checks_only_the_named_models(shop, capsys):
    run(["models", "pull", "--all"])
    shop.at("open", "open.tflite").write_bytes(b"x")
    assert run(["models", "verify", "colors"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("2 files ")
    assert run(["models", "verify", "colors", "open"]) == 1
    shop.at("open", "open.tflite").unlink()
    assert run(["models", "verify", "colors", "open"]) == 2
    assert "edge models pull open" in capsys.readouterr().err


def test_export_copies_model_and_labels(shop, tmp_path, capsys):
    out = tmp_path / "board" / "model"
    assert run(["models", "export", "colors", "-o", str(out), "--edgetpu"]) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        "cpu.tflite": CPU, "cpu_edgetpu.tflite": TWIN, "labels.txt": LABELS,
    }  # fmt: skip
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert run(["models", "export", "colors", "-o", str(out)]) == 0  # the same again


def test_export_does_not_mix_labels(shop, tmp_path, capsys):
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    assert run(["models", "export", "colors", "-o", str(tmp_path)]) == 2
    stderr = capsys.readouterr().err
    assert error_code(stderr) == "labels-conflict"
    assert str(tmp_path / "labels.txt") in stderr
    assert not (tmp_path / "cpu.tflite").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["pull"], "missing-argument", "--all"),
        (["pull", "colors", "--all"], "conflicting-options", "--all"),
        (["pull", "color"], "unknown-model", "'colors'"),
        (["path", "color"], "unknown-model", "'colors'"),
        (["lst"], "unknown-command", "edge models list"),
        (["list", "--task", "sing"], "unknown-option-value", "classify, detect, segment, pose"),
        (["list", "--task", "detct"], "unknown-option-value", "'detect'"),
        (["verify", "color"], "unknown-model", "'colors'"),
        (["export", "colors"], "usage", "--out"),
        (["export", "pose", "--edgetpu", "-o", "pose.task"], "no-edgetpu-version", "--edgetpu"),
        (["export", "colors", "-o", "models.toml"], "output-not-writable", "models.toml"),
    ],
)
def test_bad_input_is_one_clear_line(shop, tmp_path, monkeypatch, capsys, arguments, code, text):
    monkeypatch.chdir(tmp_path)
    assert run(["models", *arguments]) == 2
    err = capsys.readouterr().err.splitlines()
    assert text in err[-1]
    assert error_code(err[-1]) == code
    assert err[-1].startswith("edge: ")
    assert "Traceback" not in "\n".join(err)


def test_commands_take_a_name(shop, tiny_model, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv(download.MIRROR, str(tmp_path / "mirror"))
    place = tmp_path / "mirror" / "open"
    place.mkdir(parents=True)
    (place / "open.tflite").write_bytes(tiny_model("int8"))
    assert run(["inspect", "open", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["file"] == str(shop.at("open", "open.tflite"))
    assert "Downloading open" in err
    assert run(["bench", "open", "--delegate", "edgetpu"]) == 2
    assert error_code(capsys.readouterr().err.splitlines()[-1]) == "no-edgetpu-version"


def test_export_pose_packs_the_models_of_the_wheel(tmp_path, capsys):
    spec = importlib.util.find_spec("mediapipe")
    if spec is None or not (Path(spec.origin).parent / "modules/pose_detection").is_dir():
        pytest.skip("no mediapipe 0.10, whose wheel holds the models")
    out = tmp_path / "pose.task"
    assert run(["models", "export", "pose", "-o", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    with zipfile.ZipFile(out) as bundle:
        assert len(bundle.namelist()) == 2
        assert bundle.testzip() is None


def test_export_pose_needs_an_existing_folder(tmp_path, capsys):
    assert run(["models", "export", "pose", "-o", str(tmp_path / "absent" / "pose.task")]) == 2
    assert "mkdir -p" in capsys.readouterr().err


def test_pulled_models_can_be_tried_at_once(shop, capsys):
    def commands(*args):
        assert run(["models", "pull", *args]) == 0
        lines = [line.strip() for line in capsys.readouterr().err.splitlines()]
        return [line for line in lines if line.startswith("edge ")]

    assert commands("colors", "--edgetpu") == [
        "edge demo classify --model colors --source 0 --delegate edgetpu"
    ]
    assert commands("open", "--edgetpu")[0].endswith("--model open --source 0")
    entries = [catalog.find("colors")] * 4
    assert [step.command for step in models.next_steps(entries, False)] == ["edge models list"]
