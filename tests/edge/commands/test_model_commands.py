"""``edge classify``, ``bench`` and ``inspect`` as a user calls them."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from errors import error_code

from edge import benchmark
from edge.cli import run
from edge.modelfile import metadata
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata


@pytest.fixture
def model(tiny_model, tmp_path):
    path = tmp_path / "colors.tflite"
    about = ModelMetadata(
        name="Colors",
        description="Names\x1b[31m colors",
        labels=("red", "green", "blue"),
        mean=(127.5,),
        std=(127.5,),
        provenance={"seed": 4},
    )
    path.write_bytes(write_metadata(tiny_model("int8"), about))
    return path


@pytest.fixture
def photos(tmp_path):
    """red.png, deep/blue.jpg, images that are hidden or a system's own, and a text file."""
    folder = tmp_path / "photos"
    bgr = {"red.png": 2, "deep/blue.jpg": 0, ".hidden/green.png": 1, ".green.png": 1,
           "@eaDir/red.png/SYNOPHOTO_THUMB_XL.jpg": 1, "deep/#recycle/green.png": 1}  # fmt: skip
    for name, channel in bgr.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        image = np.zeros((32, 48, 3), np.uint8)
        image[..., channel] = 250
        cv2.imwrite(str(folder / name), image)
    (folder / "notes.txt").write_text("no image")
    return folder


def classify_json(capsys, *args):
    code = run(["classify", *map(str, args), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_classify_a_folder(model, photos, capsys):
    code, rows = classify_json(capsys, model, photos, "--top", 2)
    assert code == 0
    labels = {row["file"]: row["classes"][0]["label"] for row in rows}
    assert labels == {str(photos / "deep/blue.jpg"): "blue", str(photos / "red.png"): "red"}
    assert [set(entry) for entry in rows[0]["classes"]] == [{"label", "index", "score"}] * 2


def test_classify_prints_text(model, photos, capsys):
    assert run(["classify", str(model), str(photos / "red.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(photos / "red.png")
    assert lines[1].split() == ["99.6", "%", "red"]


@pytest.fixture
def gray(tmp_path):
    """An image of no color, for which all scores are alike."""
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((32, 48, 3), 128, np.uint8))
    return tmp_path / "gray.png"


@pytest.fixture
def wary(model, tmp_path):
    """The same model with a threshold of 62.5 %."""
    content = model.read_bytes()
    path = tmp_path / "wary.tflite"
    path.write_bytes(write_metadata(content, replace(metadata.read(content), threshold=0.625)))
    return path


def test_below_the_threshold_of_the_model_the_class_is_unknown(wary, photos, gray, capsys):
    assert run(["classify", str(wary), str(gray), str(photos / "red.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "  unknown  (best: red 33.2 %, below 62.5 %)"
    assert lines[3].split() == ["99.6", "%", "red"]
    code, rows = classify_json(capsys, wary, gray, photos / "red.png")
    assert code == 0
    assert [row["unknown"] for row in rows] == [True, False]
    assert [row["threshold"] for row in rows] == [0.625, 0.625]
    assert len(rows[0]["classes"]) == 3


def test_a_threshold_on_the_command_line_overrides_the_model(model, wary, photos, gray, capsys):
    _, (lower,) = classify_json(capsys, wary, gray, "--threshold", 0.3)
    assert (lower["unknown"], lower["threshold"]) == (False, 0.3)
    _, (off,) = classify_json(capsys, wary, gray, "--threshold", 0)
    assert off["unknown"] is False
    assert "threshold" not in off
    _, (own,) = classify_json(capsys, model, photos / "red.png", "--threshold", 0.999)
    assert own["unknown"] is True


@pytest.mark.parametrize("value", ["80", "-0.1", "nan", "much"])
def test_a_threshold_out_of_range_is_an_error(model, photos, capsys, value):
    assert run(["classify", str(model), str(photos), "--threshold", value]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "threshold" in printed.err


def test_a_broken_image_among_others_exits_with_1(model, photos, capsys):
    (photos / "broken.jpg").write_text("no image")
    code, rows = classify_json(capsys, model, photos)
    assert code == 1
    assert ["error" in row for row in rows] == [True, False, False]
    assert "broken.jpg" in rows[0]["error"]


def test_photos_that_are_not_read_are_named_and_those_without_a_suffix_read(model, photos, capsys):
    (photos / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (photos / "red").write_bytes((photos / "red.png").read_bytes())
    code, rows = classify_json(capsys, model, photos)
    assert code == 1
    errors = {Path(row["file"]).name: row.get("error", "") for row in rows}
    assert "HEIC" in errors.pop("phone.HEIC")
    assert errors.pop("red") == ""
    assert not any(errors.values())


def test_nothing_to_classify_is_an_error(model, photos, tmp_path, capsys):
    code, rows = classify_json(capsys, model, photos / "notes.txt", tmp_path / "absent.jpg")
    assert code == 2
    assert all("error" in row for row in rows)
    (tmp_path / "empty").mkdir()
    code, answer = classify_json(capsys, model, tmp_path / "empty")
    assert (code, answer["error"]["code"]) == (2, "no-images")


def test_notes_go_to_stderr_and_native_logs_nowhere(tiny_model, photos, tmp_path, run_edge):
    (tmp_path / "plain.tflite").write_bytes(tiny_model())
    done = run_edge("classify", tmp_path / "plain.tflite", photos, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)
    lines = done.stderr.splitlines()
    assert lines
    assert all(line.startswith("note: ") for line in lines)


def test_a_closed_pipe_ends_quietly(model, photos):
    many = " ".join([str(photos)] * 20)  # so that some are written after head has gone
    command = f"{sys.executable} -m edge classify {model} {many} | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_bench_reports_what_ran(model, capsys):
    assert run(["bench", str(model), "--threads", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["interpreter"].startswith("ai-edge-litert ")
    assert (figures["delegate"], figures["threads"]) == ("cpu", 1)
    assert 0 < figures["p50_ms"] <= figures["p95_ms"]
    assert figures["runs"] >= 30
    assert figures["load_ms"] > 0
    assert 20e6 < figures["peak_memory_bytes"] < 4e9
    assert type(figures["noisy"]) is bool
    assert run(["bench", str(model)]) == 0
    assert "95th percentile" in capsys.readouterr().out


@pytest.mark.parametrize("noisy", [True, False])
def test_bench_says_noisy(model, capsys, monkeypatch, noisy):
    timing = benchmark.InvokeTiming(2.0, 1.0, 3.0, 30, noisy)
    monkeypatch.setattr(benchmark, "measure", lambda runtime: timing)
    assert run(["bench", str(model)]) == 0
    assert ("\n  noisy  " in capsys.readouterr().out) == noisy


def test_inspect_shows_the_contents(model, capsys):
    assert run(["inspect", str(model), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["bytes"] == model.stat().st_size
    assert facts["inputs"][0]["shape"] == [1, 4, 4, 3]
    assert facts["outputs"][0]["zero_point"] == -128
    assert facts["quantisation"]["kind"] == "full integer"
    assert facts["quantisation"]["weights"]["int8"] == 3 * 48
    assert facts["metadata"]["labels"] == 3
    assert facts["metadata"]["provenance"] == {"seed": 4}
    rows = {row["name"]: row for row in facts["operations"]}
    assert rows["FULLY_CONNECTED"]["parameter_bytes"] == 3 * 48
    assert rows["SOFTMAX"]["version"] == 2
    assert facts["edgetpu"] is False


def test_inspect_prints_no_terminal_control_characters(model, capsys):
    assert run(["inspect", str(model)]) == 0
    printed = capsys.readouterr().out
    assert "3: red; green; blue" in printed
    assert "FULLY_CONNECTED" in printed
    assert "\x1b[31m" not in printed


def test_inspect_shows_the_threshold(model, wary, capsys):
    assert run(["inspect", str(wary), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metadata"]["threshold"] == 0.625
    assert run(["inspect", str(wary)]) == 0
    assert "threshold   62.5 %" in capsys.readouterr().out
    assert run(["inspect", str(model)]) == 0
    assert "threshold" not in capsys.readouterr().out


def test_inspect_a_model_that_cannot_run(edgetpu_model, tmp_path, capsys):
    (tmp_path / "m_edgetpu.tflite").write_bytes(edgetpu_model())
    assert run(["inspect", str(tmp_path / "m_edgetpu.tflite"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["edgetpu"] is True
    assert facts["operations"][0]["name"] == "edgetpu-custom-op"
    assert facts["metadata"] is None


@pytest.mark.parametrize("command", ["inspect", "bench"])
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "model-not-tflite"),
        (b"some text that is no model", "model-not-tflite"),
        (b"\x1c\0\0\0TFL3", "model-damaged"),
    ],
)
def test_an_invalid_model_is_one_clear_error(tmp_path, capsys, command, content, code):
    (tmp_path / "m.tflite").write_bytes(content)
    assert run([command, str(tmp_path / "m.tflite")]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert error_code(printed.err) == code


def test_a_result_folder_is_taken_as_its_model(model, photos, capsys):
    folder = model.parent / "result"
    folder.mkdir()
    model.rename(folder / "model.tflite")
    code, rows = classify_json(capsys, folder, photos / "red.png")
    assert (code, rows[0]["classes"][0]["label"]) == (0, "red")
    for command in ("bench", "inspect"):
        assert run([command, str(folder), "--json"]) == 0
        assert str(folder / "model.tflite") in json.loads(capsys.readouterr().out).values()
    assert run(["classify", str(photos), str(photos / "red.png")]) == 2
    assert error_code(capsys.readouterr().err) == "folder-without-model"
