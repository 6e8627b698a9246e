"""CSI cameras through picamera2, others through V4L2."""

import pytest
from recorded_board import PYTHON, RecordedBoard

from boards.doctor.camera import camera

NUMPY_CLASH = (
    "ValueError: numpy.dtype size changed, may indicate binary incompatibility. "
    "Expected 96 from C header, got 88 from PyObject"
)
MISSING = "ModuleNotFoundError: No module named 'picamera2'"


def test_a_csi_camera_is_told_with_its_source(board: RecordedBoard) -> None:
    finding = board.one(camera)
    assert finding.state == "ok"
    assert "imx708 (--source picamera)" in finding.found


def test_a_usb_camera_is_told_once_with_its_source(board: RecordedBoard) -> None:
    board.without_video()
    board.probe("picamera", cameras=[])
    board.video(2, "HD Pro Webcam C920", index=0)
    board.video(3, "HD Pro Webcam C920", index=1)
    finding = board.one(camera)
    assert finding.state == "ok"
    assert finding.found.count("HD Pro Webcam C920") == 1
    assert "(--source 2)" in finding.found


def test_the_codecs_of_the_board_are_no_cameras(board: RecordedBoard) -> None:
    board.without_video()
    board.probe("picamera", cameras=[])
    board.video(10, "bcm2835-codec-decode", index=0)
    board.video(20, "pispbe-input", index=0)
    finding = board.one(camera)
    assert (finding.subject, finding.state) == ("camera", "warn")
    assert "bcm2835" not in finding.found and "pispbe" not in finding.found


@pytest.mark.parametrize(("connected", "state"), [(True, "fail"), (False, "warn")])
def test_the_numpy_clash_of_picamera2_is_recognized(
    board: RecordedBoard, connected: bool, state: str
) -> None:
    board.probe("picamera", trouble=NUMPY_CLASH)
    if not connected:
        board.without_video()
    finding = next(one for one in board.all(camera) if one.subject == "picamera2")
    assert (finding.state, finding.found) == (state, NUMPY_CLASH)
    assert finding.fix == f"{PYTHON} -m pip install 'numpy<2'"


def test_a_missing_picamera2_comes_from_apt_into_the_environment(board: RecordedBoard) -> None:
    board.probe("picamera", trouble=MISSING)
    finding = board.bad(camera)
    assert finding.state == "fail"
    install, open_ = finding.fix.splitlines()
    assert install == "sudo apt-get install -y python3-picamera2"
    assert open_.endswith("/home/pi/edge/pyvenv.cfg")


def test_an_environment_that_hides_the_system_is_opened(
    board: RecordedBoard, tmp_path_factory: pytest.TempPathFactory
) -> None:
    board.probe("picamera", trouble=MISSING)
    board.file("usr/lib/python3/dist-packages/picamera2/__init__.py", "")
    (line,) = board.bad(camera).fix.splitlines()
    assert line.startswith("sed -i ")
    assert "apt-get" not in line


def test_bindings_for_another_python_want_the_systems(board: RecordedBoard) -> None:
    board.probe("picamera", trouble="ImportError: cannot import name '_libcamera'")
    assert "/usr/bin/python3 -m venv" in board.bad(camera).fix


def test_a_crash_of_libcamera_is_a_finding(board: RecordedBoard) -> None:
    board.dying_probe("picamera", -11)
    assert "SIGSEGV" in board.bad(camera).found


def test_picamera2_is_not_asked_for_where_a_usb_camera_is_enough(board: RecordedBoard) -> None:
    board.without_video()
    board.video(0, "HD Pro Webcam C920", index=0)
    board.probe("picamera", trouble=MISSING)
    assert board.one(camera).state == "ok"


def test_a_camera_of_the_group_video_needs_its_membership(board: RecordedBoard) -> None:
    board.closed.add("dev/video0")
    board.says("id -nG", "pi users\n")
    finding = board.bad(camera)
    assert finding.state == "fail"
    assert "/dev/video0" in finding.found
    assert finding.fix == 'sudo usermod -aG video "$USER"'
    board.says("id -nG", "pi video\n")
    assert "udevadm trigger" in board.bad(camera).fix
