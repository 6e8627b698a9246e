"""An examination as lines for people."""

import textwrap
from collections import Counter
from collections.abc import Iterator

import click

from boards.doctor.diagnosis import Diagnosis
from boards.doctor.finding import EXIT_CODES, Finding, State
from edge.terminal.text import printable

_COLORS: dict[State, str] = {"ok": "green", "warn": "yellow", "fail": "red"}
_COLUMN = 21
"""Where what was found begins, behind the state and the subject."""


def lines(examined: Diagnosis, width: int) -> Iterator[str]:
    """The page, ``width`` columns wide: what is worst first, each command on a line of its own."""
    yield click.style(printable(examined.title), bold=True)
    yield ""
    for finding in sorted(examined.findings, key=lambda one: -EXIT_CODES[one.state]):
        yield from _finding(finding, width)
    if examined.limits:
        yield ""
        yield "Known limitations of this board:"
        for limit in examined.limits:
            yield from _wrapped(limit.text, width, "  - ", "    ")
            yield from _commands(limit.fix)
    yield ""
    yield _summary(examined)


def _finding(finding: Finding, width: int) -> Iterator[str]:
    state = click.style(f"{finding.state:<5}", fg=_COLORS[finding.state], bold=True)
    indent = " " * _COLUMN
    first, *more = _wrapped(finding.found, width, indent, indent)
    yield f"{state} {printable(finding.subject):<{_COLUMN - 7}} {first[_COLUMN:]}"
    yield from more
    if finding.means:
        yield from _wrapped(finding.means, width, indent, indent)
    yield from _commands(finding.fix)
    if finding.state != "ok":
        yield ""


def _commands(fix: str) -> Iterator[str]:
    """Each whole on its line and nothing else, so that it can be copied."""
    for command in fix.splitlines():
        yield "      " + click.style(printable(command), fg="cyan")


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    wrapped = textwrap.wrap(
        printable(text), width, initial_indent=first, subsequent_indent=rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return wrapped or [first]


def _summary(examined: Diagnosis) -> str:
    counts = Counter(finding.state for finding in examined.findings)
    if examined.state == "ok":
        return f"All {counts['ok']} checks are ok."
    words: dict[State, str] = {"fail": "failed", "warn": "to check", "ok": "ok"}
    return ", ".join(f"{counts[one]} {word}" for one, word in words.items() if counts[one]) + "."
