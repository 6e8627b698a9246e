"""Board, operating system and architecture, and the wheels that exist for them."""

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


def board_model(system: HostSystem) -> str:
    """Return the board's name in the device tree, "" on a PC."""
    name = system.text("proc/device-tree/model")
    return name or system.text("sys/firmware/devicetree/base/model") or ""


def recognized_board(system: HostSystem) -> Profile:
    """Return the profile that matches the device tree, else the generic one."""
    machine = system.output("uname", "-m")
    other = "generic-x86-64" if machine == "x86_64" else "generic-aarch64"
    return recognize(board_model(system)) or load(other)


def os_release(system: HostSystem, key: str = "VERSION_CODENAME") -> str:
    """Return a value of /etc/os-release, "" if missing."""
    text = system.text("etc/os-release") or ""
    value = re.search(rf'^{key}="?([^"\n]*)"?$', text, re.MULTILINE)
    return value[1] if value else ""


def board(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    """Check that the board is the one that the profile describes."""
    name = board_model(system) or f"unknown ({system.output('uname', '-m')}, no device tree)"
    if profile.models and not name.startswith(profile.models):
        yield warn(
            "board",
            name,
            f"The profile {profile.name} is for a {profile.title}, so its figures do not apply to "
            "this board. List the known boards, or leave out --board.",
            "edge boards list",
        )
    else:
        yield ok("board", f"{name} (profile {profile.name})")


def operating_system(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    """Check that the operating system is supported."""
    codename = os_release(system)
    observed = os_release(system, "PRETTY_NAME") or "unknown"
    known = {entry.release: entry for entry in profile.systems}
    if codename in known and not known[codename].supported:
        yield warn("system", observed, known[codename].note)
    elif codename in known:
        yield ok("system", observed)
    else:
        yield ok(
            "system", observed, f"Not in the profile, which lists {', '.join(known) or 'none'}."
        )


def architecture(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    """Check that there are wheels for the architecture."""
    machine = system.output("uname", "-m") or "unknown"
    bits = system.output("getconf", "LONG_BIT")
    if machine in _WHEELS and bits == "32":
        observed = f"a 32-bit system on a 64-bit kernel ({machine})"
        yield fail("architecture", observed, _WRITE_64_BIT)
    elif machine in _WHEELS:
        yield ok("architecture", f"{machine}, 64-bit")
    elif machine.startswith(("armv", "i")):
        yield fail("architecture", f"{machine}, 32-bit", _WRITE_64_BIT)
    else:
        explanation = f"ai-edge-litert has wheels for {' and '.join(_WHEELS)} only."
        yield fail("architecture", machine, explanation)


def cores(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    """Compare the number of cores with the threads that the profile assumes."""
    count = len(re.findall(r"^processor\s*:", system.text("proc/cpuinfo") or "", re.MULTILINE))
    threads = profile.run.threads
    if not count:
        return
    observed = f"{count} {'core' if count == 1 else 'cores'}"
    if count >= threads:
        yield ok("processor", observed)
        return
    limited = "maxcpus=" in (system.text("proc/cmdline") or "")
    explanation = f"The profile assumes {threads} threads, so models run more slowly here."
    fix = r"sudo sed -i 's/ *\bmaxcpus=[0-9]*//' /boot/firmware/cmdline.txt && sudo reboot"
    yield warn("processor", f"{count} of {threads} cores", explanation, fix if limited else "")
