"""How far a download is, on the terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from edge.registry.download import Progress


@contextmanager
def bar(name: str) -> Iterator[Progress]:
    """A bar on stderr while a file comes; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda received, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Bars(
        *columns, TransferSpeedColumn(), console=Console(stderr=True), transient=True
    ) as bars:
        task = bars.add_task(name, total=None)
        yield lambda received, total: bars.update(task, completed=received, total=total)
