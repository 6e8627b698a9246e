"""Progress bars on the terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

Tell = Callable[[int, int | None], None]
"""Receives how much is done, and the total if that is known."""


def count_progress(what: str) -> AbstractContextManager[Tell]:
    """Show a bar of counted things on stderr; nothing without a terminal."""
    return _bar(what, _counted)


def download_progress(name: str) -> AbstractContextManager[Tell]:
    """Show a bar of received bytes on stderr; nothing without a terminal."""
    return _bar(name, _received)


@contextmanager
def _bar(what: str, columns: Callable[[], "tuple[ProgressColumn, ...]"]) -> Iterator[Tell]:
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    shown = (TextColumn("{task.description}"), BarColumn(), *columns())
    with Progress(*shown, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _counted() -> "tuple[ProgressColumn, ...]":
    from rich.progress import MofNCompleteColumn, TimeRemainingColumn

    return MofNCompleteColumn(), TimeRemainingColumn()


def _received() -> "tuple[ProgressColumn, ...]":
    from rich.progress import DownloadColumn, TransferSpeedColumn

    return DownloadColumn(), TransferSpeedColumn()
