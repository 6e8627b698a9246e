"""Which board this is, its system, and whether the toolkit's wheels exist for it."""

import re
from collections.abc import Iterator

from boards.doctor.finding import Finding, fail, ok, warn
from boards.doctor.system import HostSystem
from boards.profile import Profile, load, recognize

_WHEELS = ("aarch64", "x86_64")
"""Architectures that ai-edge-litert and OpenCV have wheels for."""

_WRITE_64_BIT = (
    "ai-edge-litert has no wheels for 32-bit systems. Write a 64-bit image to the card with "
    "Raspberry Pi Imager: Raspberry Pi OS (64-bit)."
)


def model(system: HostSystem) -> str:
    """What the device tree calls the board; "" on a PC."""
    told = system.text("proc/device-tree/model")
    return told or system.text("sys/firmware/devicetree/base/model") or ""


def recognized_board(system: HostSystem) -> Profile:
    """The profile of the board by its device tree, else that of any Linux."""
    machine = system.ask("uname", "-m")
    other = "generic-x86-64" if machine == "x86_64" else "generic-aarch64"
    return recognize(model(system)) or load(other)


def release(system: HostSystem, key: str = "VERSION_CODENAME") -> str:
    """A value of /etc/os-release, "" where there is none."""
    told = system.text("etc/os-release") or ""
    value = re.search(rf'^{key}="?([^"\n]*)"?$', told, re.MULTILINE)
    return value[1] if value else ""


def board(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    told = model(system) or f"unknown ({system.ask('uname', '-m')}, no device tree)"
    if profile.models and not told.startswith(profile.models):
        yield warn(
            "board",
            told,
            f"The profile {profile.name} is for a {profile.title}, so its figures do not apply to "
            "this board. List the known boards, or leave out --board.",
            "edge boards list",
        )
    else:
        yield ok("board", f"{told} (profile {profile.name})")


def operating_system(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    codename = release(system)
    found = release(system, "PRETTY_NAME") or "unknown"
    known = {one.release: one for one in profile.systems}
    if codename in known and not known[codename].supported:
        yield warn("system", found, known[codename].note)
    elif codename in known:
        yield ok("system", found)
    else:
        yield ok("system", found, f"Not in the profile, which lists {', '.join(known) or 'none'}.")


def architecture(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    machine = system.ask("uname", "-m") or "unknown"
    bits = system.ask("getconf", "LONG_BIT")
    if machine in _WHEELS and bits == "32":
        found = f"a 32-bit system on a 64-bit kernel ({machine})"
        yield fail("architecture", found, _WRITE_64_BIT)
    elif machine in _WHEELS:
        yield ok("architecture", f"{machine}, 64-bit")
    elif machine.startswith(("armv", "i")):
        yield fail("architecture", f"{machine}, 32-bit", _WRITE_64_BIT)
    else:
        means = f"ai-edge-litert has wheels for {' and '.join(_WHEELS)} only."
        yield fail("architecture", machine, means)


def cores(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    """Of the processor, against the threads that the profile reckons with."""
    count = len(re.findall(r"^processor\s*:", system.text("proc/cpuinfo") or "", re.MULTILINE))
    wanted = profile.run.threads
    if not count:
        return
    found = f"{count} {'core' if count == 1 else 'cores'}"
    if count >= wanted:
        yield ok("processor", found)
        return
    limited = "maxcpus=" in (system.text("proc/cmdline") or "")
    means = f"The profile assumes {wanted} threads, so models run more slowly here."
    fix = r"sudo sed -i 's/ *\bmaxcpus=[0-9]*//' /boot/firmware/cmdline.txt && sudo reboot"
    yield warn("processor", f"{count} of {wanted} cores", means, fix if limited else "")
