"""The virtual environment of a release on a board: which one it is, and what it is made of."""

import hashlib
import json
from dataclasses import dataclass

from boards.deploy.ssh import RemoteResult
from boards.deploy.target import PythonInstall, Target
from boards.deploy.wheel import OwnWheel
from edge.deployment.release import ReleaseManifest
from edge.errors import BoardError

SIZE_KIB = 500 * 1024
"""What an environment takes while it is made, in KiB; the base one takes 330 MiB on x86-64."""

_APT = "sudo apt-get install -y libgl1 libglib2.0-0"


@dataclass(frozen=True, slots=True)
class Environment:
    """``name``: what it is made of, so that releases share it; ``requirements``: as pip takes them,
    the toolkit's wheel by its file."""

    name: str
    python: PythonInstall
    system_packages: bool
    requirements: tuple[str, ...]

    @property
    def options(self) -> str:
        """Those of the module venv."""
        return "--system-site-packages" if self.system_packages else ""


def build_environment(
    python: PythonInstall, manifest: ReleaseManifest, wheel: OwnWheel
) -> Environment:
    """The environment that a release wants with a Python."""
    extras = f"[{','.join(manifest.extras)}]" if manifest.extras else ""
    requirements = [f"./{wheel.name}{extras}"]
    if manifest.system_packages and python.version == "3.11":
        requirements.append("numpy<2")  # which picamera2's libraries on bookworm were compiled for
    made_of = [wheel.sha256, python.version, manifest.system_packages, *requirements]
    digest = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:12]
    name = f"py{python.version}-{digest}"
    return Environment(name, python, manifest.system_packages, tuple(requirements))


def failure(board: Target, done: RemoteResult, offline: bool) -> BoardError:
    """Why scripts/environment.sh failed, from what it printed."""
    said = done.err.strip()
    last = said.splitlines()[-1] if said else f"exit code {done.code}"
    expected = f"the packages to install on {board.address}"
    if no_space(said):
        return disk_full_error(board)
    if "libGL" in said or "libgthread" in said or "libglib" in said:
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


def no_space(said: str) -> bool:
    return "No space left on device" in said or "Disk quota exceeded" in said


def disk_full_error(board: Target) -> BoardError:
    return BoardError(
        f"free space in {board.root} on {board.address}",
        "a full disk",
        "free some space there, or use a larger card; the current release is still running",
        code="board-disk-full",
    )
