"""Examining a machine: the table of checks, run side by side."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from boards.doctor import camera, edgetpu, heat, machine, packages, resources
from boards.doctor.finding import Finding, State, worst
from boards.doctor.system import System
from boards.profile import Note, Profile

Check = Callable[[System, Profile], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    machine.board,
    machine.operating_system,
    machine.architecture,
    machine.cores,
    packages.python,
    packages.interpreter,
    packages.opencv,
    edgetpu.edgetpu,
    camera.camera,
    resources.memory,
    heat.heat,
    heat.power,
    resources.disk,
    resources.clock,
)


@dataclass(frozen=True, slots=True)
class Examination:
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


def examine(system: System, profile: Profile | None = None) -> Examination:
    """Run all checks; ``profile``: the board's, by default by its device tree."""
    known = profile or machine.recognised(system)
    with ThreadPoolExecutor(max_workers=4) as pool:
        parts = list(pool.map(lambda check: tuple(check(system, known)), CHECKS))
    findings = tuple(finding for part in parts for finding in part)
    return Examination(known.name, known.title, findings, known.limits)
