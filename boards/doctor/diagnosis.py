"""The diagnosis of a board: run all checks, and format their findings as text."""

import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Self

import click

from boards.doctor import camera, edgetpu, health, platform
from boards.doctor.finding import EXIT_CODES, Finding, State, worst
from boards.doctor.system import HostSystem
from boards.profile import Note, Profile
from edge.terminal import printable

Check = Callable[[HostSystem, Profile], Iterator[Finding]]
"""A check yields its findings, none if it does not apply to the machine."""

CHECKS: tuple[Check, ...] = (
    platform.board,
    platform.operating_system,
    platform.architecture,
    platform.cores,
    platform.python,
    platform.interpreter,
    platform.opencv,
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


_COLORS: dict[State, str] = {"ok": "green", "warn": "yellow", "fail": "red"}
_COLUMN = 21
"""Column where the text begins, after the state and the subject."""


def format_lines(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    """Yield the lines of the report, ``width`` columns wide: the worst findings first."""
    yield click.style(printable(diagnosis.title), bold=True)
    yield ""
    for finding in sorted(diagnosis.findings, key=lambda finding: -EXIT_CODES[finding.state]):
        yield from _finding(finding, width)
    if diagnosis.limits:
        yield ""
        yield "Known limitations of this board:"
        for limit in diagnosis.limits:
            yield from _wrapped(limit.text, width, "  - ", "    ")
            yield from _commands(limit.fix)
    yield ""
    yield _summary(diagnosis)


def _finding(finding: Finding, width: int) -> Iterator[str]:
    state = click.style(f"{finding.state:<5}", fg=_COLORS[finding.state], bold=True)
    indent = " " * _COLUMN
    first, *more = _wrapped(finding.observed, width, indent, indent)
    yield f"{state} {printable(finding.subject):<{_COLUMN - 7}} {first[_COLUMN:]}"
    yield from more
    if finding.explanation:
        yield from _wrapped(finding.explanation, width, indent, indent)
    yield from _commands(finding.fix)
    if finding.state != "ok":
        yield ""


def _commands(fix: str) -> Iterator[str]:
    """Yield each command unwrapped on its own line, so that it can be copied."""
    for command in fix.splitlines():
        yield "      " + click.style(printable(command), fg="cyan")


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    wrapped = textwrap.wrap(
        printable(text), width, initial_indent=first, subsequent_indent=rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return wrapped or [first]


def _summary(diagnosis: Diagnosis) -> str:
    counts = Counter(finding.state for finding in diagnosis.findings)
    if diagnosis.state == "ok":
        return f"All {counts['ok']} checks are ok."
    words: dict[State, str] = {"fail": "failed", "warn": "to check", "ok": "ok"}
    return (
        ", ".join(f"{counts[state]} {word}" for state, word in words.items() if counts[state]) + "."
    )
