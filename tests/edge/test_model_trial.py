"""A file that crashes an interpreter, or never ends, ends its trial and not the program."""

import time

import hostile
import numpy as np
import pytest
from errors import error_code, raises_code
from mask_models import scores_model

from edge import interpreter, known_models, model_trial
from edge.model_trial import CrashError, LimitError, TrialError

MODULE = "ai_edge_litert.interpreter"


@pytest.fixture
def interpreter_that(tmp_path, monkeypatch):
    """Put a module called ``odd`` in the subprocess's path, whose Interpreter does something."""

    def make(statement):
        lines = (
            "import os, signal, time",
            "class Interpreter:",
            "    def __init__(self, **_):",
            f"        {statement}",
        )
        (tmp_path / "odd.py").write_text("\n".join(lines))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return "odd"

    return make


@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", CrashError, "SIGSEGV"),
        ("os.abort()", CrashError, "SIGABRT"),
        ("raise SystemError('odd')", CrashError, "SystemError: odd"),
        ("os._exit(3)", CrashError, "exit code 3"),
        ("bytearray(1 << 30)", LimitError, "340 MB"),
        ("raise ValueError('no such operation')", TrialError, "failed to load (no such operation)"),
    ],
)
def test_how_a_trial_ends(interpreter_that, statement, kind, words):
    with pytest.raises(kind, match=words.replace("(", r"\(").replace(")", r"\)")):
        model_trial.run(b"", interpreter_that(statement), {}, 0, 0)


@pytest.mark.parametrize("statement", ["while True: pass", "time.sleep(60)"])
def test_a_model_that_never_ends_is_stopped(interpreter_that, monkeypatch, statement):
    monkeypatch.setattr(model_trial, "CPU_S", 0.2)
    monkeypatch.setattr(model_trial, "WALL_S", 0.6)
    start = time.monotonic()
    with pytest.raises(LimitError):
        model_trial.run(b"", interpreter_that(statement), {}, 0, 0)
    assert time.monotonic() - start < 10


def test_more_work_gets_more_time_and_larger_files_more_memory(monkeypatch):
    tasks = []

    def spawn(task, *_):
        tasks.append(task)
        return model_trial.TrialEnd(0, b'{"error": null}', ())

    monkeypatch.setattr(model_trial, "_spawn", spawn)
    model_trial.run(b"", MODULE, {}, 0, 0)
    model_trial.run(bytes(1000), MODULE, {}, 10**9, 0)
    small, large = tasks
    assert large["cpu_s"] > small["cpu_s"] + 5
    assert large["memory"] == small["memory"] + 8000


def test_an_unknown_file_is_tried_once(none_known, monkeypatch, tiny_model):
    tried = []
    monkeypatch.setattr(model_trial, "run", lambda *args: tried.append(args))
    for _ in range(2):
        interpreter.load(tiny_model(), name="model.tflite")
    assert len(tried) == 1
    monkeypatch.setattr(known_models, "_here", set())  # another process
    interpreter.load(tiny_model(), name="copy.tflite")
    assert len(tried) == 1
    interpreter.load(tiny_model("int8"), name="model.tflite")
    assert len(tried) == 2


def test_a_new_interpreter_tries_a_file_again(none_known, monkeypatch, tiny_model):
    tried = []
    monkeypatch.setattr(model_trial, "run", lambda *args: tried.append(args))
    for version in ("1.0", "1.0", "2.0"):
        monkeypatch.setattr(interpreter, "_with_version", lambda name, v=version: f"{name} {v}")
        interpreter.load(tiny_model(), name="model.tflite")
    assert len(tried) == 2


def test_a_file_that_fails_is_not_remembered(none_known, monkeypatch, tiny_model):
    def crash(*_):
        raise CrashError("crashes the interpreter (SIGSEGV)")

    monkeypatch.setattr(model_trial, "run", crash)
    for _ in range(2):
        with raises_code("model-crashes", found="SIGSEGV"):
            interpreter.load(tiny_model(), name="model.tflite")
    interpreter.load(tiny_model(), name="model.tflite", trusted=True)


def test_a_whole_model_passes_its_trial(none_known, tiny_model):
    runtime = interpreter.load(tiny_model(), name="model.tflite")
    assert known_models.is_known(known_models.digest(tiny_model()), runtime.package)


@pytest.mark.parametrize("side", [3400, 8000])  # it fails while it runs, and before it is tried
def test_a_model_that_needs_much_memory_is_told_in_a_line(none_known, tmp_path, run_edge, side):
    def grow(model):
        for tensor in model.subgraphs[0].tensors:
            tensor.shape = np.asarray([1, side, side, 3], np.int32)

    model = tmp_path / "large.tflite"
    model.write_bytes(hostile.edited(scores_model(), grow))
    done = run_edge("bench", model)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert error_code(done.stderr) == "model-over-limit"
    assert "--trust" in done.stderr


def test_trust_skips_the_trial_from_then_on(
    none_known, tmp_path, run_here, monkeypatch, tiny_model
):
    def refuse(*_):
        raise LimitError("computes for more than 1 s")

    monkeypatch.setattr(model_trial, "run", refuse)
    model = tmp_path / "model.tflite"
    model.write_bytes(tiny_model())
    assert error_code(run_here("bench", model).stderr) == "model-over-limit"
    assert run_here("bench", model, "--trust").returncode == 0
    assert run_here("bench", model).returncode == 0
