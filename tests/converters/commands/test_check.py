"""The command ``edge check``."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from click.testing import CliRunner, Result
from edgetpu_graphs import Sketch
from errors import error_code

from converters.commands.check import check
from converters.edgetpu.rules import MODEL_RULES, REPLACEMENTS
from edge.cli import run

IMAGE = [1, 8, 8, 4]


def partly() -> bytes:
    """RELU, then an operation that is not supported, then RELU6 behind it."""
    sketch = Sketch()
    output = sketch.op("RELU", [sketch.input(IMAGE)], IMAGE)
    output = sketch.op("LEAKY_RELU", [output], IMAGE, name="leaky")
    return sketch.finish(sketch.op("RELU6", [output], IMAGE))


MODELS = {
    "full": (tiny_models.color_model("int8"), 0),
    "partly": (partly(), 1),
    "none": (tiny_models.color_model("float32"), 3),
    "compiled": (tiny_models.edgetpu_model(), 0),
    "partly compiled": (tiny_models.partly_edgetpu_model(), 1),
}


@pytest.fixture
def check_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")

    def invoke(content: bytes, *options: str) -> Result:
        model = tmp_path / "model.tflite"
        model.write_bytes(content)
        return CliRunner().invoke(check, [str(model), *options], standalone_mode=False)

    return invoke


@pytest.mark.parametrize("kind", MODELS)
def test_the_exit_code_says_how_much_is_mapped(check_file, kind):
    content, code = MODELS[kind]
    assert check_file(content).return_value == code
    assert check_file(content, "--json").return_value == code


def test_json_holds_the_prediction(check_file):
    result = json.loads(check_file(partly(), "--json").output)
    assert result["mapped"] == 1
    assert result["cpu"] == {"LEAKY_RELU": 1, "RELU6": 1}
    first = result["first_refused"]
    assert (first["op"], first["index"], first["output"]) == ("LEAKY_RELU", 1, "leaky")
    assert first["reason"] == "unsupported op" and "RELU" in first["change"]
    assert result["parameters"] == {"on_chip": 0, "off_chip": 0}
    full = json.loads(check_file(MODELS["full"][0], "--json").output)
    assert (full["mapped"], full["cpu"], full["first_refused"]) == (3, {}, None)


def test_text_shows_the_cut_and_what_to_change(check_file):
    text = check_file(partly()).output
    assert "1 of 3 operations" in text
    assert "operation 1, LEAKY_RELU" in text
    assert ": RELU6" in text
    assert REPLACEMENTS["LEAKY_RELU"].partition(",")[0] in text
    # A path and a command are for copying, and never broken over lines.
    assert max(map(len, text.splitlines()[1:-1])) <= 80


def test_a_float_model_gets_the_advice_to_quantize(check_file):
    text = check_file(MODELS["none"][0]).output
    assert "none of the 3 operations" in text
    assert "variants/int8.tflite" in " ".join(text.split())


def test_a_model_that_the_compiler_cannot_read_is_reported(check_file):
    sketch = Sketch()
    output = sketch.op("RELU", [sketch.input([-1, 8, 8, 4])], IMAGE)
    text = check_file(sketch.finish(output)).output
    assert "dynamic tensor" in text
    assert MODEL_RULES[1].change.partition(" (")[0] in text


def test_a_guessed_failure_of_the_compiler_is_called_probable(check_file):
    sketch = Sketch()
    paddings = sketch.constant([[0, 0], [0, 1], [0, 0], [0, 0]])
    padded = sketch.op("PAD", [sketch.input([1, 7, 8, 4]), paddings], IMAGE)
    result = check_file(sketch.finish(sketch.op("ADD", [padded, sketch.input(IMAGE)], IMAGE)))
    assert result.return_value == 3
    assert "probably" in result.output and "guess" in result.output


def test_a_compiled_model_is_reported(check_file):
    text = check_file(MODELS["partly compiled"][0]).output
    assert "edgetpu-custom-op" in text and "edge compile" not in text
    assert "compiled: 1 part on the Edge TPU, " in text


def test_a_count_of_one_is_singular(check_file):
    text = check_file(MODELS["compiled"][0]).output
    assert "compiled: 1 part on the Edge TPU, 0 operations on the CPU" in text
    sketch = Sketch()
    alone = sketch.finish(sketch.op("RELU", [sketch.input(IMAGE)], IMAGE))
    assert "runs the only operation" in check_file(alone).output


def test_names_in_a_file_do_not_steer_the_terminal(check_file):
    sketch = Sketch()
    output = sketch.op("CUSTOM:[red]\x1b[31mnasty", [sketch.input(IMAGE)], IMAGE)
    text = check_file(sketch.finish(output)).output
    assert "\x1b[31mnasty" not in text and "[red]" in text


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"garbage, not a model at all", "model-not-tflite"),
        (b"", "model-not-tflite"),
        (tiny_models.color_model("int8")[:900], "model-damaged"),
    ],
)
def test_an_unreadable_file_ends_with_2_and_one_line(tmp_path, capsys, content, code):
    (tmp_path / "bad.tflite").write_bytes(content)
    assert run(["check", str(tmp_path / "bad.tflite")]) == 2
    printed = capsys.readouterr()
    assert "bad.tflite" in printed.err and error_code(printed.err) == code
    assert printed.err.count("\n") == 1 and printed.out == ""


def test_damage_anywhere_gives_a_verdict_or_an_error(tmp_path, capsys):
    content = bytearray(partly())
    chance = np.random.default_rng(3)
    for _ in range(300):
        damaged = content.copy()
        for at in chance.integers(0, len(content), 3):
            damaged[at] = chance.integers(0, 256)
        (tmp_path / "damaged.tflite").write_bytes(damaged)
        assert run(["check", str(tmp_path / "damaged.tflite")]) in (0, 1, 2, 3)
        assert "internal error" not in capsys.readouterr().err


def test_neither_tensorflow_nor_an_interpreter_is_needed(tmp_path):
    (tmp_path / "model.tflite").write_bytes(partly())
    program = (
        "import sys\n"
        "from edge.cli import run\n"
        f"code = run(['check', {str(tmp_path / 'model.tflite')!r}])\n"
        "heavy = ('tensorflow', 'tf_keras', 'sklearn', 'cv2', 'matplotlib')\n"
        "assert code == 1 and not [name for name in heavy if name in sys.modules]\n"
        "assert 'ai_edge_litert.interpreter' not in sys.modules\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr


def test_a_result_folder_is_checked_by_its_model(check_file, tmp_path):
    alone = json.loads(check_file(partly(), "--json").output)
    result = CliRunner().invoke(check, [str(tmp_path), "--json"], standalone_mode=False)
    assert json.loads(result.output) == alone


@pytest.mark.parametrize("kind", MODELS)
def test_check_ends_with_what_to_do_next(check_file, tmp_path, kind):
    model = tmp_path / "model.tflite"
    command = {
        "full": f"edge compile {model}",
        "partly": f"edge compile {model}",
        "none": "",
        "compiled": f"edge bench {model} --delegate edgetpu",
        "partly compiled": f"edge bench {model} --delegate edgetpu",
    }[kind]
    (step,) = json.loads(check_file(MODELS[kind][0], "--json").output)["next_steps"]
    assert step["command"] == command
    assert step["why"] in " ".join(check_file(MODELS[kind][0]).output.split())


def test_a_float_model_of_a_result_leads_to_its_int8_file(check_file, tmp_path):
    int8 = tmp_path / "variants" / "int8.tflite"
    int8.parent.mkdir()
    int8.write_bytes(MODELS["full"][0])
    (tmp_path / "report.json").touch()
    (step,) = json.loads(check_file(MODELS["none"][0], "--json").output)["next_steps"]
    assert step["command"] == f"edge check {int8}"
