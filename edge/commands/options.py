"""What the commands that run a model have in common."""

import contextlib
import os
import sys
import tempfile
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
    """Keep the chatter of C++ libraries ("INFO: Created …") off the terminal.

    What they say goes to a temporary file, and is shown only if the process is debugged; Python's
    own stderr is not touched.
    """
    if os.environ.get("EDGE_DEBUG"):
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
