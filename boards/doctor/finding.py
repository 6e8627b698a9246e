"""Findings: the results of the checks of ``edge doctor``."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Self

State = Literal["ok", "warn", "fail"]

EXIT_CODES: dict[State, int] = {"ok": 0, "warn": 1, "fail": 3}
"""Exit code of ``edge doctor`` by the worst state; a worse state has a higher code."""

_JSON_KEYS = {
    "subject": "subject", "state": "state", "observed": "found", "explanation": "means",
    "fix": "fix",
}  # fmt: skip
"""Field of :class:`Finding` → its key in the output of ``edge doctor --json``."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        subject: the part of the system, in a word or two.
        state: "ok"; "warn" if it works, but not well; "fail" if it does not work.
        observed: the state of the subject on this machine.
        explanation: the consequence and the remedy; empty if obvious.
        fix: the commands that fix it, one per line; empty if there is nothing to fix or no command
            does it.
    """

    subject: str
    state: State
    observed: str
    explanation: str = ""
    fix: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the finding as a JSON object."""
        return {key: getattr(self, name) for name, key in _JSON_KEYS.items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read a finding that :meth:`to_dict` returned.

        Raises:
            KeyError: a key is missing or unknown.
        """
        if unknown := values.keys() - set(_JSON_KEYS.values()):
            raise KeyError(*unknown)
        return cls(**{name: str(values[key]) for name, key in _JSON_KEYS.items()})  # type: ignore[arg-type]


def ok(subject: str, observed: str, explanation: str = "") -> Finding:
    """Report that the subject works."""
    return Finding(subject, "ok", observed, explanation)


def warn(subject: str, observed: str, explanation: str, fix: str = "") -> Finding:
    """Report that the subject works, but not well."""
    return Finding(subject, "warn", observed, explanation, fix)


def fail(subject: str, observed: str, explanation: str, fix: str = "") -> Finding:
    """Report that the subject does not work."""
    return Finding(subject, "fail", observed, explanation, fix)


def worst(states: Iterable[State]) -> State:
    """Return the worst of some states, "ok" for none."""
    return max(states, key=EXIT_CODES.__getitem__, default="ok")
