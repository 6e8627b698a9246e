"""Cameras: CSI ones through picamera2, others through V4L2."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from boards.doctor.finding import Finding, State, fail, ok, warn
from boards.doctor.system import HostSystem
from boards.profile import Profile
from edge.installation import requirement

_CSI = ("unicam", "rp1-cfe")
"""Names of the nodes that a CSI camera of a Raspberry Pi brings; OpenCV cannot read them."""

_NO_CAMERAS = ("bcm2835-codec", "bcm2835-isp", "rpivid", "rpi-hevc-dec", "pispbe")
"""Beginnings of names of nodes that encode, decode or convert."""

_NUMPY_CLASH = ("numpy.dtype size changed", "numpy.core.multiarray failed to import")

_JOIN = "Log out and back in afterwards."


@dataclass(frozen=True, slots=True)
class VideoDevice:
    """A device of V4L2 that gives images."""

    path: Path
    name: str

    @property
    def csi(self) -> bool:
        return self.name.startswith(_CSI)


def video_devices(system: HostSystem) -> list[VideoDevice]:
    """What gives images, without the second nodes of cameras, which give metadata."""
    found = []
    for path in system.found("dev/video[0-9]*"):
        folder = f"sys/class/video4linux/{path.name}"
        name = system.text(f"{folder}/name") or path.name
        first = system.text(f"{folder}/index") in (None, "0")
        if not name.startswith(_NO_CAMERAS) and (first or name.startswith(_CSI)):
            found.append(VideoDevice(path, name))
    return found


def camera(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    there = video_devices(system)
    others = [node for node in there if not node.csi]
    connected = any(node.csi for node in there)
    names: list[str] = []
    if any(one.stack.startswith("picamera2") for one in profile.cameras):
        said = system.probe("picamera")
        names = said.get("cameras", [])
        if "trouble" in said and (connected or not others):
            yield _without_picamera(system, said["trouble"], "fail" if connected else "warn")
    yield from _permission(system, there)
    if names:
        yield ok("camera", f"CSI: {', '.join(names)} (--source picamera)")
    if others:
        listed = (f"{node.name} (--source {node.path.name[5:]})" for node in others)
        yield ok("camera", f"V4L2: {', '.join(listed)}")
    if not (names or there):
        means = "Files and streams still work. Connect a camera; a CSI cable with the power off."
        yield warn("camera", "none", means)


def _permission(system: HostSystem, there: list[VideoDevice]) -> Iterator[Finding]:
    closed = [node.path for node in there if not system.may_use(node.path)]
    if not closed:
        return
    groups = (system.ask("id", "-nG") or "").split()
    found = f"no permission for {', '.join(f'/dev/{path.name}' for path in closed)}"
    if "video" in groups:
        means = "You are in the group video, but the device file does not belong to it."
        yield fail("camera", found, means, "ls -l /dev/video*\nsudo udevadm trigger")
    else:
        means = f"Only the group video may use cameras. {_JOIN}"
        yield fail("camera", found, means, 'sudo usermod -aG video "$USER"')


def _without_picamera(system: HostSystem, trouble: str, state: State) -> Finding:
    if any(words in trouble for words in _NUMPY_CLASH):
        means = "This release's picamera2 is built for NumPy 1, but the environment has NumPy 2."
        return Finding("picamera2", state, trouble, means, system.pip("numpy<2"))
    if "No module named" not in trouble:
        means = (
            "libcamera's bindings only work with the system's own Python. Create the environment "
            "with it."
        )
        fix = "/usr/bin/python3 -m venv --clear --system-site-packages ~/edge"
        install = f"~/edge/bin/pip install {requirement()}"
        return Finding("picamera2", state, trouble, means, f"{fix} && {install}")
    lines = []
    if not system.found("usr/lib/python3/dist-packages/picamera2"):
        lines.append("sudo apt-get install -y python3-picamera2")
    if environment := system.probe("python").get("environment"):
        lines.append(
            "sed -i 's/^include-system-site-packages = .*/include-system-site-packages = true/' "
            f"{environment}/pyvenv.cfg"
        )
    means = (
        "A CSI camera needs picamera2, which is only available from apt; the environment must "
        "include the system's packages."
    )
    return Finding("picamera2", state, trouble, means, "\n".join(lines))
