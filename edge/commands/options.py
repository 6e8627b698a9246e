"""What the commands that run a model have in common."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

MODEL = click.argument("model", type=click.Path(path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def running(command: Command) -> Command:
    """Add the options of a command that runs a model: ``--delegate`` and ``--threads``."""
    delegate = click.option(
        "--delegate",
        default="auto",
        show_default=True,
        metavar="auto|cpu|edgetpu",
        help="What runs the model; auto takes the Edge TPU for models compiled for it.",
    )
    threads = click.option(
        "--threads",
        type=click.IntRange(min=1),
        help="CPU threads.  [default: one per core, at most 4]",
    )
    return delegate(threads(command))


def say(notes: tuple[str, ...]) -> None:
    """Print notes on stderr, so that stdout stays for results."""
    for note in notes:
        click.echo(f"note: {note}", err=True)


@contextlib.contextmanager
def quiet_interpreter() -> Iterator[None]:
    """Drop what C++ libraries say on stderr ("INFO: Created …"), unless with ``--debug``.

    What Python writes there meanwhile is dropped too; errors are raised, and so get through.
    """
    if os.environ.get("EDGE_DEBUG") or sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
