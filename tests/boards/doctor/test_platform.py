"""Board, operating system, architecture and cores."""

import re

from recorded_board import OS_RELEASE, RecordedBoard

from boards.doctor import platform
from boards.profile import load


def test_a_board_is_recognized_by_its_device_tree(board: RecordedBoard) -> None:
    assert platform.recognized_board(board.system).name == "raspberry-pi-4b"
    finding = board.finding(platform.board)
    assert finding.state == "ok"
    assert finding.observed.startswith("Raspberry Pi 4 Model B Rev 1.4")
    assert "raspberry-pi-4b" in finding.observed


def test_the_device_tree_may_be_in_sys(board: RecordedBoard) -> None:
    (board.folder / "proc/device-tree/model").unlink()
    board.file("sys/firmware/devicetree/base/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    assert platform.recognized_board(board.system).name == "raspberry-pi-5"


def test_a_computer_without_a_device_tree_has_a_generic_profile(board: RecordedBoard) -> None:
    (board.folder / "proc/device-tree/model").unlink()
    assert platform.recognized_board(board.system).name == "generic-aarch64"
    board.set_output("uname -m", "x86_64\n")
    assert platform.recognized_board(board.system).name == "generic-x86-64"


def test_another_board_than_named_is_a_warning(board: RecordedBoard) -> None:
    board.profile = load("raspberry-pi-5")
    finding = board.finding(platform.board)
    assert finding.state == "warn"
    assert finding.observed == "Raspberry Pi 4 Model B Rev 1.4"
    assert "Raspberry Pi 5" in finding.explanation


def test_a_system_with_an_old_python_is_a_warning(board: RecordedBoard) -> None:
    board.file("etc/os-release", OS_RELEASE.format(version=11, codename="bullseye"))
    finding = board.finding(platform.operating_system)
    assert finding.state == "warn"
    assert finding.observed == "Debian GNU/Linux 11 (bullseye)"
    assert "3.11" in finding.explanation


def test_a_system_that_no_profile_lists_is_explained(board: RecordedBoard) -> None:
    board.file("etc/os-release", OS_RELEASE.format(version=14, codename="forky"))
    finding = board.finding(platform.operating_system)
    assert finding.state == "ok"
    assert "trixie, bookworm" in finding.explanation


def test_a_32_bit_system_on_a_64_bit_kernel_fails(board: RecordedBoard) -> None:
    board.set_output("getconf LONG_BIT", "32\n")
    finding = board.finding(platform.architecture)
    assert finding.state == "fail"
    assert "32-bit" in finding.observed and "aarch64" in finding.observed
    assert "64-bit" in finding.explanation


def test_a_32_bit_kernel_fails(board: RecordedBoard) -> None:
    board.set_output("uname -m", "armv7l\n")
    board.set_output("getconf LONG_BIT", "32\n")
    finding = board.finding(platform.architecture)
    assert finding.state == "fail"
    assert "armv7l" in finding.observed


def test_an_architecture_without_wheels_fails(board: RecordedBoard) -> None:
    board.set_output("uname -m", "riscv64\n")
    finding = board.finding(platform.architecture)
    assert (finding.state, finding.observed) == ("fail", "riscv64")
    assert "aarch64" in finding.explanation and "x86_64" in finding.explanation


def test_disabled_cores_are_a_warning(board: RecordedBoard) -> None:
    text = (board.folder / "proc/cpuinfo").read_text()
    board.file("proc/cpuinfo", text[: len(text) // 2])
    finding = board.finding(platform.cores)
    assert (finding.state, finding.fix) == ("warn", "")
    assert re.findall(r"\d+", finding.observed) == ["2", "4"]
    board.file("proc/cmdline", "console=tty1 maxcpus=2 rootwait")
    assert "maxcpus" in board.finding(platform.cores).fix
