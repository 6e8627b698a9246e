"""Work on many boards concurrently, with progress on the terminal."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

import click

from boards.deploy.ssh import BoardAddress
from boards.deploy.steps import StepCallback
from edge.errors import EdgeError

if TYPE_CHECKING:
    import rich.table

ResultT = TypeVar("ResultT")

_MAX_CONCURRENT = 16
"""Maximum number of boards at the same time."""


class ProgressView(Protocol):
    """Shows the progress of boards."""

    def step(self, address: BoardAddress, step: str) -> None:
        """Show that a board began a step."""

    def done(self, address: BoardAddress, word: str, good: bool) -> None:
        """Show that a board is done; ``word`` is its result."""


async def run_on_all(
    addresses: Sequence[BoardAddress],
    work: Callable[[BoardAddress, StepCallback], Awaitable[ResultT]],
    screen: ProgressView,
    judge: Callable[[ResultT], tuple[str, bool]],
) -> list[ResultT | EdgeError]:
    """Run ``work`` on all boards concurrently; return its results or errors in their order.

    ``judge`` returns a word for a result, and True if it is a success. An exception that is no
    :class:`EdgeError` is raised after all boards are done.
    """
    free = asyncio.Semaphore(_MAX_CONCURRENT)

    async def run(address: BoardAddress) -> ResultT | EdgeError:
        async with free:
            try:
                result = await work(address, lambda step: screen.step(address, step))
            except EdgeError as error:
                screen.done(address, "failed", False)
                return error
        screen.done(address, *judge(result))
        return result

    results = await asyncio.gather(*map(run, addresses), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, EdgeError):
            raise result
    return cast("list[ResultT | EdgeError]", results)


@contextmanager
def progress_view(addresses: Sequence[BoardAddress]) -> Iterator[ProgressView]:
    """Show a table on stderr during the block; lines if stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield _ProgressLines()
        return
    from rich.console import Console
    from rich.live import Live

    table = ProgressTable(addresses)
    console = Console(stderr=True)
    with Live(console=console, get_renderable=table.draw, refresh_per_second=4, transient=True):
        yield table


class _ProgressLines:
    def step(self, address: BoardAddress, step: str) -> None:
        click.echo(f"{address}: {step}", err=True)

    def done(self, address: BoardAddress, word: str, good: bool) -> None:
        click.echo(f"{address}: {word}", err=True)


@dataclass(slots=True)
class _Row:
    """The current step of a board and its time."""

    step: str = "waiting"
    start: float = field(default_factory=time.monotonic)
    end: float | None = None
    style: str = "dim"


class ProgressTable:
    """A table with one row per board."""

    def __init__(self, addresses: Sequence[BoardAddress]) -> None:
        self._rows = {address: _Row() for address in addresses}

    def step(self, address: BoardAddress, step: str) -> None:
        """Show that a board began a step."""
        row = self._rows[address]
        start = time.monotonic() if row.step == "waiting" else row.start
        self._rows[address] = _Row(step, start, None, "cyan")

    def done(self, address: BoardAddress, word: str, good: bool) -> None:
        """Show that a board is done; ``word`` is its result."""
        start, style = self._rows[address].start, "green" if good else "red"
        self._rows[address] = _Row(word, start, time.monotonic(), style)

    def draw(self) -> "rich.table.Table":
        """Return the table with the current times."""
        import rich.table
        from rich.text import Text

        table = rich.table.Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("board", "", "time"):
            table.add_column(heading, justify="right" if heading == "time" else "left")
        for address, row in self._rows.items():
            elapsed = (row.end or time.monotonic()) - row.start
            seconds = "" if row.step == "waiting" else f"{elapsed:.0f} s"
            table.add_row(str(address), Text(row.step, style=row.style), seconds)
        return table
