"""The Python environment: what its probes said, and what is made of it."""

import signal

import pytest
from recorded_board import PYTHON, RecordedBoard

from boards.doctor import packages
from boards.doctor.probes import NO_NUMPY


def test_python_and_its_environment_are_told(board: RecordedBoard) -> None:
    assert board.one(packages.python).found == "3.11.2, /home/pi/edge"


@pytest.mark.parametrize(("version", "state"), [("3.10.9", "fail"), ("3.13.5", "ok"),
                                                ("3.14.0", "fail")])  # fmt: skip
def test_only_some_versions_of_python_will_do(
    board: RecordedBoard, version: str, state: str
) -> None:
    board.probe("python", version=version, bits=64, environment="")
    finding = board.one(packages.python)
    assert finding.state == state
    assert finding.found.startswith(version)


def test_the_interpreter_that_runs_is_told_with_its_numpy(board: RecordedBoard) -> None:
    finding = board.one(packages.interpreter)
    assert finding.state == "ok"
    assert "ai-edge-litert 2.3.0" in finding.found and "1.26.4" in finding.found


def test_tflite_runtime_beside_numpy_2_is_recognized(board: RecordedBoard) -> None:
    trouble = "tflite-runtime does not work with NumPy 2.2.6"
    board.probe("interpreter", trouble=trouble, code="numpy-incompatible", numpy="2.2.6")
    finding = board.one(packages.interpreter)
    assert (finding.state, finding.found) == ("fail", trouble)
    assert finding.fix == f"{PYTHON} -m pip install 'numpy<2'"


def test_an_interpreter_that_crashes_is_a_finding(board: RecordedBoard) -> None:
    board.dying_probe("interpreter", -signal.SIGSEGV)
    finding = board.one(packages.interpreter)
    assert finding.state == "fail"
    assert "SIGSEGV" in finding.found
    assert finding.fix == f"{PYTHON} -m pip install --force-reinstall ai-edge-litert"


def test_no_interpreter_is_a_finding(board: RecordedBoard) -> None:
    board.probe("interpreter", trouble="expected a TensorFlow Lite interpreter, found none")
    finding = board.one(packages.interpreter)
    assert finding.state == "fail"
    assert finding.fix == f"{PYTHON} -m pip install 'ai-edge-litert>=2.1'"


def test_a_numpy_that_does_not_import_is_installed_anew(board: RecordedBoard) -> None:
    trouble = f"{NO_NUMPY} (ImportError: libopenblas.so.0: cannot open shared object)"
    for name, check in (("interpreter", packages.interpreter), ("opencv", packages.opencv)):
        board.probe(name, trouble=trouble)
        finding = board.one(check)
        assert (finding.state, finding.found) == ("fail", trouble)
        assert finding.fix == f"{PYTHON} -m pip install --force-reinstall --no-deps numpy"


def test_missing_libgl_is_answered_with_the_apt_line(board: RecordedBoard) -> None:
    trouble = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory"
    board.probe("opencv", trouble=trouble, distributions={"opencv-python": "4.11.0.86"})
    finding = board.one(packages.opencv)
    assert (finding.state, finding.found) == ("fail", trouble)
    assert finding.fix == "sudo apt-get install -y libgl1 libglib2.0-0"


def test_no_opencv_at_all_is_installed(board: RecordedBoard) -> None:
    board.probe("opencv", trouble="ModuleNotFoundError: No module named 'cv2'", distributions={})
    assert board.one(packages.opencv).fix == f"{PYTHON} -m pip install 'opencv-python>=4.11,<5'"


def test_an_opencv_that_is_broken_is_installed_anew(board: RecordedBoard) -> None:
    board.probe("opencv", trouble="AttributeError: _ARRAY_API not found")
    assert "--force-reinstall" in board.one(packages.opencv).fix


def test_two_opencv_of_different_versions_are_warned_of(board: RecordedBoard) -> None:
    two = {"opencv-python": "4.9.0.80", "opencv-contrib-python": "4.11.0.86"}
    board.probe("opencv", version="4.11.0", distributions=two)
    finding = board.bad(packages.opencv)
    assert finding.state == "warn"
    assert finding.found == "opencv-python 4.9.0.80 and opencv-contrib-python 4.11.0.86"
    assert finding.fix.endswith("opencv-python==4.11.0.86 opencv-contrib-python==4.11.0.86")


def test_two_opencv_of_one_version_are_fine(board: RecordedBoard) -> None:
    two = {"opencv-python": "4.11.0.86", "opencv-contrib-python": "4.11.0.86"}
    board.probe("opencv", version="4.11.0", distributions=two)
    assert board.one(packages.opencv).state == "ok"
