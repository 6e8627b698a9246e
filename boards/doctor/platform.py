"""Checks of the platform: board, operating system, architecture, Python and packages."""

import re
from collections.abc import Iterator

from boards.doctor.finding import Finding, fail, ok, warn
from boards.doctor.probes import NO_NUMPY
from boards.doctor.system import DIED, HostSystem
from boards.profile import Profile, load, recognize
from edge.installation import requirement
from edge.quantities import counted

_PYTHONS = ((3, 11), (3, 14))
"""First supported Python, and the first that is no longer supported."""

_APT_OF_OPENCV = {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0",
                  "libglib-2.0.so.0": "libglib2.0-0"}  # fmt: skip
"""System library that opencv-python needs → its Debian package."""


def python(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """Check the version of Python."""
    answer = system.probe("python")
    if "problem" in answer:
        yield fail("Python", answer["problem"], f"{system.python} does not run.")
        return
    observed = f"{answer['version']}, {answer['environment'] or 'no virtual environment'}"
    minor = tuple(map(int, answer["version"].split(".")[:2]))
    first, after = _PYTHONS
    if first <= minor < after:
        yield ok("Python", observed)
        return
    explanation = "The toolkit supports Python 3.11, 3.12 and 3.13."
    create = f"{system.pip('uv')} && uv venv --python 3.13 ~/edge"
    install = f"uv pip install --python ~/edge/bin/python {requirement()}"
    yield fail("Python", observed, explanation, f"{create} && {install}")


def interpreter(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """Check the TFLite interpreter and its NumPy by running a model."""
    answer = system.probe("interpreter")
    if "problem" not in answer:
        yield ok("interpreter", f"{answer['package']} with NumPy {answer['numpy']} runs a model")
        return
    problem = answer["problem"]
    if answer.get("code") == "numpy-incompatible":
        explanation = "tflite-runtime is built for NumPy 1: it imports, but crashes on every model."
        yield fail("interpreter", problem, explanation, system.pip("numpy<2"))
    elif problem.startswith(NO_NUMPY):
        yield fail("interpreter", problem, "No model can run.", _reinstall_numpy(system))
    elif problem.startswith(DIED):
        explanation = "The interpreter crashes: its files are damaged or do not match each other."
        again = system.pip("ai-edge-litert").replace("install", "install --force-reinstall")
        yield fail("interpreter", problem, explanation, again)
    else:
        yield fail("interpreter", problem, "No model can run.", system.pip("ai-edge-litert>=2.1"))


def opencv(system: HostSystem, _: Profile) -> Iterator[Finding]:
    """Check that OpenCV works and that its distributions have the same version."""
    answer = system.probe("opencv")
    distributions: dict[str, str] = answer.get("distributions", {})
    if "problem" in answer:
        yield _broken_opencv(system, answer["problem"])
    else:
        yield ok("OpenCV", answer["version"])
    if len(set(distributions.values())) > 1:
        observed = " and ".join(f"{name} {version}" for name, version in distributions.items())
        newest = max(distributions.values(), key=_number)
        install = system.pip(*(f"{name}=={newest}" for name in distributions))
        yield warn(
            "OpenCV",
            observed,
            "They install the same files, so a mixture of both runs. "
            "They must have the same version.",
            install.replace("install", "install --force-reinstall --no-deps"),
        )


def _broken_opencv(system: HostSystem, problem: str) -> Finding:
    packages = {package for library, package in _APT_OF_OPENCV.items() if library in problem}
    if packages:
        explanation = "opencv-python needs system libraries that are not part of a Lite image."
        return fail("OpenCV", problem, explanation, "sudo apt-get install -y libgl1 libglib2.0-0")
    explanation = "No image can be read."
    if problem.startswith(NO_NUMPY):
        return fail("OpenCV", problem, explanation, _reinstall_numpy(system))
    if "No module named 'cv2'" in problem:
        return fail("OpenCV", problem, explanation, system.pip("opencv-python>=4.11,<5"))
    again = system.pip("opencv-python>=4.11,<5").replace("install", "install --force-reinstall")
    return fail("OpenCV", problem, explanation, again)


def _reinstall_numpy(system: HostSystem) -> str:
    return system.pip("numpy").replace("install", "install --force-reinstall --no-deps")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


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
    observed = counted(count, "core")
    if count >= threads:
        yield ok("processor", observed)
        return
    limited = "maxcpus=" in (system.text("proc/cmdline") or "")
    explanation = (
        f"The profile assumes {counted(threads, 'thread')}, so models run more slowly here."
    )
    fix = r"sudo sed -i 's/ *\bmaxcpus=[0-9]*//' /boot/firmware/cmdline.txt && sudo reboot"
    yield warn(
        "processor", f"{count} of {counted(threads, 'core')}", explanation, fix if limited else ""
    )
