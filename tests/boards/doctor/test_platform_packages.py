"""The Python environment: findings from the results of its probes."""

import signal

import pytest
from recorded_board import PYTHON, RecordedBoard

from boards.doctor import platform
from boards.doctor.probes import NO_NUMPY


def test_python_and_its_environment_are_shown(board: RecordedBoard) -> None:
    assert board.finding(platform.python).observed == "3.11.2, /home/pi/edge"


@pytest.mark.parametrize(("version", "state"), [("3.10.9", "fail"), ("3.13.5", "ok"),
                                                ("3.14.0", "fail")])  # fmt: skip
def test_only_some_versions_of_python_are_supported(
    board: RecordedBoard, version: str, state: str
) -> None:
    board.set_probe("python", version=version, bits=64, environment="")
    finding = board.finding(platform.python)
    assert finding.state == state
    assert finding.observed.startswith(version)


def test_the_interpreter_is_shown_with_its_numpy(board: RecordedBoard) -> None:
    finding = board.finding(platform.interpreter)
    assert finding.state == "ok"
    assert "ai-edge-litert 2.3.0" in finding.observed and "1.26.4" in finding.observed


def test_tflite_runtime_beside_numpy_2_is_recognized(board: RecordedBoard) -> None:
    problem = "tflite-runtime does not work with NumPy 2.2.6"
    board.set_probe("interpreter", problem=problem, code="numpy-incompatible", numpy="2.2.6")
    finding = board.finding(platform.interpreter)
    assert (finding.state, finding.observed) == ("fail", problem)
    assert finding.fix == f"{PYTHON} -m pip install 'numpy<2'"


def test_an_interpreter_that_crashes_is_a_finding(board: RecordedBoard) -> None:
    board.crash_probe("interpreter", -signal.SIGSEGV)
    finding = board.finding(platform.interpreter)
    assert finding.state == "fail"
    assert "SIGSEGV" in finding.observed
    assert finding.fix == f"{PYTHON} -m pip install --force-reinstall ai-edge-litert"


def test_no_interpreter_is_a_finding(board: RecordedBoard) -> None:
    board.set_probe("interpreter", problem="expected a TensorFlow Lite interpreter, found none")
    finding = board.finding(platform.interpreter)
    assert finding.state == "fail"
    assert finding.fix == f"{PYTHON} -m pip install 'ai-edge-litert>=2.1'"


def test_a_numpy_that_does_not_import_is_reinstalled(board: RecordedBoard) -> None:
    problem = f"{NO_NUMPY} (ImportError: libopenblas.so.0: cannot open shared object)"
    for name, check in (("interpreter", platform.interpreter), ("opencv", platform.opencv)):
        board.set_probe(name, problem=problem)
        finding = board.finding(check)
        assert (finding.state, finding.observed) == ("fail", problem)
        assert finding.fix == f"{PYTHON} -m pip install --force-reinstall --no-deps numpy"


def test_missing_libgl_is_fixed_with_apt(board: RecordedBoard) -> None:
    problem = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory"
    board.set_probe("opencv", problem=problem, distributions={"opencv-python": "4.11.0.86"})
    finding = board.finding(platform.opencv)
    assert (finding.state, finding.observed) == ("fail", problem)
    assert finding.fix == "sudo apt-get install -y libgl1 libglib2.0-0"


def test_no_opencv_at_all_is_installed(board: RecordedBoard) -> None:
    board.set_probe(
        "opencv", problem="ModuleNotFoundError: No module named 'cv2'", distributions={}
    )
    assert board.finding(platform.opencv).fix == f"{PYTHON} -m pip install 'opencv-python>=4.11,<5'"


def test_a_broken_opencv_is_reinstalled(board: RecordedBoard) -> None:
    board.set_probe("opencv", problem="AttributeError: _ARRAY_API not found")
    assert "--force-reinstall" in board.finding(platform.opencv).fix


def test_two_opencv_of_different_versions_are_a_warning(board: RecordedBoard) -> None:
    two = {"opencv-python": "4.9.0.80", "opencv-contrib-python": "4.11.0.86"}
    board.set_probe("opencv", version="4.11.0", distributions=two)
    finding = board.problem(platform.opencv)
    assert finding.state == "warn"
    assert finding.observed == "opencv-python 4.9.0.80 and opencv-contrib-python 4.11.0.86"
    assert finding.fix.endswith("opencv-python==4.11.0.86 opencv-contrib-python==4.11.0.86")


def test_two_opencv_of_one_version_are_fine(board: RecordedBoard) -> None:
    two = {"opencv-python": "4.11.0.86", "opencv-contrib-python": "4.11.0.86"}
    board.set_probe("opencv", version="4.11.0", distributions=two)
    assert board.finding(platform.opencv).state == "ok"
