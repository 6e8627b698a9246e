"""The Edge TPU: where it is, its driver, permission and library, and the trial run."""

import shutil

import pytest
from recorded_board import GOOGLES_RULES, RecordedBoard

from boards.doctor import fixes
from boards.doctor.edgetpu import edgetpu
from boards.doctor.platform import recognized_board
from boards.profile import load, names
from edge.edgetpu_probe import CRASHED, NO_DEVICE, NOT_LOADABLE


@pytest.fixture
def usb(board: RecordedBoard) -> RecordedBoard:
    """A board with a USB accelerator that is all right and was used before."""
    board.profile = load("raspberry-pi-4b+coral-usb")
    board.usb("18d1", "9302", "5000")
    board.libedgetpu()
    board.file("usr/lib/udev/rules.d/60-libedgetpu1-std.rules", GOOGLES_RULES)
    return board


@pytest.fixture
def pcie(board: RecordedBoard) -> RecordedBoard:
    """A Raspberry Pi 5 with an accelerator on PCIe that has no driver yet."""
    board.profile = load("raspberry-pi-5+coral-pcie")
    board.file("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    board.pci_edgetpu()
    board.libedgetpu()
    return board


def test_a_board_without_one_is_fine(board: RecordedBoard) -> None:
    finding = board.one(edgetpu)
    assert (finding.subject, finding.state) == ("Edge TPU", "ok")
    assert board.tried == []


def test_one_that_works_is_told(usb: RecordedBoard) -> None:
    findings = usb.all(edgetpu)
    assert {finding.state for finding in findings} == {"ok"}
    library, trial, device = findings
    assert [one.subject for one in findings] == ["libedgetpu", "Edge TPU", "Edge TPU"]
    assert "libedgetpu1-std 16.0tf2.19.1-1.bookworm" in library.found
    assert "libedgetpu" in trial.found
    assert "18d1:9302" in device.found and "5000 Mbit/s" in device.found
    assert usb.tried == ["ai_edge_litert.interpreter"]


def test_one_that_was_never_used_is_told_so(usb: RecordedBoard) -> None:
    usb.usb("1a6e", "089a", "480")
    *_, device = usb.all(edgetpu)
    assert device.state == "ok", "it is faster after its first use"
    assert "1a6e:089a" in device.found and "480 Mbit/s" in device.found


def test_usb_2_is_warned_of_where_the_board_has_usb_3(usb: RecordedBoard) -> None:
    usb.usb("18d1", "9302", "480")
    finding = usb.bad(edgetpu)
    assert finding.state == "warn"
    assert "USB 2" in finding.found and "480 Mbit/s" in finding.found
    usb.profile = load("raspberry-pi-3b-plus+coral-usb")
    assert all(finding.state == "ok" for finding in usb.all(edgetpu))


def test_lsusb_tells_where_sys_is_hidden(usb: RecordedBoard) -> None:
    shutil.rmtree(usb.folder / "sys/bus/usb")
    usb.says(
        "lsusb",
        "Bus 002 Device 003: ID 18d1:9302 Google Inc.\n"
        "Bus 001 Device 001: ID 1d6b:0002 Linux Foundation 2.0 root hub\n",
    )
    (device,) = [one for one in usb.all(edgetpu) if "18d1:9302" in one.found]
    assert device.state == "ok"
    assert "Mbit/s" not in device.found


def test_a_missing_one_fails_where_the_profile_has_one(board: RecordedBoard) -> None:
    board.profile = load("raspberry-pi-4b+coral-usb")
    device, library = board.all(edgetpu)
    assert (device.state, library.state) == ("fail", "fail")
    assert "USB" in device.found and "raspberry-pi-4b+coral-usb" in device.found
    assert (device.subject, library.subject) == ("Edge TPU", "libedgetpu")
    assert library.fix.startswith("curl ")
    board.libedgetpu()
    assert [finding.state for finding in board.all(edgetpu)] == ["fail", "ok"]


@pytest.mark.parametrize(
    ("model", "bus", "look"),
    [
        ("Freescale i.MX8MQ Phanbell", "PCIe", "lspci"),
        ("Google Coral MT8167", "USB", "lsusb"),
    ],
)
def test_one_that_is_soldered_on_is_not_to_be_plugged_in(
    board: RecordedBoard, model: str, bus: str, look: str
) -> None:
    board.file("proc/device-tree/model", f"{model}\0")
    board.profile = recognized_board(board.system)
    board.libedgetpu()
    finding = board.bad(edgetpu)
    assert finding.state == "fail"
    assert bus in finding.found and board.profile.title in finding.found
    assert "lug it in" not in finding.means
    assert finding.fix.startswith(look)


@pytest.mark.parametrize("name", names())
def test_what_shows_a_soldered_one_is_known_of_every_board_that_has_one(name: str) -> None:
    board = load(name)
    assert (board.edgetpu in fixes.LOOK) == (board.run.delegate == "edgetpu")


def test_one_that_the_driver_made_outside_is_to_be_passed_in(pcie: RecordedBoard) -> None:
    pcie.file("sys/class/apex/apex_0/dev", "120:0\n")
    finding = pcie.bad(edgetpu)
    assert (finding.subject, finding.state) == ("Edge TPU", "fail")
    assert "/dev/apex_0" in finding.found
    assert finding.fix == "docker run --device /dev/apex_0 …"


def test_pcie_of_a_raspberry_pi_5_is_to_be_switched_on(pcie: RecordedBoard) -> None:
    (pcie.folder / "sys/bus/pci/devices/0000:01:00.0/vendor").unlink()
    assert "dtparam=pciex1" in pcie.bad(edgetpu).fix
    pcie.file("boot/firmware/config.txt", "[all]\ndtparam=pciex1\n")
    assert (pcie.bad(edgetpu).state, pcie.bad(edgetpu).fix) == ("fail", "")


def test_a_missing_library_is_answered_with_its_package(usb: RecordedBoard) -> None:
    (usb.folder / "usr/lib/aarch64-linux-gnu/libedgetpu.so.1").unlink()
    finding = usb.bad(edgetpu)
    assert (finding.state, finding.subject) == ("fail", "libedgetpu")
    fetch, install = finding.fix.splitlines()
    assert fetch.endswith("/libedgetpu1-std_16.0tf2.19.1-1.bookworm_arm64.deb")
    assert install == "sudo apt-get install -y ./libedgetpu1-std_16.0tf2.19.1-1.bookworm_arm64.deb"
    assert usb.tried == []


def test_googles_build_fails_without_being_tried(usb: RecordedBoard) -> None:
    usb.libedgetpu("16.0", kind="max")
    finding = usb.bad(edgetpu)
    assert (finding.state, finding.found) == ("fail", "libedgetpu1-max 16.0")
    assert "libedgetpu1-std_" in finding.fix
    assert usb.tried == []


@pytest.mark.parametrize("reason", [f"{CRASHED} (SIGSEGV)", f"{NOT_LOADABLE} (file too short)"])
def test_a_library_that_is_broken_is_a_finding(usb: RecordedBoard, reason: str) -> None:
    usb.edgetpu = reason
    finding = usb.bad(edgetpu)
    assert (finding.state, finding.found) == ("fail", usb.edgetpu)
    assert "libedgetpu1-std_" in finding.fix


def test_a_device_that_does_not_answer_may_be_in_use(usb: RecordedBoard) -> None:
    usb.edgetpu = NO_DEVICE
    finding = usb.bad(edgetpu)
    assert finding.fix == "sudo fuser -v /dev/bus/usb/002/003"


def test_without_an_interpreter_there_is_no_trial(usb: RecordedBoard) -> None:
    usb.probe("interpreter", trouble="expected a TensorFlow Lite interpreter, found none")
    assert all(finding.state == "ok" for finding in usb.all(edgetpu))
    assert usb.tried == []


def test_a_missing_rule_is_written_and_the_group_joined(usb: RecordedBoard) -> None:
    usb.closed.add("dev/bus/usb/002/003")
    usb.says("id -nG", "pi users\n")
    (usb.folder / "usr/lib/udev/rules.d/60-libedgetpu1-std.rules").unlink()
    finding = usb.bad(edgetpu)
    assert finding.state == "fail"
    assert "/dev/bus/usb/002/003" in finding.found
    join, write, apply = finding.fix.splitlines()
    assert 'ATTRS{idVendor}=="1a6e"' in write
    assert 'ATTRS{idVendor}=="18d1"' in write
    assert write.endswith("| sudo tee /etc/udev/rules.d/60-coral-usb.rules")
    assert apply == "sudo udevadm control --reload-rules && sudo udevadm trigger"
    assert join == 'sudo groupadd -f plugdev && sudo usermod -aG plugdev "$USER"'
    assert usb.tried == []


def test_with_a_rule_only_the_group_is_joined(usb: RecordedBoard) -> None:
    usb.closed.add("dev/bus/usb/002/003")
    usb.says("id -nG", "pi users\n")
    assert usb.bad(edgetpu).fix == 'sudo groupadd -f plugdev && sudo usermod -aG plugdev "$USER"'


def test_with_rule_and_group_the_rules_are_applied(usb: RecordedBoard) -> None:
    usb.closed.add("dev/bus/usb/002/003")
    assert usb.bad(edgetpu).fix.startswith("sudo udevadm control")


def test_a_device_outside_a_container_is_to_be_passed_in(usb: RecordedBoard) -> None:
    (usb.folder / "dev/bus/usb/002/003").unlink()
    finding = usb.bad(edgetpu)
    assert "/dev/bus/usb/002/003" in finding.found
    assert finding.fix.startswith("docker run --device")


def test_a_driver_that_is_not_installed_is_built(pcie: RecordedBoard) -> None:
    finding = pcie.bad(edgetpu)
    assert finding.state == "fail"
    assert "PCIe" in finding.found and "/dev/apex_0" in finding.found
    assert "gasket-driver" in finding.fix


def test_a_driver_that_is_not_loaded_is_loaded(pcie: RecordedBoard) -> None:
    pcie.file("lib/modules/6.6.51+rpt-rpi-v8/updates/dkms/apex.ko.xz", "")
    assert pcie.bad(edgetpu).fix == "sudo modprobe apex"


def test_a_kernel_of_large_pages_is_recognized(pcie: RecordedBoard) -> None:
    (pcie.folder / "sys/module/apex").mkdir(parents=True)
    assert "dmesg" in pcie.bad(edgetpu).fix
    pcie.says("getconf PAGESIZE", "16384\n")
    finding = pcie.bad(edgetpu)
    assert finding.state == "fail"
    assert "kernel8.img" in finding.fix


def test_the_file_of_the_driver_needs_the_group_apex(pcie: RecordedBoard) -> None:
    pcie.file("dev/apex_0", "")
    assert all(finding.state == "ok" for finding in pcie.all(edgetpu))
    pcie.closed.add("dev/apex_0")
    finding = pcie.bad(edgetpu)
    assert 'SUBSYSTEM=="apex"' in finding.fix
    assert 'usermod -aG apex "$USER"' in finding.fix
