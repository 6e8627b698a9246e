"""Memory, disk and clock."""

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime

from boards.doctor.finding import Finding, fail, ok, warn
from boards.doctor.system import HostSystem
from boards.profile import Profile

NEEDED_MIB = 128
"""What a classifier on a video was measured to need (MobileNet, OpenCV, litert: 107 to 124 MB)."""

_ADD_SWAP = (
    "sudo fallocate -l 1G /swapfile && sudo chmod 600 /swapfile && "
    "sudo mkswap /swapfile && sudo swapon /swapfile\n"
    "echo '/swapfile none swap sw 0 0' | sudo tee -a /etc/fstab"
)

_NO_DESKTOP = "sudo systemctl set-default multi-user.target && sudo reboot"

_ALL_MEMORY = (
    "sudo sed -i 's/^gpu_mem=/#&/; s/^total_mem=/#&/' /boot/firmware/config.txt && sudo reboot"
)

_LIMIT = "sudo sed -i '1s/$/ cgroup_enable=memory/' /boot/firmware/cmdline.txt && sudo reboot"
"""https://github.com/raspberrypi/linux/commit/9b0efcc1ec497b2985c6aaa60cd97f0d2d96d203"""

_LEAST_DISK, _LITTLE_DISK = 100, 1024
"""MiB below which nothing can be written soon, and below which an update does not fit."""

RELEASED = datetime(2026, 1, 1, tzinfo=UTC)
"""A day before this toolkit was there: a clock that shows an earlier one is wrong."""


def memory(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    told = system.text("proc/meminfo") or ""
    mib = {name: int(kib) // 1024 for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", told, re.M)}
    if not {"MemTotal", "MemAvailable"} <= mib.keys():
        return
    total, free, swap = mib["MemTotal"], mib["MemAvailable"], mib.get("SwapFree", 0)
    sizes = [size for size in (profile.memory.mib if profile.memory else ()) if size >= total]
    of = f" (the board has {sizes[0]} MiB)" if sizes else ""
    has_swap = f"{swap} MiB swap" if mib.get("SwapTotal") else "no swap"
    found = f"{total} MiB{of}, {free} MiB free, {has_swap}"
    if free + swap < NEEDED_MIB:
        means = f"A demo needs about {NEEDED_MIB} MiB, so the kernel would kill it."
        yield fail("memory", found, means, _NO_DESKTOP if mib.get("SwapTotal") else _ADD_SWAP)
    elif free < NEEDED_MIB:
        means = f"A demo needs about {NEEDED_MIB} MiB and would run from swap. Disable the desktop."
        yield warn("memory", found, means, _NO_DESKTOP)
    elif sizes and total < 0.75 * sizes[0] and _given_away(system):
        means = "/boot/firmware/config.txt reserves much of the board's memory."
        yield warn("memory", found, means, _ALL_MEMORY)
    elif total < 1024 and not mib.get("SwapTotal"):
        means = "When memory runs out on such a small board, the kernel kills programs."
        yield warn("memory", found, means, _ADD_SWAP)
    else:
        yield ok("memory", found)


def memory_limit(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """Whether systemd can limit a service's memory: Raspberry Pi OS switches that off."""
    controllers = system.text("sys/fs/cgroup/cgroup.controllers")
    if controllers is None:
        return
    if "memory" in controllers.split():
        yield ok("memory limit", "supported by the kernel")
        return
    means = "The memory limit of the service that 'edge deploy' installs has no effect."
    asked = system.text("boot/firmware/cmdline.txt")
    fix = "" if asked is None or "cgroup_enable=memory" in asked else _LIMIT
    yield warn("memory limit", "disabled in the kernel", means, fix)


def _given_away(system: HostSystem) -> bool:
    """Whether a Raspberry Pi is set up to use less memory than it has."""
    settings = system.text("boot/firmware/config.txt") or ""
    return re.search(r"^(gpu_mem|total_mem)=", settings, re.MULTILINE) is not None


def disk(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """Free space where the environment lies, and whether anything can be written."""
    told = (system.ask("df", "-Pk", system.python) or "").splitlines()
    columns = told[-1].split() if len(told) > 1 else []
    if len(columns) >= 6 and columns[3].isdecimal():
        free = int(columns[3]) // 1024
        found = f"{free} MiB free"
        cache = f"{shlex.quote(system.python)} -m pip cache purge"
        clean = f"sudo apt-get clean && sudo journalctl --vacuum-size=50M && {cache}"
        if free < _LEAST_DISK:
            yield fail("disk", found, "Nothing more can be recorded or installed.", clean)
        elif free < _LITTLE_DISK:
            yield warn("disk", found, "An update of the environment may not fit.", clean)
        else:
            yield ok("disk", found)
    mounts = re.findall(r"^\S+ / \S+ (\S+)", system.text("proc/mounts") or "", re.MULTILINE)
    if mounts and "ro" in mounts[-1].split(","):
        yield warn(
            "disk",
            "/ is mounted read-only",
            "The kernel does that when the card is damaged, unless it was configured that way.",
            "sudo dmesg | grep -iE 'mmc|ext4|i/o error'\nsudo mount -o remount,rw /",
        )


def clock(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """A wrong date makes every certificate look invalid: no download works."""
    found = f"{system.now:%Y-%m-%d %H:%M} UTC"
    synchronise = "sudo timedatectl set-ntp true && sudo systemctl restart systemd-timesyncd"
    if system.now < RELEASED:
        means = "The date is in the past. Certificates seem not yet valid, so downloads fail."
        yield fail("clock", found, means, synchronise)
        return
    synchronised = system.ask("timedatectl", "show", "--property=NTPSynchronized", "--value")
    if synchronised == "no":
        means = "It is not synchronized, and a board without a battery loses the time."
        yield warn("clock", found, means, synchronise)
    else:
        yield ok("clock", f"{found}, synchronized" if synchronised == "yes" else found)
