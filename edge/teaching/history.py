"""ChangeHistory: changes that can be undone, the last one first."""

from collections.abc import Callable
from dataclasses import dataclass

Undo = Callable[[], object]
"""Reverts one change; raises OutputError where the folder cannot be written."""

_MAX_CHANGES = 100


@dataclass(slots=True)
class _Change:
    words: str
    reverts: list[Undo]


class ChangeHistory:
    """The last hundred changes, in words and with what reverts them."""

    def __init__(self) -> None:
        self._changes: list[_Change] = []

    @property
    def last(self) -> str | None:
        """The change that :meth:`undo` reverts, such as "renaming cup to mug"; None without any."""
        return self._changes[-1].words if self._changes else None

    def add(self, words: str, revert: Undo) -> None:
        """Remember a change."""
        self._changes = [*self._changes, _Change(words, [revert])][-_MAX_CHANGES:]

    def join(self, words: str) -> None:
        """Make the last two changes one, named ``words``."""
        last = self._changes.pop()
        self._changes[-1].words = words
        self._changes[-1].reverts += last.reverts

    def undo(self) -> str | None:
        """Revert the last change; return what it was, None if there is none.

        Raises:
            OutputError: the folder cannot be written; what is left can still be undone later.
        """
        if not self._changes:
            return None
        change = self._changes[-1]
        while change.reverts:
            change.reverts[-1]()
            change.reverts.pop()
        self._changes.pop()
        return change.words
