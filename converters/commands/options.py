"""Options and output that the commands with a result share."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from converters.dataset.listing import file_name
from converters.tasks import TASKS

if TYPE_CHECKING:
    from converters.report.model import Report

Command = TypeVar("Command", bound=Callable[..., Any])

FORCE = click.option("--force", is_flag=True, help="Replace an earlier result.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
SEED = click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    default=0,
    show_default=True,
    help="Random seed.",
)


def _minimum_help(task: str) -> str:
    if task != next(reversed(TASKS)):
        return f"The same for --task {task}."
    return (
        "Minimum accuracy on the test subset, such as 0.95; without another limit, the fastest "
        "variant that reaches it is selected."
    )


_OPTIONS = (
    click.option(
        "--board",
        metavar="BOARD",
        help="Board to build the model for, such as raspberry-pi-4b+coral-usb: sets the default "
        "target and input size, and estimates the latency there from published figures.  "
        "See 'edge boards list'.",
    ),
    click.option(
        "--target",
        metavar="cpu|edgetpu|all",
        help="What the model is built for, so that all of it runs there; edgetpu and all also run "
        "'edge check', and compile the model if a compiler is installed. What runs a model later "
        "is --delegate of the other commands.  [default: the board's, else cpu]",
    ),
    click.option(
        "--max-latency",
        type=float,
        metavar="MS",
        help="Maximum median latency of one inference on this computer's CPU.",
    ),
    click.option(
        "--max-size", type=float, metavar="KB", help="Maximum file size (1 kB = 1000 bytes)."
    ),
    *(
        click.option(entry.minimum, type=float, metavar="SHARE", help=_minimum_help(name))
        for name, entry in reversed(TASKS.items())
    ),
    click.option(
        "--precision",
        type=float,
        metavar="SHARE",
        help="Required precision, such as 0.95: below the score threshold that achieves it, the "
        "prediction is 'unknown'.",
    ),
    click.option(
        "--max-drop",
        type=click.FloatRange(min=0),
        default=2.0,
        show_default=True,
        metavar="POINTS",
        help="Maximum accuracy loss against float32, in percentage points: PASS only where the "
        "test images prove it.",
    ),
)


def plan_options(command: Command) -> Command:
    """Add the options with the requirements on the selected file."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_minimums(options: dict[str, Any]) -> dict[str, float]:
    """Remove the minimums of the tasks' metrics from ``options``; return those that are given."""
    names = [entry.minimum[2:].replace("-", "_") for entry in TASKS.values()]
    values = {name: options.pop(name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def command_line() -> str:
    """Return the command as it was typed."""
    return shlex.join(["edge", *sys.argv[1:]])


def print_report(report: "Report", out: Path, as_json: bool) -> int:
    """Print the report, and return the exit code: 3 where the verdict is negative."""
    if as_json:
        click.echo(report.to_json(), nl=False)
    else:
        from converters.report import terminal

        terminal.summary(report, Path(file_name(str(out))))
    return 0 if report.success else 3
