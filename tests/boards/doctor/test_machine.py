"""Which board and system this is, and whether there are wheels for it."""

import re

from recorded_board import OS_RELEASE, RecordedBoard

from boards.doctor import platform
from boards.profile import load


def test_a_board_is_known_by_its_device_tree(board: RecordedBoard) -> None:
    assert platform.recognized_board(board.system).name == "raspberry-pi-4b"
    finding = board.one(platform.board)
    assert finding.state == "ok"
    assert finding.found.startswith("Raspberry Pi 4 Model B Rev 1.4")
    assert "raspberry-pi-4b" in finding.found


def test_the_device_tree_is_found_in_sys_too(board: RecordedBoard) -> None:
    (board.folder / "proc/device-tree/model").unlink()
    board.file("sys/firmware/devicetree/base/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    assert platform.recognized_board(board.system).name == "raspberry-pi-5"


def test_a_computer_without_a_device_tree_has_the_profile_of_any(board: RecordedBoard) -> None:
    (board.folder / "proc/device-tree/model").unlink()
    assert platform.recognized_board(board.system).name == "generic-aarch64"
    board.says("uname -m", "x86_64\n")
    assert platform.recognized_board(board.system).name == "generic-x86-64"


def test_another_board_than_named_is_warned_of(board: RecordedBoard) -> None:
    board.profile = load("raspberry-pi-5")
    finding = board.one(platform.board)
    assert finding.state == "warn"
    assert finding.found == "Raspberry Pi 4 Model B Rev 1.4"
    assert "Raspberry Pi 5" in finding.means


def test_a_system_whose_python_is_too_old_is_warned_of(board: RecordedBoard) -> None:
    board.file("etc/os-release", OS_RELEASE.format(version=11, codename="bullseye"))
    finding = board.one(platform.operating_system)
    assert finding.state == "warn"
    assert finding.found == "Debian GNU/Linux 11 (bullseye)"
    assert "3.11" in finding.means


def test_a_system_that_no_profile_knows_is_said_to_be_so(board: RecordedBoard) -> None:
    board.file("etc/os-release", OS_RELEASE.format(version=14, codename="forky"))
    finding = board.one(platform.operating_system)
    assert finding.state == "ok"
    assert "trixie, bookworm" in finding.means


def test_a_32_bit_system_on_a_64_bit_kernel_fails(board: RecordedBoard) -> None:
    board.says("getconf LONG_BIT", "32\n")
    finding = board.one(platform.architecture)
    assert finding.state == "fail"
    assert "32-bit" in finding.found and "aarch64" in finding.found
    assert "64-bit" in finding.means


def test_a_32_bit_kernel_fails(board: RecordedBoard) -> None:
    board.says("uname -m", "armv7l\n")
    board.says("getconf LONG_BIT", "32\n")
    finding = board.one(platform.architecture)
    assert finding.state == "fail"
    assert "armv7l" in finding.found


def test_an_architecture_without_wheels_fails(board: RecordedBoard) -> None:
    board.says("uname -m", "riscv64\n")
    finding = board.one(platform.architecture)
    assert (finding.state, finding.found) == ("fail", "riscv64")
    assert "aarch64" in finding.means and "x86_64" in finding.means


def test_cores_that_are_switched_off_are_warned_of(board: RecordedBoard) -> None:
    text = (board.folder / "proc/cpuinfo").read_text()
    board.file("proc/cpuinfo", text[: len(text) // 2])
    finding = board.one(platform.cores)
    assert (finding.state, finding.fix) == ("warn", "")
    assert re.findall(r"\d+", finding.found) == ["2", "4"]
    board.file("proc/cmdline", "console=tty1 maxcpus=2 rootwait")
    assert "maxcpus" in board.one(platform.cores).fix
