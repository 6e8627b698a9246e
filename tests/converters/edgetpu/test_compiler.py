"""Compilation, with a stand-in that replays the compiler's output."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from ai_edge_litert import schema_py_generated as schema
from compiler_texts import ALL, NONE, PARTLY, failure, success
from errors import raises_code

from converters.edgetpu import compiler
from edge.modelfile import metadata, tflite
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata

ABOUT = ModelMetadata(
    name="Colors", labels=("red", "green", "blue"), mean=(127.5,), std=(127.5,), threshold=0.5
)


@pytest.fixture
def model() -> bytes:
    return write_metadata(tiny_models.color_model(), ABOUT)


def compiled_with(install, transcript, prepared=None, **behavior):
    """Compile the tiny model with a stand-in."""
    install(transcript, prepared, **behavior)
    return compiler.compile_bytes(tiny_models.color_model(), "colors.tflite")


# -- results ------------------------------------------------------------------------------


def test_a_fully_mapped_model(model, compiler_on_path, predict_cpu):
    predict_cpu()
    stand_in = compiler_on_path(success(*ALL), tiny_models.edgetpu_model())
    compiled = compiler.compile_bytes(model, "colors.tflite")
    assert (compiled.status, compiled.operations, compiled.mapped) == ("full", 3, 3)
    assert compiled.cpu == {}
    assert compiled.differences() == ()
    assert compiled.log.version == "16.0.384591198"
    assert compiled.model_log.on_chip == 2**20
    assert stand_in.arguments == ["-s", "model.tflite"]  # -t is unknown before version 16


def test_the_compiled_file_holds_the_models_metadata(model, compiler_on_path, predict_cpu):
    predict_cpu()
    compiler_on_path(success(*ALL), tiny_models.edgetpu_model())
    compiled = compiler.compile_bytes(model, "colors.tflite")
    assert metadata.read(compiled.content) == ABOUT
    assert tflite.parse(compiled.content).for_edgetpu


def test_a_compiled_file_with_metadata_is_left_as_it_is(model, compiler_on_path, predict_cpu):
    predict_cpu()
    prepared = write_metadata(tiny_models.edgetpu_model(), ABOUT) + b"\0\0"
    compiler_on_path(success(*ALL), prepared)
    assert compiler.compile_bytes(model, "colors.tflite").content == prepared


def test_a_model_without_metadata_gets_none(compiler_on_path, predict_cpu):
    predict_cpu()
    compiled = compiled_with(compiler_on_path, success(*ALL), tiny_models.edgetpu_model())
    assert compiled.content == tiny_models.edgetpu_model()


def test_a_partly_mapped_model_is_compared_with_the_prediction(compiler_on_path, predict_cpu):
    predict_cpu(SOFTMAX=1)
    prepared = tiny_models.partly_edgetpu_model()
    compiled = compiled_with(compiler_on_path, success(*PARTLY), prepared)
    assert (compiled.status, compiled.mapped, compiled.cpu) == ("partly", 2, {"SOFTMAX": 1})
    assert compiled.differences() == ()
    predict_cpu(RESHAPE=1)
    compiled = compiled_with(compiler_on_path, success(*PARTLY), prepared)
    assert compiled.differences() == (
        "RESHAPE: predicted 1 on the CPU, got 0",
        "SOFTMAX: predicted 0 on the CPU, got 1",
    )


def test_success_with_nothing_mapped_is_no_success(compiler_on_path, predict_cpu):
    predict_cpu()
    nothing = success(*NONE, subgraphs=0)
    compiled = compiled_with(compiler_on_path, nothing, tiny_models.color_model())
    assert (compiled.status, compiled.mapped) == ("none", 0)
    assert compiled.cpu == {"FULLY_CONNECTED": 1, "RESHAPE": 1, "SOFTMAX": 1}


def test_a_longer_timeout_and_a_search_are_passed_on(compiler_on_path, predict_cpu):
    predict_cpu()
    stand_in = compiler_on_path(success(*ALL), tiny_models.edgetpu_model())
    model = tiny_models.color_model()
    compiler.compile_bytes(model, "m", timeout=600.5, search_delegate=True)
    assert stand_in.arguments == ["-s", "-d", "-t", "601", "model.tflite"]


def test_labels_next_to_a_model_are_added_where_they_fit(tmp_path):
    path = tmp_path / "colors.tflite"
    path.write_bytes(tiny_models.color_model())
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    content, notes = compiler.read_model(path)
    assert metadata.read(content).labels == ("red", "green", "blue")
    assert notes == ()
    (tmp_path / "labels.txt").write_text("red\ngreen\n")
    content, notes = compiler.read_model(path)
    assert content == tiny_models.color_model()
    assert "labels.txt" in notes[0]


# -- invalid results --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prepared", "problem"),
    [
        (None, "no file"),
        (b"", "the compiler's file"),
        (b"\x1c\0\0\0TFL3 and then nothing of use", "the compiler's file"),
        (tiny_models.color_model(), "without Edge TPU operations"),
    ],
)
def test_success_without_a_valid_file_is_an_error(compiler_on_path, predict_cpu, prepared, problem):
    predict_cpu()
    with raises_code("compiler-output-invalid", found=problem, kind="CompilerError"):
        compiled_with(compiler_on_path, success(*ALL), prepared)


@pytest.mark.parametrize(
    ("transcript", "code", "problem"),
    [
        (success(*ALL), 139, "exit code 139"),
        (success(*ALL).replace("Compilation succeeded!", ""), 0, "exit code 0"),
        ("", 0, "none"),
        ("error while loading libraries: libc", 127, "error while loading libraries: libc"),
    ],
)
def test_a_file_without_success_is_an_error(
    compiler_on_path, predict_cpu, transcript, code, problem
):
    predict_cpu()
    with raises_code("compiler-failed", found=problem, kind="CompilerError") as caught:
        compiled_with(compiler_on_path, transcript, tiny_models.edgetpu_model(), code=code)
    assert f"exit code {code}" in caught.value.found


@pytest.mark.parametrize(
    ("line", "reason", "fix"),
    [
        (
            "ERROR: Attempting to use a delegate that only supports static-sized tensors with a "
            "graph that has dynamic-sized tensors.",
            "model-dynamic-shapes",
            "batch size",
        ),
        ("Compilation timeout. Caused by large activations.", "compiler-timeout", "--timeout"),
        (
            "Compilation failed: large activation tensors",
            "activations-too-large",
            "--search-delegate",
        ),
        ("Invalid model: m\nModel not quantized", "model-not-quantized", "edge convert"),
        ("Invalid model: m\n\x1b[31mSomething new", "compiler-rejected-model", "edge check"),
    ],
)
@pytest.mark.parametrize("code", [0, 1])
def test_a_rejection_has_a_reason_and_a_fix(compiler_on_path, predict_cpu, line, reason, fix, code):
    predict_cpu()
    with raises_code(reason, fix=fix, kind="CompilerError") as caught:
        compiled_with(compiler_on_path, failure(*line.splitlines()), code=code)
    assert line[-12:] in caught.value.found
    assert str(caught.value).isprintable()


def test_an_already_compiled_model_is_an_error(compiler_on_path, predict_cpu):
    predict_cpu()
    compiler_on_path(success(*ALL))
    with raises_code("model-already-compiled", found="m_edgetpu.tflite", kind="ModelError"):
        compiler.compile_bytes(tiny_models.edgetpu_model(), "m_edgetpu.tflite")


# -- real output and files ------------------------------------------------------------

REFUSED = {
    "04": ("activations-too-large", ""),
    "05": ("compiler-unsupported-op", "Atan"),
    "06": ("compiler-rejected-model", ""),
    "07": ("model-not-quantized", ""),
    "08": ("compiler-crashed", ""),
    "09": ("compiler-crashed", ""),
    "12": ("compiler-unsupported-op-version", "version 3 of QUANTIZE"),
}


@pytest.mark.realdata
@pytest.mark.parametrize("number", REFUSED)
def test_real_refusals_replayed(test_data, compiler_on_path, predict_cpu, number):
    predict_cpu()
    (path,) = (test_data / "edgetpu/compiler_output").glob(f"{number}_*.txt")
    reason, problem = REFUSED[number]
    with raises_code(reason, found=problem, kind="CompilerError"):
        compiled_with(compiler_on_path, path.read_text(), code=1)


COMPILED = {
    "mobilenet_v1_0.25_128_quant": "03_v16_no_s_success_all_mapped.txt",
    "deeplabv3_mnv2_dm05_pascal_quant": "02_v16_no_s_success_partial.txt",
}


@pytest.mark.realdata
@pytest.mark.parametrize("name", COMPILED)
def test_real_compiled_files_replayed(test_data: Path, compiler_on_path, name):
    """Real compiled files, with the compiler's output for another model."""
    source = (test_data / f"models/{name}.tflite").read_bytes()
    prepared = (test_data / f"models/{name}_edgetpu.tflite").read_bytes()
    text = (test_data / "edgetpu/compiler_output" / COMPILED[name]).read_text()
    compiler_on_path(text, prepared)
    about = ModelMetadata(name="a test", labels=("background", "thing"))
    compiled = compiler.compile_bytes(write_metadata(source, about), name)
    truth = json.loads((test_data / "edgetpu/truth.json").read_text())
    (cpu,) = [row["cpu_ops"] for row in truth if row["sha256"] == sha256(source).hexdigest()]
    assert compiled.cpu == cpu
    assert compiled.status == ("partly" if cpu else "full")
    assert (compiled.predicted.mapped, compiled.differences()) == (compiled.mapped, ())
    assert metadata.read(compiled.content) == about
    assert executables(compiled.content) == executables(prepared)


def executables(content: bytes) -> list[bytes]:
    """Return the Edge TPU programs in a compiled file, which must be aligned to 4 bytes."""
    model = schema.ModelT.InitFromPackedBuf(content)
    options = [op.customOptions for graph in model.subgraphs for op in graph.operators]
    programs = [np.asarray(part, np.uint8).tobytes() for part in options if part is not None]
    assert programs
    assert all(content.find(program) % 4 == 0 for program in programs)
    return programs
