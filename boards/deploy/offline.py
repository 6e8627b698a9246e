"""Wheels for a board that has no package index, fetched here for its processor and Python.

pip fetches for another machine, but takes markers (PEP 508) as if it were this one; so what the
fetched wheels require there is asked of themselves, until nothing is missing.
"""

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from email.parser import Parser
from pathlib import Path
from typing import Any

from boards.deploy import wheel
from boards.deploy.environment import Environment
from boards.deploy.target import Target
from edge.errors import BoardError

_OLDEST = 5
"""Minor version of glibc 2 that the oldest wheels (manylinux1) ask for."""


def fetch(board: Target, environment: Environment, extras: Iterable[str]) -> dict[str, bytes]:
    """The wheels of all packages of an environment, by name; edge-toolkit's own is not among them.

    Raises:
        BoardError: pip is not here, or finds no wheel for such a board.
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
    """The environment of markers on a Linux board."""
    return {
        "implementation_name": "cpython", "implementation_version": f"{python}.0",
        "os_name": "posix", "platform_machine": machine, "platform_release": "",
        "platform_system": "Linux", "platform_version": "", "sys_platform": "linux",
        "platform_python_implementation": "CPython", "python_version": python,
        "python_full_version": f"{python}.0",
    }  # fmt: skip


def _download(
    wanted: list[str], pinned: Iterable[str], board: Target, python: str, folder: Path
) -> None:
    minor = int(re.sub(r"\D", "", board.libc.rpartition(".")[2]) or "17")
    platforms = [f"manylinux_2_{one}_{board.machine}" for one in range(minor, _OLDEST - 1, -1)]
    platforms += [f"manylinux2014_{board.machine}", f"linux_{board.machine}"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
         "--only-binary=:all:", "--implementation=cp", f"--python-version={python}",
         *(f"--platform={one}" for one in platforms), f"--dest={folder}", *wanted, *pinned],
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


def _missing(folder: Path, target: Mapping[str, str], asked: Iterable[str]) -> Iterator[str]:
    """What the wheels require there, and are not; extras as they were asked for."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name, parse_wheel_filename

    there = {parse_wheel_filename(path.name)[0]: path for path in folder.glob("*.whl")}
    wants: dict[Any, set[str]] = {name: set() for name in there}
    for line in asked:
        one = Requirement(line)
        wants.setdefault(canonicalize_name(one.name), set()).update(one.extras)
    for name, path in there.items():
        for line in _required(_requires(path), wants[name], target):
            if canonicalize_name(Requirement(line).name) not in there:
                yield line


def _required(
    lines: Iterable[str], extras: Iterable[str], target: Mapping[str, str]
) -> Iterator[str]:
    """The requirements that hold there, without their markers."""
    from packaging.requirements import Requirement

    for line in lines:
        one = Requirement(line)
        marker, one.marker = one.marker, None
        chosen = ("", *extras)
        if marker is None or any(marker.evaluate({**target, "extra": name}) for name in chosen):
            yield str(one)


def _requires(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode()).get_all("Requires-Dist") or []
