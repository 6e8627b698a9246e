"""Progress of long work: what stages report to, and where a run stands."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")

_OVERDUE = 1.5
"""Share of its expected time after which a step's estimate counts as refuted."""


@dataclass(frozen=True, slots=True)
class StepStatus:
    """The step of a run that goes on now.

    ``number`` of ``total`` steps; ``words``: what it does, in the user's words; ``expected``:
    seconds that it took before, and ``later``: those of all steps after it; None where nothing
    was measured that tells.
    """

    number: int
    total: int
    words: str
    expected: float | None = None
    later: float | None = None

    @property
    def title(self) -> str:
        """Such as "Step 3 of 8: training"."""
        return f"Step {self.number} of {self.total}: {self.words}"

    def seconds_left(self, elapsed: float, activity_left: float | None = None) -> float | None:
        """Return the seconds until the end of the run; None if nothing tells.

        Args:
            elapsed: seconds since the step began.
            activity_left: seconds that the part of the step that goes on still takes at its pace,
                if that is known.
        """
        if self.expected is None or self.later is None:
            return None
        if elapsed > _OVERDUE * self.expected and activity_left is None:
            return None
        return max(self.expected - elapsed, activity_left or 0.0, 0.0) + self.later


class Progress(Protocol):
    """Receiver of a stage's progress; stages never print."""

    def step(self, status: StepStatus) -> AbstractContextManager[None]:
        """Show that a step of the run goes on while the block runs."""

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        """Yield ``items`` while showing how many of ``total`` are done."""

    def working(self, what: str) -> AbstractContextManager[None]:
        """Show that ``what`` goes on while the block runs."""

    def say(self, sentence: str) -> None:
        """Show one sentence."""


class SilentProgress:
    """Progress that shows nothing, for tests and for use as a library."""

    def step(self, status: StepStatus) -> AbstractContextManager[None]:
        """Return a context without effect."""
        return nullcontext()

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        """Yield ``items``."""
        yield from items

    def working(self, what: str) -> AbstractContextManager[None]:
        """Return a context without effect."""
        return nullcontext()

    def say(self, sentence: str) -> None:
        """Ignore the sentence."""
