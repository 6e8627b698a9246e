"""The command ``edge compile``, with a stand-in that replays the compiler's output."""

import json
import os
from pathlib import Path

import pytest
import replaying_compiler
import tiny_models
from compiler_texts import ALL, NONE, PARTLY, failure, success
from errors import error_code

from edge.cli import run
from edge.modelfile import metadata, tflite
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.quantities import size

ABOUT = ModelMetadata(name="Colors", labels=("red", "green", "blue"), mean=(127.5,), std=(127.5,))


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "models" / "colors.tflite"
    path.parent.mkdir()
    path.write_bytes(write_metadata(tiny_models.color_model(), ABOUT))
    return path


def compile_json(capsys, *args):
    code = run(["compile", *map(str, args), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_fully_mapped_model_is_written_beside_it(model, compiler_on_path, predict_cpu, capsys):
    predict_cpu()
    compiler_on_path(success(*ALL), tiny_models.edgetpu_model())
    assert run(["compile", str(model)]) == 0
    printed = capsys.readouterr()
    written = model.with_name("colors_edgetpu.tflite")
    assert printed.out.splitlines()[0] == str(written)
    assert "runs all 3 operations" in printed.out
    assert "mismatch" not in printed.out
    assert f"{size(2**20)} on the chip, {size(2**21)} streamed" in printed.out
    assert printed.err == ""
    assert tflite.parse(written.read_bytes()).for_edgetpu
    assert metadata.read(written.read_bytes()) == ABOUT
    assert sorted(os.listdir(model.parent)) == ["colors.tflite", "colors_edgetpu.tflite"]


def test_a_partly_mapped_model_shows_the_cpu_operations_and_the_mismatch(
    model, compiler_on_path, predict_cpu, capsys
):
    predict_cpu()
    compiler_on_path(success(*PARTLY), tiny_models.partly_edgetpu_model())
    assert run(["compile", str(model)]) == 1
    out = capsys.readouterr().out
    assert "runs 2 of 3 operations" in out
    assert "1 × SOFTMAX (Operation not supported)" in out
    assert "mismatch: SOFTMAX: predicted 0 on the CPU, got 1" in out
    assert model.with_name("colors_edgetpu.tflite").exists()


def test_json_holds_the_result(model, compiler_on_path, predict_cpu, capsys):
    predict_cpu(SOFTMAX=1)
    compiler_on_path(success(*PARTLY), tiny_models.partly_edgetpu_model())
    code, facts = compile_json(capsys, model)
    assert code == 1
    assert facts["model"] == str(model)
    assert facts["output"] == str(model.with_name("colors_edgetpu.tflite"))
    assert (facts["status"], facts["operations"], facts["mapped"]) == ("partly", 3, 2)
    assert (facts["cpu"], facts["subgraphs"]) == ({"SOFTMAX": 1}, 1)
    assert facts["parameters"] == {
        "on_chip": 2**20,
        "on_chip_free": round(6.5 * 2**20),
        "off_chip": 2 * 2**20,
    }
    assert facts["table"][2] == {"op": "SOFTMAX", "count": 1, "status": "Operation not supported"}
    assert facts["output_bytes"] == Path(facts["output"]).stat().st_size
    assert (facts["foreseen"], facts["differences"]) == ({"cpu": {"SOFTMAX": 1}}, [])


def test_nothing_mapped_writes_nothing(model, compiler_on_path, predict_cpu, capsys):
    predict_cpu()
    compiler_on_path(success(*NONE, subgraphs=0), tiny_models.color_model())
    code, facts = compile_json(capsys, model)
    assert code == 3
    assert (facts["status"], facts["output"], facts["mapped"]) == ("none", None, 0)
    assert run(["compile", str(model)]) == 3
    assert "runs 0 of 3 operations" in capsys.readouterr().out
    assert os.listdir(model.parent) == ["colors.tflite"]


@pytest.mark.parametrize("where", ["elsewhere", "elsewhere/bird.tflite"])
def test_the_output_path(model, compiler_on_path, predict_cpu, tmp_path, where):
    predict_cpu()
    (tmp_path / "elsewhere").mkdir()
    compiler_on_path(success(*ALL), tiny_models.edgetpu_model())
    assert run(["compile", str(model), "-o", str(tmp_path / where)]) == 0
    expected = "bird.tflite" if where.endswith("tflite") else "colors_edgetpu.tflite"
    assert os.listdir(tmp_path / "elsewhere") == [expected]


@pytest.mark.parametrize(
    ("out", "code"),
    [
        ("models/colors.tflite", "output-path-conflict"),
        ("no/where.tflite", "output-folder-not-found"),
    ],
)
def test_an_invalid_output_path(model, compiler_on_path, tmp_path, capsys, out, code):
    stand_in = compiler_on_path(success(*ALL), tiny_models.edgetpu_model())
    before = model.read_bytes()
    assert run(["compile", str(model), "-o", str(tmp_path / out)]) == 2
    assert error_code(capsys.readouterr().err) == code
    assert model.read_bytes() == before
    assert not (stand_in.folder / "arguments.json").exists()  # reported before any work


@pytest.mark.parametrize(
    ("transcript", "code", "error"),
    [
        (
            failure("Compilation failed: large activation tensors in model."),
            1,
            "activations-too-large",
        ),
        (success(*ALL), 0, "compiler-output-invalid"),
        ("Segmentation fault\n", 139, "compiler-failed"),
    ],
)
def test_a_failure_is_one_line_and_leaves_an_earlier_result(
    model, compiler_on_path, predict_cpu, capsys, transcript, code, error
):
    predict_cpu()
    earlier = model.with_name("colors_edgetpu.tflite")
    earlier.write_bytes(b"earlier")
    compiler_on_path(transcript, code=code)
    assert run(["compile", str(model)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert error_code(printed.err) == error
    assert earlier.read_bytes() == b"earlier"
    assert len(os.listdir(model.parent)) == 2


def test_a_compiler_that_hangs_is_an_error(model, compiler_on_path, predict_cpu, capsys):
    predict_cpu()
    compiler_on_path("", hangs=True)
    code, answer = compile_json(capsys, model, "--timeout", 0.5)
    assert (code, answer["error"]["kind"]) == (2, "CompilerError")
    assert answer["error"]["code"] == "compiler-timeout"
    assert "0.5 seconds" in answer["error"]["expected"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "model-not-tflite"),
        (b"some text that is no model", "model-not-tflite"),
        (b"\x1c\0\0\0TFL3", "model-damaged"),
    ],
)
def test_an_invalid_model_is_one_clear_error(tmp_path, compiler_on_path, capsys, content, code):
    compiler_on_path(success(*ALL), tiny_models.edgetpu_model())
    (tmp_path / "m.tflite").write_bytes(content)
    assert run(["compile", str(tmp_path / "m.tflite")]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert "m.tflite" in printed.err and error_code(printed.err) == code


def test_without_a_compiler_instructions_are_printed(model, no_compiler, predict_cpu, capsys):
    predict_cpu()
    assert run(["compile", str(model)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    for line in (
        "sudo apt-get update && sudo apt-get install edgetpu-compiler",
        "edge compile --docker-recipe | docker build",
        "https://colab.research.google.com/",
    ):
        assert line in printed.err
    assert error_code(printed.err) == "compiler-not-found"
    code, answer = compile_json(capsys, model)
    assert (code, answer["error"]["kind"]) == (2, "MissingCompilerError")


def test_docker_without_the_image_prints_its_recipe(model, compiler_on_path, predict_cpu, capsys):
    predict_cpu()
    stand_in = compiler_on_path(success(*ALL), tiny_models.edgetpu_model())
    replaying_compiler.install_docker(stand_in.folder, "Error: No such image: edgetpu-compiler")
    assert run(["compile", str(model), "--docker"]) == 2
    printed = capsys.readouterr()
    assert run(["compile", "--docker-recipe"]) == 0
    recipe = capsys.readouterr().out
    assert recipe.startswith("FROM --platform=linux/amd64 debian:")
    assert "apt-get install -y --no-install-recommends edgetpu-compiler" in recipe
    assert recipe in printed.err
    assert "docker build --platform linux/amd64 -t edgetpu-compiler -" in printed.err


def test_docker_compiles_where_there_is_the_image(model, compiler_on_path, predict_cpu, capsys):
    predict_cpu()
    stand_in = compiler_on_path(success(*ALL), tiny_models.edgetpu_model())
    replaying_compiler.install_docker(stand_in.folder)
    code, facts = compile_json(capsys, model, "--docker")
    assert (code, facts["status"]) == (0, "full")


def test_labels_that_do_not_fit_are_noted(tmp_path, compiler_on_path, predict_cpu, capsys):
    predict_cpu()
    compiler_on_path(success(*ALL), tiny_models.edgetpu_model())
    (tmp_path / "plain.tflite").write_bytes(tiny_models.color_model())
    (tmp_path / "labels.txt").write_text("red\ngreen\n")
    code = run(["compile", str(tmp_path / "plain.tflite"), "--json"])
    printed = capsys.readouterr()
    assert code == 0
    assert json.loads(printed.out)["status"] == "full"
    assert printed.err.startswith("note: labels.txt ")


def test_a_result_folder_is_compiled_by_its_model(model, compiler_on_path, predict_cpu, capsys):
    predict_cpu()
    compiler_on_path(success(*ALL), tiny_models.edgetpu_model())
    model.rename(model.with_name("model.tflite"))
    code, facts = compile_json(capsys, model.parent)
    assert (code, facts["output"]) == (0, str(model.parent / "model_edgetpu.tflite"))
