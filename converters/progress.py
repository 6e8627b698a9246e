"""Progress of long work on the terminal, and the seconds that each stage takes."""

import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol, TextIO, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Receiver of a stage's progress; stages never print."""

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        """Yield ``items`` while showing how many of ``total`` are done."""

    def working(self, what: str) -> AbstractContextManager[None]:
        """Show that ``what`` goes on while the block runs; bars may come and go meanwhile."""

    def say(self, sentence: str) -> None:
        """Show one sentence."""


class SilentProgress:
    """Progress that shows nothing, for tests and for use as a library."""

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        """Yield ``items``."""
        yield from items

    def working(self, what: str) -> AbstractContextManager[None]:
        """Return a context without effect."""
        return nullcontext()

    def say(self, sentence: str) -> None:
        """Ignore the sentence."""


class TerminalProgress:
    """Bars and sentences on stderr, or ``stream``; only sentences if it is not a terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._console = Console(file=stream, stderr=True, highlight=False)
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            _left(),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,  # edge.terminal does that where it must be
        )

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        """Yield ``items`` while a bar shows how many of ``total`` are done."""
        with self._bar(what, total) as bar:
            for item in items:
                yield item
                self._bars.advance(bar)

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show a bar without an end while the block runs."""
        with self._bar(what, None):
            yield

    def say(self, sentence: str) -> None:
        """Print a sentence above the bars."""
        self._console.print(sentence, markup=False, soft_wrap=True)

    @contextmanager
    def _bar(self, what: str, total: int | None) -> Iterator[Any]:
        if not self._bars.tasks and self._console.is_interactive:
            self._bars.start()
        bar = self._bars.add_task(what, total=total)
        try:
            yield bar
        finally:
            self._bars.remove_task(bar)
            if not self._bars.tasks and self._console.is_interactive:
                self._bars.stop()  # which would print an empty line elsewhere


def _left() -> Any:
    """Return a column such as "02:10 left", empty if the time is not known."""
    from rich.progress import Task, TimeRemainingColumn
    from rich.text import Text

    class _TimeLeft(TimeRemainingColumn):
        def render(self, task: Task) -> Text:
            return Text() if not task.time_remaining else super().render(task).append(" left")

    return _TimeLeft(compact=True)


class StageTimer:
    """Seconds per stage and in total, from creation on; repeated stages are summed."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time the block as a stage."""
        start = time.perf_counter()
        yield
        self._stages[stage] = self._stages.get(stage, 0.0) + time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        """Return the seconds in total and by stage."""
        total = time.perf_counter() - self._start
        return {name: round(s, 2) for name, s in {"total": total, **self._stages}.items()}
