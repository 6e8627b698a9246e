"""Many boards at once: what each is doing, and what became of it."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

import click

from boards.deploy.ssh import BoardAddress
from boards.deploy.steps import Tell
from edge.errors import EdgeError

if TYPE_CHECKING:
    import rich.table

Found = TypeVar("Found")

_AT_ONCE = 16
"""Boards that are worked on at the same time."""


class ProgressView(Protocol):
    """Shows what boards are doing; ``done`` says in a word what became of one."""

    def step(self, address: BoardAddress, step: str) -> None: ...

    def done(self, address: BoardAddress, word: str, good: bool) -> None: ...


async def run_on_all(
    addresses: Sequence[BoardAddress],
    work: Callable[[BoardAddress, Tell], Awaitable[Found]],
    screen: ProgressView,
    judge: Callable[[Found], tuple[str, bool]],
) -> list[Found | EdgeError]:
    """Do ``work`` on all boards at once; what it returned or raised, in their order.

    ``judge``: a word for what it returned, and whether that is good. An error of another kind
    than :class:`EdgeError` is raised when all others are done.
    """
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(address: BoardAddress) -> Found | EdgeError:
        async with free:
            try:
                found = await work(address, lambda step: screen.step(address, step))
            except EdgeError as error:
                screen.done(address, "failed", False)
                return error
        screen.done(address, *judge(found))
        return found

    every = (one(address) for address in addresses)
    found = await asyncio.gather(*every, return_exceptions=True)
    for result in found:
        if isinstance(result, BaseException) and not isinstance(result, EdgeError):
            raise result
    return cast("list[Found | EdgeError]", found)


@contextmanager
def progress_view(addresses: Sequence[BoardAddress]) -> Iterator[ProgressView]:
    """A table on stderr while it lasts; lines where stderr is no terminal."""
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
    """What a board is doing since when, and the steps that it left behind."""

    step: str = "waiting"
    start: float = field(default_factory=time.monotonic)
    end: float | None = None
    style: str = "dim"


class ProgressTable:
    """A row for each board."""

    def __init__(self, addresses: Sequence[BoardAddress]) -> None:
        self._rows = {address: _Row() for address in addresses}

    def step(self, address: BoardAddress, step: str) -> None:
        row = self._rows[address]
        start = time.monotonic() if row.step == "waiting" else row.start
        self._rows[address] = _Row(step, start, None, "cyan")

    def done(self, address: BoardAddress, word: str, good: bool) -> None:
        start, style = self._rows[address].start, "green" if good else "red"
        self._rows[address] = _Row(word, start, time.monotonic(), style)

    def draw(self) -> "rich.table.Table":
        import rich.table
        from rich.text import Text

        table = rich.table.Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("board", "", "time"):
            table.add_column(heading, justify="right" if heading == "time" else "left")
        for address, row in self._rows.items():
            passed = (row.end or time.monotonic()) - row.start
            seconds = "" if row.step == "waiting" else f"{passed:.0f} s"
            table.add_row(str(address), Text(row.step, style=row.style), seconds)
        return table
