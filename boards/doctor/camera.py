"""Cameras: CSI ones through picamera2, others through V4L2."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from boards.doctor.finding import Finding, State, fail, ok, warn
from boards.doctor.system import HostSystem
from boards.profile import Profile
from edge.installation import requirement

_CSI = ("unicam", "rp1-cfe")
"""Names of the nodes of a Raspberry Pi's CSI cameras; OpenCV cannot read them."""

_NO_CAMERAS = ("bcm2835-codec", "bcm2835-isp", "rpivid", "rpi-hevc-dec", "pispbe")
"""Name prefixes of nodes that encode, decode or convert video."""

_NUMPY_CLASH = ("numpy.dtype size changed", "numpy.core.multiarray failed to import")

_LOG_IN_AGAIN = "Log out and back in afterwards."


@dataclass(frozen=True, slots=True)
class VideoDevice:
    """A V4L2 device that captures images."""

    path: Path
    name: str

    @property
    def csi(self) -> bool:
        """True for a CSI camera of a Raspberry Pi."""
        return self.name.startswith(_CSI)


def video_devices(system: HostSystem) -> list[VideoDevice]:
    """List the V4L2 devices that capture images, without the metadata nodes of cameras."""
    devices = []
    for path in system.glob("dev/video[0-9]*"):
        folder = f"sys/class/video4linux/{path.name}"
        name = system.text(f"{folder}/name") or path.name
        first = system.text(f"{folder}/index") in (None, "0")
        if not name.startswith(_NO_CAMERAS) and (first or name.startswith(_CSI)):
            devices.append(VideoDevice(path, name))
    return devices


def camera(system: HostSystem, profile: Profile) -> Iterator[Finding]:
    """Check that a camera is connected and usable."""
    present = video_devices(system)
    others = [node for node in present if not node.csi]
    connected = any(node.csi for node in present)
    names: list[str] = []
    if any(support.stack.startswith("picamera2") for support in profile.cameras):
        answer = system.probe("picamera")
        names = answer.get("cameras", [])
        if "problem" in answer and (connected or not others):
            yield _without_picamera(system, answer["problem"], "fail" if connected else "warn")
    yield from _permission(system, present)
    if names:
        yield ok("camera", f"CSI: {', '.join(names)} (--source picamera)")
    if others:
        listed = (f"{node.name} (--source {node.path.name[5:]})" for node in others)
        yield ok("camera", f"V4L2: {', '.join(listed)}")
    if not (names or present):
        explanation = (
            "Files and streams still work. Connect a camera; a CSI cable with the power off."
        )
        yield warn("camera", "none", explanation)


def _permission(system: HostSystem, present: list[VideoDevice]) -> Iterator[Finding]:
    closed = [node.path for node in present if not system.may_use(node.path)]
    if not closed:
        return
    groups = (system.output("id", "-nG") or "").split()
    observed = f"no permission for {', '.join(f'/dev/{path.name}' for path in closed)}"
    if "video" in groups:
        explanation = "You are in the group video, but the device file does not belong to it."
        yield fail("camera", observed, explanation, "ls -l /dev/video*\nsudo udevadm trigger")
    else:
        explanation = f"Only the group video may use cameras. {_LOG_IN_AGAIN}"
        yield fail("camera", observed, explanation, 'sudo usermod -aG video "$USER"')


def _without_picamera(system: HostSystem, problem: str, state: State) -> Finding:
    if any(words in problem for words in _NUMPY_CLASH):
        explanation = (
            "This release's picamera2 is built for NumPy 1, but the environment has NumPy 2."
        )
        return Finding("picamera2", state, problem, explanation, system.pip("numpy<2"))
    if "No module named" not in problem:
        explanation = (
            "libcamera's bindings only work with the system's own Python. Create the environment "
            "with it."
        )
        fix = "/usr/bin/python3 -m venv --clear --system-site-packages ~/edge"
        install = f"~/edge/bin/pip install {requirement()}"
        return Finding("picamera2", state, problem, explanation, f"{fix} && {install}")
    lines = []
    if not system.glob("usr/lib/python3/dist-packages/picamera2"):
        lines.append("sudo apt-get install -y python3-picamera2")
    if environment := system.probe("python").get("environment"):
        lines.append(
            "sed -i 's/^include-system-site-packages = .*/include-system-site-packages = true/' "
            f"{environment}/pyvenv.cfg"
        )
    explanation = (
        "A CSI camera needs picamera2, which is only available from apt; the environment must "
        "include the system's packages."
    )
    return Finding("picamera2", state, problem, explanation, "\n".join(lines))
