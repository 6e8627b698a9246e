"""What a check of the doctor says."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]

EXIT_CODES: dict[State, int] = {"ok": 0, "warn": 1, "fail": 3}
"""Of ``edge doctor``, by the worst finding; the worse the higher."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what it is about, in a word or two.
        state: "ok"; "warn", it works but not well; "fail", something does not work.
        found: what is there.
        means: what follows from it; empty where that is plain.
        fix: the commands that mend it, one a line; empty where there is nothing to mend, or
            no command can (``means`` says what can).
    """

    subject: str
    state: State
    found: str
    means: str = ""
    fix: str = ""

    def to_dict(self) -> dict[str, str]:
        return asdict(self)


def ok(subject: str, found: str, means: str = "") -> Finding:
    return Finding(subject, "ok", found, means)


def warn(subject: str, found: str, means: str, fix: str = "") -> Finding:
    return Finding(subject, "warn", found, means, fix)


def fail(subject: str, found: str, means: str, fix: str = "") -> Finding:
    return Finding(subject, "fail", found, means, fix)


def worst(states: Iterable[State]) -> State:
    """The worst of some states; "ok" for none."""
    return max(states, key=EXIT_CODES.__getitem__, default="ok")
