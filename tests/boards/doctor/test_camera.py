"""CSI cameras through picamera2, others through V4L2."""

import pytest
from recorded_board import PYTHON, RecordedBoard

from boards.doctor.camera import camera

NUMPY_CLASH = (
    "ValueError: numpy.dtype size changed, may indicate binary incompatibility. "
    "Expected 96 from C header, got 88 from PyObject"
)
MISSING = "ModuleNotFoundError: No module named 'picamera2'"


def test_a_csi_camera_is_shown_with_its_source(board: RecordedBoard) -> None:
    finding = board.finding(camera)
    assert finding.state == "ok"
    assert "imx708 (--source picamera)" in finding.observed


def test_a_usb_camera_is_shown_once_with_its_source(board: RecordedBoard) -> None:
    board.remove_video_devices()
    board.set_probe("picamera", cameras=[])
    board.video(2, "HD Pro Webcam C920", index=0)
    board.video(3, "HD Pro Webcam C920", index=1)
    finding = board.finding(camera)
    assert finding.state == "ok"
    assert finding.observed.count("HD Pro Webcam C920") == 1
    assert "(--source 2)" in finding.observed


def test_the_codecs_of_the_board_are_no_cameras(board: RecordedBoard) -> None:
    board.remove_video_devices()
    board.set_probe("picamera", cameras=[])
    board.video(10, "bcm2835-codec-decode", index=0)
    board.video(20, "pispbe-input", index=0)
    finding = board.finding(camera)
    assert (finding.subject, finding.state) == ("camera", "warn")
    assert "bcm2835" not in finding.observed and "pispbe" not in finding.observed


@pytest.mark.parametrize(("connected", "state"), [(True, "fail"), (False, "warn")])
def test_the_numpy_clash_of_picamera2_is_recognized(
    board: RecordedBoard, connected: bool, state: str
) -> None:
    board.set_probe("picamera", problem=NUMPY_CLASH)
    if not connected:
        board.remove_video_devices()
    finding = next(entry for entry in board.findings(camera) if entry.subject == "picamera2")
    assert (finding.state, finding.observed) == (state, NUMPY_CLASH)
    assert finding.fix == f"{PYTHON} -m pip install 'numpy<2'"


def test_a_missing_picamera2_comes_from_apt_into_the_environment(board: RecordedBoard) -> None:
    board.set_probe("picamera", problem=MISSING)
    finding = board.problem(camera)
    assert finding.state == "fail"
    install, open_ = finding.fix.splitlines()
    assert install == "sudo apt-get install -y python3-picamera2"
    assert open_.endswith("/home/pi/edge/pyvenv.cfg")


def test_an_environment_without_system_packages_is_changed(
    board: RecordedBoard, tmp_path_factory: pytest.TempPathFactory
) -> None:
    board.set_probe("picamera", problem=MISSING)
    board.file("usr/lib/python3/dist-packages/picamera2/__init__.py", "")
    (line,) = board.problem(camera).fix.splitlines()
    assert line.startswith("sed -i ")
    assert "apt-get" not in line


def test_bindings_for_another_python_need_the_system_python(board: RecordedBoard) -> None:
    board.set_probe("picamera", problem="ImportError: cannot import name '_libcamera'")
    assert "/usr/bin/python3 -m venv" in board.problem(camera).fix


def test_a_crash_of_libcamera_is_a_finding(board: RecordedBoard) -> None:
    board.crash_probe("picamera", -11)
    assert "SIGSEGV" in board.problem(camera).observed


def test_picamera2_is_not_needed_with_a_usb_camera(board: RecordedBoard) -> None:
    board.remove_video_devices()
    board.video(0, "HD Pro Webcam C920", index=0)
    board.set_probe("picamera", problem=MISSING)
    assert board.finding(camera).state == "ok"


def test_a_camera_of_the_group_video_needs_its_membership(board: RecordedBoard) -> None:
    board.inaccessible.add("dev/video0")
    board.set_output("id -nG", "pi users\n")
    finding = board.problem(camera)
    assert finding.state == "fail"
    assert "/dev/video0" in finding.observed
    assert finding.fix == 'sudo usermod -aG video "$USER"'
    board.set_output("id -nG", "pi video\n")
    assert "udevadm trigger" in board.problem(camera).fix
