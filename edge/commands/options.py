"""What the commands that run a model have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

MODEL = click.argument("model", type=click.Path(path_type=Path))
MODEL_OPTION = click.option(
    "--model", type=click.Path(path_type=Path), required=True, help="A .tflite file."
)
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


def detecting(command: Command) -> Command:
    """Add the options of a detector, named like the keywords of ``edge.tasks.detect.detector``."""
    made = (
        click.option(
            "--labels", type=click.Path(path_type=Path), help="File with one label per line."
        ),
        click.option(
            "--classes", callback=names, metavar="LIST", help="Classes to report, by comma."
        ),
        click.option(
            "--threshold", "score", type=float, default=0.4, show_default=True,
            help="Least score of a detection.",
        ),
        click.option(
            "--iou", type=float, default=0.45, show_default=True,
            help="Overlap above which the weaker of two boxes goes.",
        ),
        click.option(
            "--head", type=click.Path(path_type=Path), help="TOML file that describes the outputs."
        ),
    )  # fmt: skip
    for option in reversed(made):
        command = option(command)
    return command


def names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Names by comma, as a callback of an option."""
    return tuple(name.strip() for name in (value or "").split(",") if name.strip())


def say(notes: tuple[str, ...]) -> None:
    """Print notes on stderr, so that stdout stays for results."""
    for note in notes:
        click.echo(f"note: {note}", err=True)
