"""Health of the board: memory, disk, clock, temperature and power supply."""

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime

from boards import render
from boards.doctor.finding import Finding, fail, ok, warn
from boards.doctor.system import MISSING, TIMEOUT, HostSystem
from boards.profile import Profile
from edge import telemetry
from edge.quantities import size

_MIN_MEMORY = 130_000_000
"""Measured need of a classifier on a video, in bytes (MobileNet, OpenCV, litert: 107 to 124 MB)."""

_ADD_SWAP = (
    "sudo fallocate -l 1G /swapfile && sudo chmod 600 /swapfile && "
    "sudo mkswap /swapfile && sudo swapon /swapfile\n"
    "echo '/swapfile none swap sw 0 0' | sudo tee -a /etc/fstab"
)

_NO_DESKTOP = "sudo systemctl set-default multi-user.target && sudo reboot"

_RELEASE_MEMORY = (
    "sudo sed -i 's/^gpu_mem=/#&/; s/^total_mem=/#&/' /boot/firmware/config.txt && sudo reboot"
)

_ENABLE_MEMORY_LIMIT = (
    "sudo sed -i '1s/$/ cgroup_enable=memory/' /boot/firmware/cmdline.txt && sudo reboot"
)
"""https://github.com/raspberrypi/linux/commit/9b0efcc1ec497b2985c6aaa60cd97f0d2d96d203"""

_MIN_DISK, _LOW_DISK = 100_000_000, 1_000_000_000
"""Free bytes below which nothing can be written soon, and below which an update does not fit."""

_EARLIEST_DATE = datetime(2026, 1, 1, tzinfo=UTC)
"""A date before the first release of this toolkit: a clock that shows an earlier one is wrong."""

_THROTTLING_CELSIUS = 80.0
"""Temperature in °C from which a Raspberry Pi lowers its clock.

https://www.raspberrypi.com/documentation/computers/raspberry-pi.html#frequency-management-and-thermal-control
"""


def memory(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    """Check that a demo fits into memory."""
    text = system.text("proc/meminfo") or ""
    stored = {name: 1024 * int(kib) for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}
    if not {"MemTotal", "MemAvailable"} <= stored.keys():
        return
    total, free = stored["MemTotal"], stored["MemAvailable"]
    swap = stored.get("SwapFree", 0)
    sold = [mib for mib in (profile.memory.mib if profile.memory else ()) if mib << 20 >= total]
    of = f" (the board is sold with {render.memory_size(sold[0])})" if sold else ""
    has_swap = f"{size(swap)} swap" if stored.get("SwapTotal") else "no swap"
    observed = f"{size(total)}{of}, {size(free)} free, {has_swap}"
    if free + swap < _MIN_MEMORY:
        explanation = f"A demo needs about {size(_MIN_MEMORY)}, so the kernel would kill it."
        yield fail(
            "memory", observed, explanation, _NO_DESKTOP if stored.get("SwapTotal") else _ADD_SWAP
        )
    elif free < _MIN_MEMORY:
        explanation = (
            f"A demo needs about {size(_MIN_MEMORY)} and would run from swap. Disable the desktop."
        )
        yield warn("memory", observed, explanation, _NO_DESKTOP)
    elif sold and total < 0.75 * (sold[0] << 20) and _memory_is_reserved(system):
        explanation = "/boot/firmware/config.txt reserves much of the board's memory."
        yield warn("memory", observed, explanation, _RELEASE_MEMORY)
    elif total < 2**30 and not stored.get("SwapTotal"):
        explanation = "When memory runs out on such a small board, the kernel kills programs."
        yield warn("memory", observed, explanation, _ADD_SWAP)
    else:
        yield ok("memory", observed)


def memory_limit(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """Check that systemd can limit a service's memory: Raspberry Pi OS disables that."""
    controllers = system.text("sys/fs/cgroup/cgroup.controllers")
    if controllers is None:
        return
    if "memory" in controllers.split():
        yield ok("memory limit", "supported by the kernel")
        return
    explanation = "The memory limit of the service that 'edge deploy' installs has no effect."
    cmdline = system.text("boot/firmware/cmdline.txt")
    fix = "" if cmdline is None or "cgroup_enable=memory" in cmdline else _ENABLE_MEMORY_LIMIT
    yield warn("memory limit", "disabled in the kernel", explanation, fix)


def _memory_is_reserved(system: HostSystem) -> bool:
    """Return True if a Raspberry Pi is configured to use less memory than it has."""
    settings = system.text("boot/firmware/config.txt") or ""
    return re.search(r"^(gpu_mem|total_mem)=", settings, re.MULTILINE) is not None


def disk(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """Check the free space of the environment's disk, and that / is writable."""
    rows = (system.output("df", "-Pk", system.python) or "").splitlines()
    columns = rows[-1].split() if len(rows) > 1 else []
    if len(columns) >= 6 and columns[3].isdecimal():
        free = 1024 * int(columns[3])
        observed = f"{size(free)} free"
        cache = f"{shlex.quote(system.python)} -m pip cache purge"
        clean = f"sudo apt-get clean && sudo journalctl --vacuum-size=50M && {cache}"
        if free < _MIN_DISK:
            yield fail("disk", observed, "Nothing more can be recorded or installed.", clean)
        elif free < _LOW_DISK:
            yield warn("disk", observed, "An update of the environment may not fit.", clean)
        else:
            yield ok("disk", observed)
    mounts = re.findall(r"^\S+ / \S+ (\S+)", system.text("proc/mounts") or "", re.MULTILINE)
    if mounts and "ro" in mounts[-1].split(","):
        yield warn(
            "disk",
            "/ is mounted read-only",
            "The kernel does that when the card is damaged, unless it was configured that way.",
            "sudo dmesg | grep -iE 'mmc|ext4|i/o error'\nsudo mount -o remount,rw /",
        )


def clock(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """Check the date: with a wrong one certificates look invalid, so downloads fail."""
    observed = f"{system.now:%Y-%m-%d %H:%M} UTC"
    synchronize = "sudo timedatectl set-ntp true && sudo systemctl restart systemd-timesyncd"
    if system.now < _EARLIEST_DATE:
        explanation = "The date is in the past. Certificates seem not yet valid, so downloads fail."
        yield fail("clock", observed, explanation, synchronize)
        return
    synchronized = system.output("timedatectl", "show", "--property=NTPSynchronized", "--value")
    if synchronized == "no":
        explanation = "It is not synchronized, and a board without a battery loses the time."
        yield warn("clock", observed, explanation, synchronize)
    else:
        yield ok("clock", f"{observed}, synchronized" if synchronized == "yes" else observed)


def temperature(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """Check the temperature of the processor."""
    degrees = telemetry.temperature(system.root)
    if degrees is None:
        return
    observed = f"{degrees:.0f} °C"
    if degrees >= _THROTTLING_CELSIUS:
        explanation = (
            f"The clock is throttled from {_THROTTLING_CELSIUS:.0f} °C. "
            "Add a heat sink, a fan or ventilation."
        )
        yield warn("temperature", observed, explanation)
    else:
        yield ok("temperature", observed)


def power(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    """Check the power supply of a Raspberry Pi with ``vcgencmd get_throttled``."""
    if not profile.name.startswith("raspberry-pi"):
        return
    result = system.run(("vcgencmd", "get_throttled"), TIMEOUT)
    if result.code == MISSING:
        explanation = "Without it, a weak power supply cannot be detected."
        yield warn(
            "power", "vcgencmd is not installed", explanation, "sudo apt-get install -y raspi-utils"
        )
        return
    throttling = telemetry.throttling_of(result.out)
    if throttling is None:
        observed = (result.err or result.out).strip() or f"vcgencmd exited with code {result.code}"
        explanation = "vcgencmd needs access to the firmware. Log out and back in afterwards."
        yield warn("power", observed, explanation, 'sudo usermod -aG video "$USER"')
    elif not throttling:
        yield ok("power", "no under-voltage or throttling since boot")
    else:
        yield _throttling_finding(throttling)


def _throttling_finding(reasons: list[str]) -> Finding:
    observed = ", ".join(reasons)
    weak = (
        "The power supply or its cable is too weak: USB devices disconnect, cards get damaged, "
        "and the clock is throttled. Use the board's official power supply."
    )
    if "under-voltage now" in reasons:
        return fail("power", observed, weak)
    if "under-voltage earlier" in reasons:
        return warn("power", observed, weak)
    return warn(
        "power", observed, "The board is throttled by heat. Add a heat sink, a fan or ventilation."
    )
