"""Progress of long work, on stderr, so that stdout stays for results."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol, TextIO, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Where a stage tells how far it is. Stages never print."""

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        """Yield ``items`` while showing how many of ``total`` are done."""

    def working(self, what: str) -> AbstractContextManager[None]:
        """Show that ``what`` goes on while the block runs; bars may come and go meanwhile."""

    def say(self, sentence: str) -> None:
        """Show one sentence."""


class SilentProgress:
    """Shows nothing: for tests and for use as a library."""

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        yield from items

    def working(self, what: str) -> AbstractContextManager[None]:
        return nullcontext()

    def say(self, sentence: str) -> None:
        return None


class TerminalProgress:
    """Bars and sentences on stderr, or ``stream``; only sentences where that is no terminal."""

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
            redirect_stderr=False,  # edge.terminal.native_stderr does that where it must be
        )

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        with self._bar(what, total) as bar:
            for item in items:
                yield item
                self._bars.advance(bar)

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        with self._bar(what, None):
            yield

    def say(self, sentence: str) -> None:
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
    """A column such as "02:10 left", empty where nothing is known."""
    from rich.progress import Task, TimeRemainingColumn
    from rich.text import Text

    class Left(TimeRemainingColumn):
        def render(self, task: Task) -> Text:
            known = task.time_remaining
            return Text() if not known else super().render(task).append(" left")

    return Left(compact=True)
