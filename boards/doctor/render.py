"""Text output of ``edge doctor``."""

import textwrap
from collections import Counter
from collections.abc import Iterator

import click

from boards.doctor.diagnosis import Diagnosis
from boards.doctor.finding import EXIT_CODES, Finding, State
from edge.terminal.text import printable

_COLORS: dict[State, str] = {"ok": "green", "warn": "yellow", "fail": "red"}
_COLUMN = 21
"""Column where the text begins, after the state and the subject."""


def lines(diagnosis: Diagnosis, width: int) -> Iterator[str]:
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
