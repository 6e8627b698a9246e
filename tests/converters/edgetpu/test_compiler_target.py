"""Compilation of the chosen variant, with a stand-in that replays the real compiler's output."""

import pytest
import tiny_models
from compiler_texts import ALL, NONE, PARTLY, failure, success
from conversion import Conversion

from converters.edgetpu.compiler import EDGETPU_FILE, Compilation, compile_for_target
from converters.report.codec import to_plain
from converters.report.model import Report
from converters.tflite import Variant
from edge.modelfile import tflite

CHOSEN = Variant("int8", tiny_models.color_model())


def report(compiled: Compilation) -> Report:
    return Report.from_dict(Conversion().record() | {"compiled": to_plain(compiled.to_dict())})


def test_for_the_cpu_nothing_is_compiled() -> None:
    assert compile_for_target(CHOSEN, "cpu") is None
    assert Conversion().report().success


def test_without_a_compiler_the_result_stays_a_success(no_compiler) -> None:
    compiled = compile_for_target(CHOSEN, "edgetpu")
    assert compiled is not None
    assert compiled.to_dict()["file"] is None
    assert "edgetpu_compiler" in compiled.notes[0]
    assert report(compiled).success


@pytest.mark.parametrize("target", ["edgetpu", "all"])
def test_a_fully_mapped_model_is_compiled(target, compiler_on_path, predict_cpu) -> None:
    predict_cpu()
    compiler_on_path(success(*ALL), tiny_models.edgetpu_model())
    compiled = compile_for_target(CHOSEN, target)
    assert compiled is not None and compiled.content is not None
    assert tflite.parse(compiled.content).for_edgetpu
    assert len(compiled.notes) == 1 and "all 3 operations" in compiled.notes[0]
    assert compiled.to_dict() | {"notes": ()} == {
        "file": EDGETPU_FILE, "notes": (), "compiler": True, "version": "16.0.384591198",
        "mapped": 3, "cpu": {},
    }  # fmt: skip
    assert report(compiled).success


def test_operations_left_to_the_cpu_are_no_success(compiler_on_path, predict_cpu) -> None:
    predict_cpu()
    compiler_on_path(success(*PARTLY), tiny_models.partly_edgetpu_model())
    compiled = compile_for_target(CHOSEN, "edgetpu")
    assert compiled is not None and compiled.content is not None
    share, difference = compiled.notes
    assert "2 of 3 operations" in share
    assert difference.startswith("SOFTMAX: ")
    assert not report(compiled).success


@pytest.mark.parametrize(
    ("transcript", "prepared", "code", "reason"),
    [
        (failure("Internal compiler error. Aborting!"), None, 1, "crashed"),
        (success(*ALL), None, 0, "no file"),  # success without a file
        (success(*NONE, subgraphs=0), tiny_models.color_model(), 0, "no operation"),
    ],
)
def test_a_compiler_that_makes_no_file_is_reported(
    transcript, prepared, code, reason, compiler_on_path, predict_cpu
) -> None:
    predict_cpu()
    compiler_on_path(transcript, prepared, code=code)
    compiled = compile_for_target(CHOSEN, "edgetpu")
    assert compiled is not None
    assert compiled.content is None
    assert reason in compiled.notes[0]
    assert not report(compiled).success
