"""Options that commands which run a model share."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from edge.registry import resolve_model

Command = TypeVar("Command", bound=Callable[..., Any])

MODEL = click.argument("model", type=click.Path(path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def model_option(default: str | Callable[[], Path | str]) -> Callable[[Command], Command]:
    """Make the option ``--model`` of a demo; ``default``: a registry name, or a function that finds one."""
    return click.option(
        "--model",
        type=click.Path(path_type=Path),
        default=default,
        show_default=isinstance(default, str),
        metavar="FILE|NAME",
        help="A .tflite file, or a name from 'edge models list'.",
    )


def running(command: Command) -> Command:
    """Add the options of a command that runs a model: ``--delegate`` and ``--threads``.

    Where its ``model`` is a name of the registry, the command gets the file, downloaded first if
    need be; see :func:`edge.registry.resolve_model`.
    """
    delegate = click.option(
        "--delegate",
        default="auto",
        show_default=True,
        metavar="auto|cpu|edgetpu",
        help="Where the model runs; auto uses the Edge TPU for models compiled for it.",
    )
    threads = click.option(
        "--threads",
        type=click.IntRange(min=1),
        help="CPU threads.  [default: one per core, at most 4]",
    )

    @wraps(command)
    def with_file(*, model: Path | str | None, delegate: str, **rest: Any) -> Any:
        path = None if model is None else resolve_model(model, _say, delegate)
        return command(model=path, delegate=delegate, **rest)

    return delegate(threads(cast(Command, with_file)))


def model_file(model: Path) -> Path:
    """Resolve a model's path or its name in the registry to a file."""
    return resolve_model(model, _say)


def detecting(command: Command) -> Command:
    """Add the options of a detector, named like the keywords of ``edge.tasks.detect.detector.detector``."""
    options = (
        click.option(
            "--labels", type=click.Path(path_type=Path), help="File with one label per line."
        ),
        click.option(
            "--classes", callback=names, metavar="LIST", help="Classes to report, comma-separated."
        ),
        click.option(
            "--threshold", "score", type=float, default=0.4, show_default=True,
            help="Minimum score of a detection.",
        ),
        click.option(
            "--iou", type=float, default=0.45, show_default=True,
            help="IoU above which the lower-scoring of two boxes is dropped.",
        ),
        click.option(
            "--head", type=click.Path(path_type=Path), help="TOML file that describes the outputs."
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Split comma-separated names, as the callback of an option."""
    return tuple(name.strip() for name in (value or "").split(",") if name.strip())


def _say(line: str) -> None:
    say((line,))


def say(notes: tuple[str, ...]) -> None:
    """Print notes on stderr, so that stdout stays for results."""
    for note in notes:
        click.echo(f"note: {note}", err=True)
