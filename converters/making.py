"""What the commands that make a result have in common: options of the plan, and the end."""

import json
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from converters.dataset.listing import file_name

Command = TypeVar("Command", bound=Callable[..., Any])

FORCE = click.option("--force", is_flag=True, help="Replace an earlier result.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")

_OPTIONS = (
    click.option(
        "--board",
        metavar="NAME",
        help="Board that the model is made for, such as raspberry-pi-4b+coral-usb: gives the "
        "target and the input's size where they are left out, and estimates the latency there "
        "from published ones.  See 'edge boards list'.",
    ),
    click.option(
        "--target",
        metavar="cpu|edgetpu|all",
        help="Where the model shall run whole; edgetpu and all end with 'edge check', and "
        "compile the model where there is a compiler.  [default: the board's, else cpu]",
    ),
    click.option(
        "--max-latency",
        type=float,
        metavar="MS",
        help="Longest median time of one invoke on this computer's CPU.",
    ),
    click.option(
        "--max-size", type=float, metavar="KB", help="Largest size of the file (1 kB = 1000 bytes)."
    ),
    click.option(
        "--min-accuracy",
        type=float,
        metavar="SHARE",
        help="Least accuracy on the test side, such as 0.95; without another limit the quickest "
        "variant that reaches it is taken.",
    ),
    click.option(
        "--precision",
        type=float,
        metavar="SHARE",
        help="Share of answers that shall be right, such as 0.95: below the score that gives it "
        "the answer is 'unknown'.",
    ),
    click.option(
        "--max-drop",
        type=click.FloatRange(min=0),
        default=2.0,
        show_default=True,
        help="Points of accuracy that the model may lose against float32.",
    ),
)


def planned(command: Command) -> Command:
    """Add the options that say what the chosen file must keep to."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def plan(recipes: tuple[str, ...], options: Mapping[str, Any]) -> Any:
    """The :class:`converters.choosing.plan.Plan` of a command; ``options``: those of `planned`.

    Raises:
        UsageError: a recipe, a limit or a board that makes no sense.
    """
    from boards import profile
    from converters.choosing import plan as plans
    from converters.choosing.choice import Limits

    board = None if options["board"] is None else profile.load(options["board"])
    limits = Limits(
        target=options["target"] or ("cpu" if board is None else board.run.delegate),
        max_latency_ms=options["max_latency"],
        max_size_kb=options["max_size"],
        min_accuracy=options["min_accuracy"],
    )
    return plans.make(recipes, limits, options["precision"], options["max_drop"], board)


def typed() -> str:
    """The command as it was typed."""
    return shlex.join(["edge", *sys.argv[1:]])


def end(report: Mapping[str, Any], out: Path, as_json: bool) -> int:
    """Print the report, and return the exit code: 3 where the verdict is no."""
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        from converters.report import terminal

        terminal.summary(report, Path(file_name(str(out))))
    return 0 if good(report) else 3


def good(report: Mapping[str, Any]) -> bool:
    """Whether the chosen file keeps accuracy and limits, and no compiler contradicts that."""
    compiled = report["compiled"]
    contradicted = (
        compiled is not None
        and compiled["compiler"]
        and (compiled["file"] is None or compiled["cpu"])
    )
    kept = report["verdict"]["status"] != "fail" and report["choice"]["met"]
    return bool(kept and not contradicted)
