"""The Edge TPU: device, driver, permission, library and test run."""

import shutil

import pytest
from recorded_board import GOOGLES_RULES, RecordedBoard

from boards.doctor.edgetpu import INSPECT, edgetpu
from boards.doctor.platform import recognized_board
from boards.profile import load, names
from edge.edgetpu_probe import CRASHED, NO_DEVICE, NOT_LOADABLE


@pytest.fixture
def usb(board: RecordedBoard) -> RecordedBoard:
    """A board with a working USB accelerator that was used before."""
    board.profile = load("raspberry-pi-4b+coral-usb")
    board.usb("18d1", "9302", "5000")
    board.libedgetpu()
    board.file("usr/lib/udev/rules.d/60-libedgetpu1-std.rules", GOOGLES_RULES)
    return board


@pytest.fixture
def pcie(board: RecordedBoard) -> RecordedBoard:
    """A Raspberry Pi 5 with an accelerator on PCIe without its driver."""
    board.profile = load("raspberry-pi-5+coral-pcie")
    board.file("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    board.pci_edgetpu()
    board.libedgetpu()
    return board


def test_a_board_without_one_is_fine(board: RecordedBoard) -> None:
    finding = board.finding(edgetpu)
    assert (finding.subject, finding.state) == ("Edge TPU", "ok")
    assert board.edgetpu_runs == []


def test_a_working_one_is_shown(usb: RecordedBoard) -> None:
    findings = usb.findings(edgetpu)
    assert {finding.state for finding in findings} == {"ok"}
    library, test_run, device = findings
    assert [finding.subject for finding in findings] == ["libedgetpu", "Edge TPU", "Edge TPU"]
    assert "libedgetpu1-std 16.0tf2.19.1-1.bookworm" in library.observed
    assert "libedgetpu" in test_run.observed
    assert "18d1:9302" in device.observed and "5000 Mbit/s" in device.observed
    assert usb.edgetpu_runs == ["ai_edge_litert.interpreter"]


def test_an_unused_one_is_shown_as_such(usb: RecordedBoard) -> None:
    usb.usb("1a6e", "089a", "480")
    *_, device = usb.findings(edgetpu)
    assert device.state == "ok", "it is faster after its first use"
    assert "1a6e:089a" in device.observed and "480 Mbit/s" in device.observed


def test_usb_2_is_a_warning_if_the_board_has_usb_3(usb: RecordedBoard) -> None:
    usb.usb("18d1", "9302", "480")
    finding = usb.problem(edgetpu)
    assert finding.state == "warn"
    assert "USB 2" in finding.observed and "480 Mbit/s" in finding.observed
    usb.profile = load("raspberry-pi-3b-plus+coral-usb")
    assert all(finding.state == "ok" for finding in usb.findings(edgetpu))


def test_lsusb_is_used_if_sys_is_hidden(usb: RecordedBoard) -> None:
    shutil.rmtree(usb.folder / "sys/bus/usb")
    usb.set_output(
        "lsusb",
        "Bus 002 Device 003: ID 18d1:9302 Google Inc.\n"
        "Bus 001 Device 001: ID 1d6b:0002 Linux Foundation 2.0 root hub\n",
    )
    (device,) = [finding for finding in usb.findings(edgetpu) if "18d1:9302" in finding.observed]
    assert device.state == "ok"
    assert "Mbit/s" not in device.observed


def test_a_missing_one_fails_if_the_profile_has_one(board: RecordedBoard) -> None:
    board.profile = load("raspberry-pi-4b+coral-usb")
    device, library = board.findings(edgetpu)
    assert (device.state, library.state) == ("fail", "fail")
    assert "USB" in device.observed and "raspberry-pi-4b+coral-usb" in device.observed
    assert (device.subject, library.subject) == ("Edge TPU", "libedgetpu")
    assert library.fix.startswith("curl ")
    board.libedgetpu()
    assert [finding.state for finding in board.findings(edgetpu)] == ["fail", "ok"]


@pytest.mark.parametrize(
    ("model", "bus", "command"),
    [
        ("Freescale i.MX8MQ Phanbell", "PCIe", "lspci"),
        ("Google Coral MT8167", "USB", "lsusb"),
    ],
)
def test_a_soldered_one_cannot_be_plugged_in(
    board: RecordedBoard, model: str, bus: str, command: str
) -> None:
    board.file("proc/device-tree/model", f"{model}\0")
    board.profile = recognized_board(board.system)
    board.libedgetpu()
    finding = board.problem(edgetpu)
    assert finding.state == "fail"
    assert bus in finding.observed and board.profile.title in finding.observed
    assert "lug it in" not in finding.explanation
    assert finding.fix.startswith(command)


@pytest.mark.parametrize("name", names())
def test_every_board_with_a_soldered_one_has_commands_to_inspect_it(name: str) -> None:
    board = load(name)
    assert (board.edgetpu in INSPECT) == (board.run.delegate == "edgetpu")


def test_a_device_outside_a_container_must_be_passed_in(pcie: RecordedBoard) -> None:
    pcie.file("sys/class/apex/apex_0/dev", "120:0\n")
    finding = pcie.problem(edgetpu)
    assert (finding.subject, finding.state) == ("Edge TPU", "fail")
    assert "/dev/apex_0" in finding.observed
    assert finding.fix == "docker run --device /dev/apex_0 …"


def test_pcie_of_a_raspberry_pi_5_must_be_enabled(pcie: RecordedBoard) -> None:
    (pcie.folder / "sys/bus/pci/devices/0000:01:00.0/vendor").unlink()
    assert "dtparam=pciex1" in pcie.problem(edgetpu).fix
    pcie.file("boot/firmware/config.txt", "[all]\ndtparam=pciex1\n")
    assert (pcie.problem(edgetpu).state, pcie.problem(edgetpu).fix) == ("fail", "")


def test_a_missing_library_is_fixed_with_its_package(usb: RecordedBoard) -> None:
    (usb.folder / "usr/lib/aarch64-linux-gnu/libedgetpu.so.1").unlink()
    finding = usb.problem(edgetpu)
    assert (finding.state, finding.subject) == ("fail", "libedgetpu")
    fetch, install = finding.fix.splitlines()
    assert fetch.endswith("/libedgetpu1-std_16.0tf2.19.1-1.bookworm_arm64.deb")
    assert install == "sudo apt-get install -y ./libedgetpu1-std_16.0tf2.19.1-1.bookworm_arm64.deb"
    assert usb.edgetpu_runs == []


def test_googles_build_fails_without_a_test_run(usb: RecordedBoard) -> None:
    usb.libedgetpu("16.0", kind="max")
    finding = usb.problem(edgetpu)
    assert (finding.state, finding.observed) == ("fail", "libedgetpu1-max 16.0")
    assert "libedgetpu1-std_" in finding.fix
    assert usb.edgetpu_runs == []


@pytest.mark.parametrize("reason", [f"{CRASHED} (SIGSEGV)", f"{NOT_LOADABLE} (file too short)"])
def test_a_broken_library_is_a_finding(usb: RecordedBoard, reason: str) -> None:
    usb.edgetpu = reason
    finding = usb.problem(edgetpu)
    assert (finding.state, finding.observed) == ("fail", usb.edgetpu)
    assert "libedgetpu1-std_" in finding.fix


def test_a_device_that_does_not_respond_may_be_in_use(usb: RecordedBoard) -> None:
    usb.edgetpu = NO_DEVICE
    finding = usb.problem(edgetpu)
    assert finding.fix == "sudo fuser -v /dev/bus/usb/002/003"


def test_without_an_interpreter_there_is_no_test_run(usb: RecordedBoard) -> None:
    usb.set_probe("interpreter", problem="expected a TensorFlow Lite interpreter, found none")
    assert all(finding.state == "ok" for finding in usb.findings(edgetpu))
    assert usb.edgetpu_runs == []


def test_a_missing_rule_is_written_and_the_group_joined(usb: RecordedBoard) -> None:
    usb.inaccessible.add("dev/bus/usb/002/003")
    usb.set_output("id -nG", "pi users\n")
    (usb.folder / "usr/lib/udev/rules.d/60-libedgetpu1-std.rules").unlink()
    finding = usb.problem(edgetpu)
    assert finding.state == "fail"
    assert "/dev/bus/usb/002/003" in finding.observed
    join, write, apply = finding.fix.splitlines()
    assert 'ATTRS{idVendor}=="1a6e"' in write
    assert 'ATTRS{idVendor}=="18d1"' in write
    assert write.endswith("| sudo tee /etc/udev/rules.d/60-coral-usb.rules")
    assert apply == "sudo udevadm control --reload-rules && sudo udevadm trigger"
    assert join == 'sudo groupadd -f plugdev && sudo usermod -aG plugdev "$USER"'
    assert usb.edgetpu_runs == []


def test_with_a_rule_only_the_group_is_joined(usb: RecordedBoard) -> None:
    usb.inaccessible.add("dev/bus/usb/002/003")
    usb.set_output("id -nG", "pi users\n")
    assert (
        usb.problem(edgetpu).fix == 'sudo groupadd -f plugdev && sudo usermod -aG plugdev "$USER"'
    )


def test_with_rule_and_group_the_rules_are_applied(usb: RecordedBoard) -> None:
    usb.inaccessible.add("dev/bus/usb/002/003")
    assert usb.problem(edgetpu).fix.startswith("sudo udevadm control")


def test_a_usb_device_outside_a_container_must_be_passed_in(usb: RecordedBoard) -> None:
    (usb.folder / "dev/bus/usb/002/003").unlink()
    finding = usb.problem(edgetpu)
    assert "/dev/bus/usb/002/003" in finding.observed
    assert finding.fix.startswith("docker run --device")


def test_a_driver_that_is_not_installed_is_built(pcie: RecordedBoard) -> None:
    finding = pcie.problem(edgetpu)
    assert finding.state == "fail"
    assert "PCIe" in finding.observed and "/dev/apex_0" in finding.observed
    assert "gasket-driver" in finding.fix


def test_a_driver_that_is_not_loaded_is_loaded(pcie: RecordedBoard) -> None:
    pcie.file("lib/modules/6.6.51+rpt-rpi-v8/updates/dkms/apex.ko.xz", "")
    assert pcie.problem(edgetpu).fix == "sudo modprobe apex"


def test_a_kernel_with_large_pages_is_recognized(pcie: RecordedBoard) -> None:
    (pcie.folder / "sys/module/apex").mkdir(parents=True)
    assert "dmesg" in pcie.problem(edgetpu).fix
    pcie.set_output("getconf PAGESIZE", "16384\n")
    finding = pcie.problem(edgetpu)
    assert finding.state == "fail"
    assert "kernel8.img" in finding.fix


def test_the_file_of_the_driver_needs_the_group_apex(pcie: RecordedBoard) -> None:
    pcie.file("dev/apex_0", "")
    assert all(finding.state == "ok" for finding in pcie.findings(edgetpu))
    pcie.inaccessible.add("dev/apex_0")
    finding = pcie.problem(edgetpu)
    assert 'SUBSYSTEM=="apex"' in finding.fix
    assert 'usermod -aG apex "$USER"' in finding.fix
