"""The fastest interpreter runs a model; the Edge TPU is probed in a subprocess."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from errors import raises_code

from edge import edgetpu_probe, interpreter
from edge.tasks.classify.classifier import Classifier

LITERT = "ai_edge_litert.interpreter"

# Stand-ins for libedgetpu: what its entry points may do to a process.
LIBRARIES = {
    "crashes": "#include <stdlib.h>\nvoid *make(void) { abort(); }",
    "hangs": "#include <unistd.h>\nvoid *make(void) { sleep(60); return 0; }",
    "finds no device": "void *make(void) { return 0; }",
    "works": """
        #include <stdlib.h>
        static int prepare(void *context, void *delegate) { return 0; }
        struct delegate { void *data; int (*prepare)(void *, void *); void *rest[8]; };
        void *make(void) {
            struct delegate *made = calloc(1, sizeof *made);
            made->prepare = prepare;
            return made;
        }""",
}
ENTRY = """
void *tflite_plugin_create_delegate(char **k, char **v, unsigned long n, void (*e)(const char *)) {
    return make();
}
void tflite_plugin_destroy_delegate(void *delegate) {}
"""


@pytest.fixture
def edgetpu(tmp_path, monkeypatch):
    """``edgetpu(kind)`` puts a stand-in for libedgetpu in place."""

    def put(kind):
        if shutil.which("gcc") is None or sys.platform != "linux":
            pytest.skip("gcc: no compiler to make a stand-in for libedgetpu")
        source, library = tmp_path / "fake.c", tmp_path / "libfake.so"
        source.write_text(LIBRARIES[kind] + ENTRY)
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
        monkeypatch.setattr(edgetpu_probe, "library", lambda: str(library))

    return put


@pytest.fixture
def compiled(tmp_path, edgetpu_model) -> Path:
    path = tmp_path / "colors_edgetpu.tflite"
    path.write_bytes(edgetpu_model())
    return path


def test_what_runs_is_reported(tiny_model):
    runtime = interpreter.load(tiny_model(), name="m", threads=1)
    assert runtime.package.startswith("ai-edge-litert ")
    assert (runtime.delegate, runtime.threads) == ("cpu", 1)
    (image,) = runtime.inputs
    assert (image.shape, image.dtype, image.zero_point) == ((1, 4, 4, 3), "uint8", 128)
    assert image.scale == pytest.approx(1 / 127.5)
    assert runtime.outputs[0].dequantize(np.uint8([0, 128])) == pytest.approx([0, 0.5])


def test_outputs_may_be_read_where_they_lie(tiny_model):
    runtime = interpreter.load(tiny_model(), name="m", threads=1)
    image = np.full((1, 4, 4, 3), 200, np.uint8)
    (peeked,) = runtime.peek(image)
    assert not peeked.flags.owndata
    peeked = peeked.copy()
    (output,) = runtime.invoke(image)
    np.testing.assert_array_equal(peeked, output)


def test_tensorflow_is_not_imported(tiny_model, tmp_path):
    (tmp_path / "m.tflite").write_bytes(tiny_model())
    code = (
        "import sys, edge; edge.Classifier.open(sys.argv[1]); "
        "assert not {'tensorflow', 'ai_edge_litert.schema_py_generated'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "m.tflite"], check=True)


def test_a_model_that_xnnpack_rejects_runs_without_it_with_a_note():
    refused = tiny_models.color_model("int8", logits=True, logit_scale=1e-9)
    runtime = interpreter.load(refused, name="odd.tflite", interpreter="ai-edge-litert")
    assert any("XNNPACK" in note and "odd.tflite" in note for note in runtime.notes)
    (scores,) = runtime.invoke(np.zeros((1, 4, 4, 3), np.int8))
    assert scores.tolist() == [[0, 0, 0]]


def test_unknown_choices_are_corrected(tiny_model):
    with raises_code("unknown-option-value", found="edge-tpu", fix="'edgetpu'"):
        interpreter.load(tiny_model(), name="m", delegate="edge-tpu")


def test_a_wrong_input_shape_is_reported(tiny_model):
    runtime = interpreter.load(tiny_model(), name="m")
    with raises_code("model-failed", found="m, "):
        runtime.invoke(np.zeros((1, 5, 5, 3), np.uint8))


def test_numpy_2_with_tflite_runtime_is_reported(tiny_model, monkeypatch):
    monkeypatch.setattr(interpreter, "installed", lambda name: name == "tflite-runtime")
    monkeypatch.setattr(np, "__version__", "2.1.0")
    with raises_code("numpy-incompatible", found="2.1.0", fix="pip install"):
        interpreter.load(tiny_model(), name="m")


def test_a_missing_interpreter_is_reported(tiny_model, monkeypatch):
    monkeypatch.setattr(interpreter, "installed", lambda name: False)
    with raises_code("interpreter-missing", fix="pip install ai-edge-litert"):
        interpreter.load(tiny_model(), name="m")


def test_the_next_interpreter_is_taken_when_one_does_not_import(tiny_model, monkeypatch):
    modules = {"tensorflow": "ai_edge_litert.broken", "ai-edge-litert": LITERT}
    monkeypatch.setattr(interpreter, "INTERPRETERS", modules)
    assert interpreter.load(tiny_model(), name="m").package.startswith("ai-edge-litert")


def test_a_cpu_model_cannot_run_on_the_edge_tpu(tiny_model):
    with raises_code("model-not-for-edgetpu", fix="edge compile"):
        interpreter.load(tiny_model(), name="m", delegate="edgetpu")


@pytest.mark.parametrize("delegate", ["cpu", "auto", "edgetpu"])
def test_a_compiled_model_without_an_edge_tpu_names_its_cpu_version(
    compiled, monkeypatch, delegate
):
    monkeypatch.setattr(edgetpu_probe, "library", lambda: "libabsent.so.1")
    with raises_code("edgetpu-required", fix="colors.tflite"):
        Classifier.open(compiled, delegate=delegate)


def test_auto_falls_back_to_the_cpu_version_with_a_note(compiled, tiny_model, monkeypatch):
    monkeypatch.setattr(edgetpu_probe, "library", lambda: "libabsent.so.1")
    (compiled.parent / "colors.tflite").write_bytes(tiny_model())
    model = Classifier.open(compiled)
    assert model.runtime.delegate == "cpu"
    assert any(edgetpu_probe.NO_LIBRARY in note for note in model.notes)
    with raises_code("edgetpu-required"):
        Classifier.open(compiled, delegate="edgetpu")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("crashes", "SIGABRT"), ("finds no device", edgetpu_probe.NO_DEVICE)],
)
def test_a_faulty_library_is_reported(edgetpu, compiled, kind, reason):
    edgetpu(kind)
    with raises_code("edgetpu-required", found=reason):
        interpreter.load(compiled.read_bytes(), name=str(compiled), interpreter="ai-edge-litert")


def test_a_hanging_library_times_out(edgetpu, tiny_model):
    edgetpu("hangs")
    assert "3 seconds" in edgetpu_probe.try_edgetpu(LITERT, tiny_model(), timeout=3)


def test_a_library_that_invokes_wins(edgetpu, tiny_model, compiled):
    edgetpu("works")
    assert edgetpu_probe.try_edgetpu(LITERT, tiny_model()) is None
    # This stand-in takes no operations over, so the compiled one stays unknown.
    assert "edgetpu-custom-op" in edgetpu_probe.try_edgetpu(LITERT, compiled.read_bytes())


def test_the_first_interpreter_that_invokes_is_chosen(edgetpu, tiny_model, compiled, monkeypatch):
    edgetpu("works")
    tried = []

    def refuse_the_first(module, model):
        tried.append(module)
        return "it is too new" if len(tried) == 1 else None

    monkeypatch.setattr(edgetpu_probe, "try_edgetpu", refuse_the_first)
    monkeypatch.setattr(
        interpreter, "INTERPRETERS", {"tflite-runtime": LITERT, "ai-edge-litert": LITERT}
    )
    # A plain model stands for a compiled one, which only real hardware runs.
    monkeypatch.setattr(interpreter.ModelFile, "for_edgetpu", True)
    runtime = interpreter.load(tiny_model(), name="m")
    assert len(tried) == 2
    assert runtime.delegate == "edgetpu"
    assert runtime.package.startswith("ai-edge-litert ")


@pytest.mark.realdata
def test_a_model_that_cannot_run_is_reported(test_data):
    path = test_data / "models" / "invalid" / "model_invoking_error.tflite"
    with raises_code("model-failed", found="fake-op-double"):
        interpreter.load(path.read_bytes(), name=path.name)
