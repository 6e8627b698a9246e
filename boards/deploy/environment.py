"""Virtual environments on boards, and wheels for boards without a package index.

pip can download for another machine, but evaluates markers (PEP 508) for this one. Therefore the
requirements of the downloaded wheels are evaluated here for the board until none is missing.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path
from typing import Any

from boards.deploy import wheel
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


_MIN_GLIBC = 5
"""Minor version of glibc 2 that the oldest wheels (manylinux1) need."""


def fetch_wheels(
    board: Target, environment: Environment, extras: Iterable[str]
) -> dict[str, bytes]:
    """Download the wheels of an environment, by file name, without edge-toolkit's own.

    Raises:
        BoardError: pip is missing here, or finds no wheel for the board.
    """
    target = markers(board.machine, environment.python.version)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pinned = environment.requirements[1:]
        missing = [*_required(wheel.requirements(), extras, target), *pinned]
        while missing:
            _download(missing, pinned, board, environment.python.version, folder)
            missing = list(_missing(folder, target, missing))
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*.whl"))}


def markers(machine: str, python: str) -> dict[str, str]:
    """Return the values of environment markers (PEP 508) on a Linux board."""
    return {
        "implementation_name": "cpython", "implementation_version": f"{python}.0",
        "os_name": "posix", "platform_machine": machine, "platform_release": "",
        "platform_system": "Linux", "platform_version": "", "sys_platform": "linux",
        "platform_python_implementation": "CPython", "python_version": python,
        "python_full_version": f"{python}.0",
    }  # fmt: skip


def _download(
    missing: list[str], pinned: Iterable[str], board: Target, python: str, folder: Path
) -> None:
    minor = int(re.sub(r"\D", "", board.libc.rpartition(".")[2]) or "17")
    platforms = [
        f"manylinux_2_{version}_{board.machine}" for version in range(minor, _MIN_GLIBC - 1, -1)
    ]
    platforms += [f"manylinux2014_{board.machine}", f"linux_{board.machine}"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
         "--only-binary=:all:", "--implementation=cp", f"--python-version={python}",
         *(f"--platform={platform}" for platform in platforms), f"--dest={folder}",
         *missing, *pinned],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise BoardError(
            f"wheels for {board.machine}, Python {python} and {board.libc}",
            lines[-1],
            "check that a package index is reachable; 'python -m pip download' shows details",
            code="wheels-not-found",
        )


def _missing(folder: Path, target: Mapping[str, str], requested: Iterable[str]) -> Iterator[str]:
    """Yield what the wheels require there and is not downloaded; extras as in ``requested``."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name, parse_wheel_filename

    wheels = {parse_wheel_filename(path.name)[0]: path for path in folder.glob("*.whl")}
    extras_of: dict[Any, set[str]] = {name: set() for name in wheels}
    for line in requested:
        requirement = Requirement(line)
        extras_of.setdefault(canonicalize_name(requirement.name), set()).update(requirement.extras)
    for name, path in wheels.items():
        for line in _required(_requires(path), extras_of[name], target):
            if canonicalize_name(Requirement(line).name) not in wheels:
                yield line


def _required(
    lines: Iterable[str], extras: Iterable[str], target: Mapping[str, str]
) -> Iterator[str]:
    """Yield the requirements that apply there, without their markers."""
    from packaging.requirements import Requirement

    for line in lines:
        requirement = Requirement(line)
        marker, requirement.marker = requirement.marker, None
        selected = ("", *extras)
        if marker is None or any(marker.evaluate({**target, "extra": name}) for name in selected):
            yield str(requirement)


def _requires(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode()).get_all("Requires-Dist") or []
