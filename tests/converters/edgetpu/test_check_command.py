"""``edge check`` as a user runs it."""

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
from converters.edgetpu.advice import INSTEAD
from converters.edgetpu.rules import WHOLE
from edge.cli import run

IMAGE = [1, 8, 8, 4]


def partly() -> bytes:
    """RELU, then an operation that is not supported, then RELU6 behind it."""
    sketch = Sketch()
    made = sketch.op("RELU", [sketch.input(IMAGE)], IMAGE)
    made = sketch.op("LEAKY_RELU", [made], IMAGE, name="leaky")
    return sketch.finish(sketch.op("RELU6", [made], IMAGE))


MODELS = {
    "full": (tiny_models.color_model("int8"), 0),
    "partly": (partly(), 1),
    "none": (tiny_models.color_model("float32"), 3),
    "compiled": (tiny_models.edgetpu_model(), 0),
    "partly compiled": (tiny_models.partly_edgetpu_model(), 1),
}


@pytest.fixture
def on_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")

    def ask(content: bytes, *words: str) -> Result:
        model = tmp_path / "model.tflite"
        model.write_bytes(content)
        return CliRunner().invoke(check, [str(model), *words], standalone_mode=False)

    return ask


@pytest.mark.parametrize("kind", MODELS)
def test_the_exit_code_says_how_much_is_mapped(on_file, kind):
    content, code = MODELS[kind]
    assert on_file(content).return_value == code
    assert on_file(content, "--json").return_value == code


def test_json_holds_what_scripts_ask_for(on_file):
    told = json.loads(on_file(partly(), "--json").output)
    assert told["mapped"] == 1
    assert told["cpu"] == {"LEAKY_RELU": 1, "RELU6": 1}
    first = told["first_refused"]
    assert (first["op"], first["index"], first["output"]) == ("LEAKY_RELU", 1, "leaky")
    assert first["reason"] == "unsupported op" and "RELU" in first["change"]
    assert told["parameters"] == {"on_chip": 0, "off_chip": 0}
    whole = json.loads(on_file(MODELS["full"][0], "--json").output)
    assert (whole["mapped"], whole["cpu"], whole["first_refused"]) == (3, {}, None)


def test_people_are_told_where_the_graph_is_cut_and_what_to_change(on_file):
    told = on_file(partly()).output
    assert "1 of 3 operations" in told
    assert "operation 1, LEAKY_RELU" in told
    assert ": RELU6" in told
    assert INSTEAD["LEAKY_RELU"].partition(",")[0] in told
    assert max(map(len, told.splitlines()[1:])) <= 80


def test_a_float_model_is_told_to_quantize(on_file):
    told = on_file(MODELS["none"][0]).output
    assert "none of the 3 operations" in told
    assert "variants/int8.tflite" in " ".join(told.split())


def test_a_model_that_the_compiler_cannot_read_is_told_so(on_file):
    sketch = Sketch()
    made = sketch.op("RELU", [sketch.input([-1, 8, 8, 4])], IMAGE)
    told = on_file(sketch.finish(made)).output
    assert "dynamic tensor" in told
    assert WHOLE[1].change.partition(" (")[0] in told


def test_a_compiled_model_is_told_so(on_file):
    told = on_file(MODELS["partly compiled"][0]).output
    assert "edgetpu-custom-op" in told and "edge compile" not in told


def test_names_in_a_file_do_not_steer_the_terminal(on_file):
    sketch = Sketch()
    made = sketch.op("CUSTOM:[red]\x1b[31mnasty", [sketch.input(IMAGE)], IMAGE)
    told = on_file(sketch.finish(made)).output
    assert "\x1b[31mnasty" not in told and "[red]" in told


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
    told = capsys.readouterr()
    assert "bad.tflite" in told.err and error_code(told.err) == code
    assert told.err.count("\n") == 1 and told.out == ""


def test_damage_anywhere_gives_a_verdict_or_an_error_in_words(tmp_path, capsys):
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
