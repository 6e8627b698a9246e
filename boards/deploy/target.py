"""What a board says of itself before anything is done to it, and whether it will do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from boards.deploy.ssh import BoardAddress, RemoteResult
from edge.errors import BoardError

PYTHONS = ("3.11", "3.12", "3.13")
"""Versions of Python that edge-toolkit runs on, as pyproject.toml says it."""

MACHINES = ("aarch64", "x86_64")

OWNER = "edge-toolkit"
"""The user that the service of a system runs as."""

_SPARE_KIB = 100 * 1024
"""What is left free on a disk, in KiB."""


@dataclass(frozen=True, slots=True)
class PythonInstall:
    """An interpreter: its path, its version such as "3.11"; ``venv``: it makes environments."""

    path: str
    version: str
    venv: bool


@dataclass(frozen=True, slots=True)
class Target:
    """The answers of scripts/probe.sh.

    ``mode``: "system" with root's rights, else "user"; ``root``: the folder of all that is
    deployed; ``units``: where units lie; ``libc``: such as "glibc 2.36"; ``free_kib``: where
    ``root`` is; ``current``: the release that runs, ``environment``: that of the release that was
    asked about, ``unit``: SHA-256 of the unit, ``state``: as systemctl is-active says it;
    ``ready``: whole environments; ``whole``: the release that was asked about, where it is whole.
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
    ready: tuple[str, ...]
    whole: str

    @classmethod
    def read(cls, address: BoardAddress, done: RemoteResult) -> Self:
        """The board that ``done`` tells of.

        Raises:
            BoardError: it answered otherwise: it is no Linux with a shell.
        """
        values = done.values
        if "machine" not in values or "root" not in values:
            said = " ".join((done.err or done.out).split())[:120]
            raise BoardError(
                f"a Linux board at {address}",
                said or "no answer",
                "check the address",
                code="board-not-linux",
            )
        lines = [line.partition("=") for line in done.out.splitlines()]
        plain = ("mode", "uid", "root", "units", "machine", "bits", "libc", "system",
                 "model", "current", "environment", "unit", "state", "whole")  # fmt: skip
        return cls(
            address=address,
            **{name: values.get(name, "") for name in plain},
            systemd="systemd" in values,
            pythons=tuple(_python(value) for key, _, value in lines if key == "python"),
            free_kib=int(values.get("free") or 0),
            ready=tuple(value for key, _, value in lines if key == "ready"),
        )

    @property
    def owner(self) -> str:
        """The user that the service runs as; empty: who logs in."""
        return OWNER if self.mode == "system" else ""

    @property
    def systemctl(self) -> Mapping[str, str]:
        """Variables of the scripts that speak to systemd."""
        if self.mode == "system":
            return {"SYSTEMCTL": "systemctl", "LINGER": ":",
                    "JOURNAL": "journalctl --no-pager --quiet -u edge-toolkit"}  # fmt: skip
        return {"SYSTEMCTL": "systemctl --user", "LINGER": "loginctl enable-linger",
                "JOURNAL": "journalctl --no-pager --quiet --user-unit edge-toolkit",
                "XDG_RUNTIME_DIR": f"/run/user/{self.uid}"}  # fmt: skip

    def check(self) -> PythonInstall:
        """The Python to use.

        Raises:
            BoardError: the board will not do, and why.
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

    def has_room(self, kib: int) -> None:
        """See to it that so much fits.

        Raises:
            BoardError: it does not.
        """
        needed = kib + _SPARE_KIB
        if self.free_kib < needed:
            raise BoardError(
                f"at least {needed / 1024:.0f} MiB free in {self.root} on {self.address}",
                f"{self.free_kib / 1024:.0f} MiB",
                "free some space there, or use a larger card",
                code="board-disk-full",
            )

    def _python(self) -> PythonInstall:
        fitting = [python for python in self.pythons if python.version in PYTHONS]
        if not fitting:
            found = ", ".join(python.version for python in self.pythons)
            newer = any(_number(python.version) > _number(PYTHONS[-1]) for python in self.pythons)
            raise BoardError(
                f"Python {PYTHONS[0]} to {PYTHONS[-1]} on {self.address}",
                f"{found or 'no Python'} ({self.system})",
                f"install Python {PYTHONS[-1]} alongside it, as python{PYTHONS[-1]}"
                if newer
                else "update the system: Raspberry Pi OS Bookworm and Debian 12 have PythonInstall 3.11",
                code="board-python-unsupported",
            )
        able = [python for python in fitting if python.venv]
        if not able:
            raise BoardError(
                f"the venv module of Python {fitting[0].version} on {self.address}",
                "none",
                f"sudo apt-get install -y python{fitting[0].version}-venv",
                code="board-python-without-venv",
            )
        return able[0]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _python(line: str) -> PythonInstall:
    path, version, able = line.rsplit(" ", 2)
    return PythonInstall(path, version, able == "yes")
