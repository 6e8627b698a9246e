"""Memory, disk, clock, temperature and power."""

import re
from datetime import UTC, datetime

import pytest
from recorded_board import DF, MOUNTS, PYTHON, RecordedBoard

from boards.doctor import health
from boards.profile import load
from edge.quantities import size
from edge.telemetry import throttling_of


def meminfo(board: RecordedBoard, **kib: int) -> None:
    """Change lines of /proc/meminfo."""
    text = (board.folder / "proc/meminfo").read_text()
    for name, value in kib.items():
        text = re.sub(rf"(?m)^{name}:.*$", f"{name}: {value} kB", text)
    board.file("proc/meminfo", text)


def test_memory_is_shown_with_the_size_of_the_board(board: RecordedBoard) -> None:
    finding = board.finding(health.memory)
    assert finding.state == "ok"
    assert re.findall(r"[\d.]+", finding.observed) == ["4.0", "4", "3.4", "537"]


def test_too_little_memory_fails(board: RecordedBoard) -> None:
    meminfo(board, MemAvailable=60_000, SwapTotal=0, SwapFree=0)
    finding = board.finding(health.memory)
    assert finding.state == "fail"
    assert "mkswap" in finding.fix


def test_running_from_swap_is_a_warning(board: RecordedBoard) -> None:
    meminfo(board, MemAvailable=60_000)
    assert board.finding(health.memory).state == "warn"


def test_a_small_board_without_swap_is_a_warning(board: RecordedBoard) -> None:
    board.profile = load("raspberry-pi-zero-2-w")
    meminfo(board, MemTotal=430_000, MemAvailable=250_000, SwapTotal=0, SwapFree=0)
    finding = board.finding(health.memory)
    assert finding.state == "warn"
    assert "swapon" in finding.fix


def test_reserved_memory_is_a_warning(board: RecordedBoard) -> None:
    meminfo(board, MemTotal=2_900_000, MemAvailable=2_000_000)
    assert board.finding(health.memory).state == "ok"
    board.file("boot/firmware/config.txt", "[all]\ntotal_mem=3072\n")
    finding = board.finding(health.memory)
    assert finding.state == "warn"
    assert "gpu_mem" in finding.fix


def test_a_disabled_memory_limit_is_a_warning(board: RecordedBoard) -> None:
    assert board.findings(health.memory_limit) == []
    board.file("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids\n")
    assert board.finding(health.memory_limit).fix == ""
    board.file("boot/firmware/cmdline.txt", "console=tty1 rootwait\n")
    finding = board.finding(health.memory_limit)
    assert finding.state == "warn"
    assert "cgroup_enable=memory" in finding.fix
    board.file("boot/firmware/cmdline.txt", "console=tty1 cgroup_enable=memory\n")
    assert board.finding(health.memory_limit).fix == "", "doing the same again fixes nothing"
    board.file("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n")
    assert board.finding(health.memory_limit).state == "ok"


@pytest.mark.parametrize(("kib", "state"), [(50_000, "fail"), (500_000, "warn"),
                                            (5_000_000, "ok")])  # fmt: skip
def test_a_full_disk_is_reported(board: RecordedBoard, kib: int, state: str) -> None:
    board.set_output(f"df -Pk {PYTHON}", DF.format(available=kib))
    finding = board.finding(health.disk)
    assert finding.state == state
    assert size(1024 * kib) in finding.observed


def test_a_read_only_card_is_a_warning(board: RecordedBoard) -> None:
    board.file("proc/mounts", MOUNTS.format(option="ro"))
    finding = board.problem(health.disk)
    assert (finding.subject, finding.state) == ("disk", "warn")
    assert "remount,rw" in finding.fix


def test_a_date_in_the_past_fails(board: RecordedBoard) -> None:
    board.now = datetime(1970, 1, 1, 0, 3, tzinfo=UTC)
    finding = board.finding(health.clock)
    assert (finding.state, finding.observed) == ("fail", "1970-01-01 00:03 UTC")
    assert "set-ntp true" in finding.fix


def test_an_unsynchronized_clock_is_a_warning(board: RecordedBoard) -> None:
    board.set_output("timedatectl show --property=NTPSynchronized --value", "no\n")
    assert board.finding(health.clock).state == "warn"


def test_without_timedatectl_the_clock_is_only_shown(board: RecordedBoard) -> None:
    board.remove_command("timedatectl show --property=NTPSynchronized --value")
    finding = board.finding(health.clock)
    assert (finding.state, finding.observed) == ("ok", "2026-11-21 12:00 UTC")


def test_the_hottest_zone_is_reported(board: RecordedBoard) -> None:
    board.file("sys/class/thermal/thermal_zone1/temp", "82300\n")
    finding = board.finding(health.temperature)
    assert (finding.state, finding.observed) == ("warn", "82 °C")
    board.file("sys/class/thermal/thermal_zone1/temp", "61000\n")
    assert board.finding(health.temperature).state == "ok"


@pytest.mark.parametrize(
    ("bits", "state"),
    [
        ("0x0", "ok"),
        ("0x50005", "fail"),
        ("0x50000", "warn"),
        ("0x80008", "warn"),
    ],
)
def test_the_bits_of_throttling_are_decoded(board: RecordedBoard, bits: str, state: str) -> None:
    board.set_output("vcgencmd get_throttled", f"throttled={bits}\n")
    finding = board.finding(health.power)
    assert finding.state == state
    slowed = throttling_of(f"throttled={bits}\n")
    assert slowed is not None
    assert all(word in finding.observed for word in slowed)


def test_vcgencmd_needs_the_group_video(board: RecordedBoard) -> None:
    refusal = "Can't open device file: /dev/vcio"
    board.set_output("vcgencmd get_throttled", err=refusal, code=255)
    finding = board.finding(health.power)
    assert (finding.state, finding.observed) == ("warn", refusal)
    assert finding.fix == 'sudo usermod -aG video "$USER"'


def test_a_missing_vcgencmd_is_installed(board: RecordedBoard) -> None:
    board.remove_command("vcgencmd get_throttled")
    assert board.finding(health.power).fix == "sudo apt-get install -y raspi-utils"
