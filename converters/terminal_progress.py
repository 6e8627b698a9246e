"""Progress on a terminal: one line that is kept up to date; in a file, a line now and then."""

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO, TypeVar

from converters.progress import StepStatus
from edge.terminal import printable

if TYPE_CHECKING:
    from rich.text import Text

T = TypeVar("T")

LINE_INTERVAL_S = 30.0
"""Seconds between the lines on one step where stderr is not a terminal."""

_KNOWN_PACE_S, _KNOWN_PACE_ITEMS = 2.0, 5
"""Seconds and items of an activity after which its pace tells how long the rest takes."""


@dataclass(slots=True)
class _Activity:
    """A part of a step; ``total`` is None where its length is not known."""

    words: str
    total: int | None
    start: float
    done: int = 0

    @property
    def share(self) -> float | None:
        return self.done / self.total if self.total else None

    def seconds_left(self) -> float | None:
        elapsed = time.monotonic() - self.start
        if self.total is None or self.done < _KNOWN_PACE_ITEMS or elapsed < _KNOWN_PACE_S:
            return None
        return elapsed * (self.total - self.done) / self.done


class TerminalProgress:
    """Step, activity and time left on stderr, or ``stream``.

    On a terminal they are one line that is updated; elsewhere each step gets a line, and a long
    one another every :data:`LINE_INTERVAL_S` seconds. Times are those that
    :class:`~converters.progress.StepStatus` can tell from measured ones.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.console import Console
        from rich.live import Live

        self._status: StepStatus | None = None
        self._started = self._told = 0.0
        self._activities: list[_Activity] = []
        self._console = Console(file=stream, stderr=True, highlight=False)
        self._live = Live(
            get_renderable=self._render,
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,  # edge.terminal does that where it must be
        )

    @contextmanager
    def step(self, status: StepStatus) -> Iterator[None]:
        """Show the step while the block runs."""
        self._status, self._started = status, time.monotonic()
        if not self._console.is_interactive:
            self._tell()
        try:
            with self._shown():
                yield
        finally:
            self._status = None

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        """Yield ``items`` while showing how many of ``total`` are done."""
        with self._activity(_Activity(what, total, time.monotonic())) as activity:
            for item in items:
                yield item
                activity.done += 1
                self._tell_now_and_then()

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show what goes on while the block runs."""
        with self._activity(_Activity(what, None, time.monotonic())):
            yield

    def say(self, sentence: str) -> None:
        """Print a sentence above the line."""
        self._console.print(sentence, markup=False, soft_wrap=True)

    @contextmanager
    def _activity(self, activity: _Activity) -> Iterator[_Activity]:
        self._activities.append(activity)
        try:
            with self._shown():
                yield activity
        finally:
            self._activities.remove(activity)

    @contextmanager
    def _shown(self) -> Iterator[None]:
        """Keep the line on the terminal while the outermost such block runs."""
        if self._live.is_started or not self._console.is_interactive:
            yield
            return
        with self._live:
            yield

    def _render(self) -> "Text":
        """Return the line for a terminal, shortened in its middle to fit."""
        from rich.text import Text

        if self._status is None and not self._activities:
            return Text()
        started = self._started if self._status else self._activities[0].start
        elapsed = time.monotonic() - started
        times = ", ".join(filter(None, (_clock(elapsed), self._left())))
        words = self._words()
        room = max(0, self._console.width - len(times) - 2)
        if len(words) > room:
            words = f"{words[: max(0, room - 1)]}…"
        return Text.assemble(words, "  ", (times, "dim"), no_wrap=True, overflow="crop")

    def _words(self) -> str:
        """Name the step, and the innermost activity with its percentage."""
        parts = [] if self._status is None else [self._status.title]
        if self._activities:
            activity = self._activities[-1]
            share = activity.share
            percent = "" if share is None else f" {100 * share:.0f} %"
            parts.append(f"{printable(activity.words)}{percent}")
        return ", ".join(parts)

    def _left(self) -> str:
        """Say how much time is left, as far as measured times tell."""
        activity = next((act for act in reversed(self._activities) if act.total), None)
        activity_left = None if activity is None else activity.seconds_left()
        if self._status is None:
            return "" if activity_left is None else f"{duration(activity_left)} left"
        elapsed = time.monotonic() - self._started
        left = self._status.seconds_left(elapsed, activity_left)
        if left is not None:
            return f"{duration(left)} left"
        return "" if activity_left is None else f"{duration(activity_left)} for this"

    def _tell(self) -> None:
        """Print a line where stderr is not a terminal."""
        left = self._left()
        self.say(f"{self._words()}{f' ({left})' if left else ''}")
        self._told = time.monotonic()

    def _tell_now_and_then(self) -> None:
        waited = time.monotonic() - self._told
        if self._status and waited >= LINE_INTERVAL_S and not self._console.is_interactive:
            self._tell()


def duration(seconds: float) -> str:
    """Format an estimate as roughly as it is known.

    >>> [duration(s) for s in (2, 12, 58, 95, 400, 4000)]
    ['a few seconds', 'about 20 s', 'about 1 min', 'about 2 min', 'about 7 min', 'about 1 h 7 min']
    """
    if seconds < 5:
        return "a few seconds"
    if seconds <= 50:
        return f"about {10 * math.ceil(seconds / 10)} s"
    minutes = max(1, round(seconds / 60))
    hours, rest = divmod(minutes, 60)
    return f"about {hours} h {rest} min" if hours else f"about {minutes} min"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
