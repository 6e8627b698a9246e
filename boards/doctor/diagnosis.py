"""Examining a machine: the table of checks, run side by side."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Self

from boards.doctor import camera, edgetpu, health, packages, platform, resources
from boards.doctor.finding import EXIT_CODES, Finding, State, worst
from boards.doctor.system import HostSystem
from boards.profile import Note, Profile

Check = Callable[[HostSystem, Profile], Iterator[Finding]]

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
    resources.memory,
    resources.memory_limit,
    health.heat,
    health.power,
    resources.disk,
    resources.clock,
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found on a machine, and what its profile says to expect anyway.

    ``board``: the profile's name; ``title``: of the board.
    """

    board: str
    title: str
    findings: tuple[Finding, ...]
    limits: tuple[Note, ...]

    @property
    def state(self) -> State:
        return worst(finding.state for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        return {"board": self.board, "title": self.title, "state": self.state,
                "findings": [finding.to_dict() for finding in self.findings],
                "limits": [asdict(limit) for limit in self.limits]}  # fmt: skip

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Self:
        """What :meth:`to_dict` made.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        findings = tuple(_finding(one) for one in told["findings"])
        if any(finding.state not in EXIT_CODES for finding in findings):
            raise ValueError("an unknown state")
        limits = tuple(Note(**one) for one in told["limits"])
        return cls(str(told["board"]), str(told["title"]), findings, limits)


def diagnose(system: HostSystem, profile: Profile | None = None) -> Diagnosis:
    """Run all checks; ``profile``: the board's, by default by its device tree."""
    known = profile or platform.recognized_board(system)
    with ThreadPoolExecutor(max_workers=4) as pool:
        try:
            parts = list(pool.map(lambda check: tuple(check(system, known)), CHECKS))
        except BaseException:  # Ctrl-C, too: the pool waits for probes, which may take minutes
            system.stop()
            raise
    findings = tuple(finding for part in parts for finding in part)
    return Diagnosis(known.name, known.title, findings, known.limits)


def _finding(told: dict[str, Any]) -> Finding:
    return Finding(**{name: str(value) for name, value in told.items()})  # type: ignore[arg-type]
