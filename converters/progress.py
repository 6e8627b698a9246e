"""Progress of long work, on stderr, so that stdout stays for results."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Where a stage tells how far it is. Stages never print."""

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        """Yield ``items`` while showing how many of ``total`` are done."""

    def say(self, sentence: str) -> None:
        """Show one sentence."""


class Silent:
    """Shows nothing: for tests and for use as a library."""

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        yield from items

    def say(self, sentence: str) -> None:
        return None


class Terminal:
    """Bars and sentences on stderr; only sentences where stderr is no terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        from rich.progress import track

        if not self._console.is_terminal:
            yield from items
            return
        yield from track(items, what, total, console=self._console, transient=True)

    def say(self, sentence: str) -> None:
        self._console.print(sentence, markup=False, soft_wrap=True)
