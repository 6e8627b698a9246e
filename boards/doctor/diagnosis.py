"""Diagnosis of a machine: the table of checks, run concurrently."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Self

from boards.doctor import camera, edgetpu, health, packages, platform
from boards.doctor.finding import EXIT_CODES, Finding, State, worst
from boards.doctor.system import HostSystem
from boards.profile import Note, Profile

Check = Callable[[HostSystem, Profile], Iterator[Finding]]
"""A check yields its findings, none if it does not apply to the machine."""

CHECKS: tuple[Check, ...] = (
    platform.board,
    platform.operating_system,
    platform.architecture,
    platform.cores,
    packages.python,
    packages.interpreter,
    packages.opencv,
    edgetpu.edgetpu,
    camera.camera,
    health.memory,
    health.memory_limit,
    health.temperature,
    health.power,
    health.disk,
    health.clock,
)
"""All checks, in the order of the findings. To add one, add its function here."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The findings on a machine, and the known limitations of its board.

    ``board``: name of the profile; ``title``: full name of the board.
    """

    board: str
    title: str
    findings: tuple[Finding, ...]
    limits: tuple[Note, ...]

    @property
    def state(self) -> State:
        """The worst state of all findings."""
        return worst(finding.state for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis as a JSON object."""
        return {"board": self.board, "title": self.title, "state": self.state,
                "findings": [finding.to_dict() for finding in self.findings],
                "limits": [asdict(limit) for limit in self.limits]}  # fmt: skip

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read a diagnosis that :meth:`to_dict` returned.

        Raises:
            KeyError: a key is missing or unknown.
            TypeError: a value has the wrong type.
            ValueError: a state is unknown.
        """
        findings = tuple(Finding.from_dict(entry) for entry in values["findings"])
        if any(finding.state not in EXIT_CODES for finding in findings):
            raise ValueError("an unknown state")
        limits = tuple(Note(**entry) for entry in values["limits"])
        return cls(str(values["board"]), str(values["title"]), findings, limits)


def diagnose(system: HostSystem, profile: Profile | None = None) -> Diagnosis:
    """Run all checks; ``profile``: by default the one that matches the device tree."""
    known = profile or platform.recognized_board(system)
    with ThreadPoolExecutor(max_workers=4) as pool:
        try:
            parts = list(pool.map(lambda check: tuple(check(system, known)), CHECKS))
        except BaseException:  # including Ctrl-C: otherwise the pool would wait for slow probes
            system.stop()
            raise
    findings = tuple(finding for part in parts for finding in part)
    return Diagnosis(known.name, known.title, findings, known.limits)
