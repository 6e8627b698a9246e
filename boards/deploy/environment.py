"""The virtual environment of a release on a board: its name and its requirements."""

import hashlib
import json
from dataclasses import dataclass

from boards.deploy.ssh import RemoteResult
from boards.deploy.target import PythonInstall, Target
from boards.deploy.wheel import OwnWheel
from edge.deployment.release import ReleaseManifest
from edge.errors import BoardError

SIZE_KIB = 500 * 1024
"""Space for an environment and its installation, in KiB; the base takes 330 MiB on x86-64."""

_APT = "sudo apt-get install -y libgl1 libglib2.0-0"


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment.

    Attributes:
        name: derived from its contents, so that releases can share it.
        python: the Python interpreter that creates it.
        system_packages: True if it includes the system's packages.
        requirements: arguments of pip install; the toolkit's wheel as a file name.
    """

    name: str
    python: PythonInstall
    system_packages: bool
    requirements: tuple[str, ...]

    @property
    def options(self) -> str:
        """Options of ``python -m venv``."""
        return "--system-site-packages" if self.system_packages else ""


def build_environment(
    python: PythonInstall, manifest: ReleaseManifest, wheel: OwnWheel
) -> Environment:
    """Return the environment that a release needs with a Python."""
    extras = f"[{','.join(manifest.extras)}]" if manifest.extras else ""
    requirements = [f"./{wheel.name}{extras}"]
    if manifest.system_packages and python.version == "3.11":
        requirements.append("numpy<2")  # picamera2's libraries on bookworm are compiled for it
    contents = [wheel.sha256, python.version, manifest.system_packages, *requirements]
    digest = hashlib.sha256(json.dumps(contents).encode()).hexdigest()[:12]
    name = f"py{python.version}-{digest}"
    return Environment(name, python, manifest.system_packages, tuple(requirements))


def installation_error(board: Target, result: RemoteResult, offline: bool) -> BoardError:
    """Return the error for a failed scripts/environment.sh, from its output."""
    stderr = result.err.strip()
    last = stderr.splitlines()[-1] if stderr else f"exit code {result.code}"
    expected = f"the packages to install on {board.address}"
    if is_disk_full(stderr):
        return disk_full_error(board)
    if "libGL" in stderr or "libgthread" in stderr or "libglib" in stderr:
        return BoardError(
            f"the system libraries that OpenCV needs on {board.address}",
            last,
            _APT,
            code="opencv-libraries-missing",
        )
    fix = "check that the board is online, or deploy with --offline"
    if offline:
        fix = "check which wheel is missing: the package may not have one for this board"
    return BoardError(expected, last, fix, code="packages-not-installed")


def is_disk_full(stderr: str) -> bool:
    """Return True if a script failed because the disk or the quota is full."""
    return "No space left on device" in stderr or "Disk quota exceeded" in stderr


def disk_full_error(board: Target) -> BoardError:
    """Return the error for a board without free space."""
    return BoardError(
        f"free space in {board.root} on {board.address}",
        "a full disk",
        "free some space there, or use a larger card; the current release is still running",
        code="board-disk-full",
    )
