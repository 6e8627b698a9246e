"""The board to deploy to, as probed before the deployment, and its requirements."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from boards.deploy.ssh import BoardAddress, RemoteResult
from edge.errors import BoardError
from edge.quantities import size

PYTHONS = ("3.11", "3.12", "3.13")
"""Versions of Python that edge-toolkit supports, as in pyproject.toml."""

MACHINES = ("aarch64", "x86_64")

OWNER = "edge-toolkit"
"""User of the system service."""

_SPARE_KIB = 100 * 1024
"""Space that stays free on a disk, in KiB."""


@dataclass(frozen=True, slots=True)
class PythonInstall:
    """A Python interpreter: path, version such as "3.11"; ``venv``: it has the module venv."""

    path: str
    version: str
    venv: bool


@dataclass(frozen=True, slots=True)
class Target:
    """The output of scripts/probe.sh for a board and a release.

    Attributes:
        address: address of the board.
        mode: "system" with root privileges, else "user".
        uid: id of the login user.
        root: folder of all deployed files.
        units: folder of systemd units.
        machine: architecture, such as "aarch64".
        bits: "32" or "64", of the userland.
        libc: such as "glibc 2.36".
        system: name of the operating system.
        model: model of the board, "" on a PC.
        systemd: True if systemd is installed.
        pythons: Python interpreters, the preferred one first.
        free_kib: free space in KiB on the disk of ``root``.
        current: name of the current release.
        environment: name of the release's environment.
        unit: SHA-256 of the unit.
        state: output of ``systemctl is-active``.
        environments: names of complete environments.
        complete_release: name of the release if it is complete, else "".
    """

    address: BoardAddress
    mode: str
    uid: str
    root: str
    units: str
    machine: str
    bits: str
    libc: str
    system: str
    model: str
    systemd: bool
    pythons: tuple[PythonInstall, ...]
    free_kib: int
    current: str
    environment: str
    unit: str
    state: str
    environments: tuple[str, ...]
    complete_release: str

    @classmethod
    def from_probe(cls, address: BoardAddress, result: RemoteResult) -> Self:
        """Read the output of scripts/probe.sh.

        Raises:
            BoardError: the output is something else: the board does not run Linux.
        """
        values = result.values
        if "machine" not in values or "root" not in values:
            output = " ".join((result.err or result.out).split())[:120]
            raise BoardError(
                f"a Linux board at {address}",
                output or "no answer",
                "check the address",
                code="board-not-linux",
            )
        lines = [line.partition("=") for line in result.out.splitlines()]
        names = ("mode", "uid", "root", "units", "machine", "bits", "libc", "system",
                 "model", "current", "environment", "unit", "state",
                 "complete_release")  # fmt: skip
        return cls(
            address=address,
            **{name: values.get(name, "") for name in names},
            systemd="systemd" in values,
            pythons=tuple(_python(value) for key, _, value in lines if key == "python"),
            free_kib=int(values.get("free") or 0),
            environments=tuple(value for key, _, value in lines if key == "ready"),
        )

    @property
    def owner(self) -> str:
        """User of the service; empty: the login user."""
        return OWNER if self.mode == "system" else ""

    @property
    def systemctl(self) -> Mapping[str, str]:
        """Variables of the scripts that use systemd."""
        if self.mode == "system":
            return {"SYSTEMCTL": "systemctl", "LINGER": ":",
                    "JOURNAL": "journalctl --no-pager --quiet -u edge-toolkit"}  # fmt: skip
        return {"SYSTEMCTL": "systemctl --user", "LINGER": "loginctl enable-linger",
                "JOURNAL": "journalctl --no-pager --quiet --user-unit edge-toolkit",
                "XDG_RUNTIME_DIR": f"/run/user/{self.uid}"}  # fmt: skip

    def select_python(self) -> PythonInstall:
        """Check the requirements; return the Python to use.

        Raises:
            BoardError: the board does not meet a requirement.
        """
        if self.bits == "32" or self.machine not in MACHINES:
            bits = "a 32-bit system on " if self.bits == "32" else ""
            raise BoardError(
                f"a 64-bit system on {self.address} ({' or '.join(MACHINES)})",
                f"{bits}{self.machine} ({self.system})",
                "install a 64-bit system image, since TFLite interpreters exist for these only",
                code="board-architecture-unsupported",
            )
        if not self.systemd:
            raise BoardError(
                f"systemd on {self.address}",
                f"none ({self.system})",
                "install a system image that includes systemd",
                code="board-without-systemd",
            )
        return self._python()

    def check_space(self, kib: int) -> None:
        """Check that there is space for ``kib`` KiB.

        Raises:
            BoardError: there is not.
        """
        needed = kib + _SPARE_KIB
        if self.free_kib < needed:
            raise BoardError(
                f"at least {size(1024 * needed)} free in {self.root} on {self.address}",
                size(1024 * self.free_kib),
                "free some space there, or use a larger card",
                code="board-disk-full",
            )

    def _python(self) -> PythonInstall:
        supported = [python for python in self.pythons if python.version in PYTHONS]
        if not supported:
            versions = ", ".join(python.version for python in self.pythons)
            newer = any(
                _version_tuple(python.version) > _version_tuple(PYTHONS[-1])
                for python in self.pythons
            )
            raise BoardError(
                f"Python {PYTHONS[0]} to {PYTHONS[-1]} on {self.address}",
                f"{versions or 'no Python'} ({self.system})",
                f"install Python {PYTHONS[-1]} alongside it, as python{PYTHONS[-1]}"
                if newer
                else "update the system: Raspberry Pi OS Bookworm and Debian 12 have Python 3.11",
                code="board-python-unsupported",
            )
        usable = [python for python in supported if python.venv]
        if not usable:
            raise BoardError(
                f"the venv module of Python {supported[0].version} on {self.address}",
                "none",
                f"sudo apt-get install -y python{supported[0].version}-venv",
                code="board-python-without-venv",
            )
        return usable[0]


def _version_tuple(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _python(line: str) -> PythonInstall:
    path, version, venv = line.rsplit(" ", 2)
    return PythonInstall(path, version, venv == "yes")
