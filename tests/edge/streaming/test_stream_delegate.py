"""A delegate that dies in the middle of a stream: a real library in the place of libedgetpu.

It takes over a compiled model's operation as libedgetpu does, and fails after some invokes, as that
does where its USB cable is pulled. What a real Edge TPU does then was not tried.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_models
from errors import raises_code
from streams import ListingSink

import edge
from edge import edgetpu_probe

# The first fields of TensorFlow Lite's C structures; those that follow are left at zero.
LIBRARY = """
#include <stdlib.h>
typedef struct { int size; int data[]; } Ints;
typedef struct {
    void *init, *free, *prepare; int (*invoke)(void *, void *); void *profiling;
    int code; const char *name; int version; void *rest[16];
} Kernel;
typedef struct Context {
    size_t tensors; int (*plan)(struct Context *, Ints **);
    void *own, *implementation, *resize, *report, *add, *node;
    int (*replace)(struct Context *, Kernel, const Ints *, void *);
} Context;

static int left = INVOKES;
static int invoke(void *context, void *node) { return left-- > 0 ? 0 : 1; }
static int prepare(void *context, void *delegate) {
    Context *it = context;
    Ints *plan;
    Kernel kernel = {0};
    kernel.invoke = invoke, kernel.name = "stand-in", kernel.version = 1;
    return it->plan(it, &plan) ? 1 : it->replace(it, kernel, plan, delegate);
}
struct delegate {
    void *data; int (*prepare)(void *, void *); void *copies[3]; long long flags; void *rest[16];
};
void *tflite_plugin_create_delegate(char **k, char **v, size_t n, void (*e)(const char *)) {
    struct delegate *result = calloc(1, sizeof *result);
    result->prepare = prepare;
    result->flags = 1;  /* tensors may be dynamic: it is asked before the CPU's operations are */
    return result;
}
void tflite_plugin_destroy_delegate(void *delegate) { free(delegate); }
"""


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model for the Edge TPU, and a library that runs it 20 times in a process."""
    if shutil.which("gcc") is None or sys.platform != "linux":
        pytest.skip("gcc: no compiler to make a stand-in for libedgetpu")
    source, library = tmp_path / "stand_in.c", tmp_path / "libstand_in.so"
    source.write_text(LIBRARY)
    command = ["gcc", "-shared", "-fPIC", "-DINVOKES=20", "-o", library, source]
    subprocess.run(command, check=True)
    monkeypatch.setattr(edgetpu_probe, "library", lambda: str(library))
    path = tmp_path / "colors_edgetpu.tflite"
    path.write_bytes(tiny_models.edgetpu_model())
    return path


def test_the_stream_goes_on_with_the_twin_and_says_so(
    compiled: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    twin = tiny_models.color_classifier("uint8")
    compiled.with_name("colors.tflite").write_bytes(twin)
    task = edge.Classifier.open(compiled, threads=1, smoothing=0)
    assert task.runtime.delegate == "edgetpu"
    sink, notes = ListingSink(), []
    done = edge.run(task, "synthetic:64x48?frames=50", [sink], say=notes.append)
    assert [output.index for output in sink.got] == list(range(50))
    by_delegate = [output.status.delegate for output in sink.got]
    assert by_delegate == ["edgetpu"] * 20 + ["cpu"] * 30
    assert (done.frames, done.delegate) == (50, "cpu")
    assert "edgetpu" in notes[0]
    assert "CPU" in notes[0]
    assert notes[0] in done.to_dict()["notes"]
    assert sum(score.score for score in sink.got[-1].result.classes) == pytest.approx(1, abs=0.02)
    assert "INFO" not in capfd.readouterr().err


def test_without_a_twin_the_error_says_what_died_and_what_is_missing(compiled: Path) -> None:
    sink = ListingSink()
    with raises_code("cpu-model-missing", found="edgetpu") as caught:
        edge.run(edge.Classifier.open(compiled), "synthetic:64x48", [sink])
    assert str(compiled.with_name("colors.tflite")) in caught.value.found
    assert len(sink.got) == 20
    assert sink.closed == 1
