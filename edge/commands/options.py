"""Options and helpers that the commands which run a model share."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import click

from edge.cli import run_command as run_command  # noqa: PLC0414 (for the demos)
from edge.errors import UsageError
from edge.known_models import trust_model
from edge.quantities import counted as counted  # noqa: PLC0414 (for the demos)
from edge.registry import resolve_model
from edge.task_kinds import TASKS
from edge.terminal import count_progress as count_progress  # noqa: PLC0414 (for the demos)
from edge.terminal import suppress_native_stderr

Command = TypeVar("Command", bound=Callable[..., Any])
TaskT = TypeVar("TaskT")
P = ParamSpec("P")

MODEL = click.argument("model", metavar="MODEL", type=click.Path(path_type=Path))
LABELS = click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Names of the classes: text with one per line, CSV, JSON, data.yaml or .pbtxt.  "
    "[default: those in or next to the model]",
)


class RenamedOption(click.Option):
    """An option with an old spelling, which is accepted as before and not shown.

    Args:
        param_decls: The spellings that are shown.
        old: The old one, such as "--output".
        attributes: As those of :class:`click.Option`.
    """

    def __init__(self, param_decls: Sequence[str], old: str, **attributes: Any) -> None:
        super().__init__(param_decls, **attributes)
        self.old = old

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Add all spellings to click's parser."""
        super().add_to_parser(parser, ctx)
        parser.add_option(self, opts=[self.old], dest=self.name, action="store", nargs=self.nargs)


JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def model_option(task: str) -> Callable[[Command], Command]:
    """Return the option ``--model`` of the demo of a task, with the task's default model."""
    default = TASKS[task].default_model
    return click.option(
        "--model",
        type=click.Path(path_type=Path),
        default=default,
        show_default=default is not None,
        metavar="MODEL",
        help="A .tflite file, a result folder of 'edge convert', or a name from "
        "'edge models list'.",
    )


def running(command: Command) -> Command:
    """Add the options of a command that runs a model: ``--delegate``, ``--threads``, ``--trust``.

    Where its ``model`` is a result folder or a name of the registry, the command gets the file,
    downloaded first if need be; see :func:`edge.registry.resolve_model`. Trust in a file is
    remembered here.
    """
    delegate = click.option(
        "--delegate",
        default="auto",
        show_default=True,
        metavar="auto|cpu|edgetpu",
        help="What runs the model here; auto uses the Edge TPU for models compiled for it. What a "
        "model is built for is --target of 'edge convert'.",
    )
    threads = click.option(
        "--threads",
        type=click.IntRange(min=1),
        metavar="N",
        help="CPU threads.  [default: one per core, at most 4]",
    )

    trust = click.option(
        "--trust",
        is_flag=True,
        help="Run the model without the trial in a process of its own that a file gets before it "
        "is run for the first time; also from now on.",
    )

    @wraps(command)
    def with_file(*, model: Path | str | None, delegate: str, trust: bool, **rest: Any) -> Any:
        path = None if model is None else resolve_model(model, _say, delegate)
        if trust and path is not None:
            trust_model(path)
        return command(model=path, delegate=delegate, **rest)

    return delegate(threads(trust(cast(Command, with_file))))


def normalizing(command: Command) -> Command:
    """Add the options ``--mean`` and ``--std``, named like the keywords of a task's ``open``."""
    mean = click.option(
        "--mean",
        callback=_numbers,
        metavar="M|R,G,B",
        help="Mean of the pixels that the model takes, with --std: 0 and 255 make them 0 to 1, "
        "127.5 and 127.5 -1 to 1, 0 and 1 leave 0 to 255.  "
        "[default: as MODEL.toml or the model says]",
    )
    std = click.option(
        "--std",
        callback=_numbers,
        metavar="S|R,G,B",
        help="Standard deviation of the pixels, with --mean.",
    )
    return mean(std(command))


def _numbers(
    _: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    """Split comma-separated numbers, as the callback of an option."""
    if value is None:
        return None
    try:
        return tuple(float(part) for part in value.split(","))
    except ValueError:
        raise UsageError(
            "a number, or three separated by commas",
            f"--{parameter.name} {value}",
            "use --mean 127.5 --std 127.5, or three numbers for R, G, B: 123.7,116.3,103.5",
            code="invalid-option-value",
        ) from None


def model_file(model: Path) -> Path:
    """Resolve a model's path, result folder or name in the registry to a file."""
    return resolve_model(model, _say)


def open_task(opener: Callable[P, TaskT], *args: P.args, **kwargs: P.kwargs) -> TaskT:
    """Return the task that ``opener`` opens, without what native libraries print meanwhile."""
    with suppress_native_stderr():
        return opener(*args, **kwargs)


def detecting(command: Command) -> Command:
    """Add the options of a detector, named like the keywords of :meth:`edge.Detector.open`."""
    options = (
        LABELS,
        click.option(
            "--classes", callback=names, metavar="NAMES",
            help="Classes to report, comma-separated.",
        ),
        click.option(
            "--threshold", type=float, metavar="SCORE",
            help="Minimum score of a detection.  [default: that in the model, else 0.4]",
        ),
        click.option(
            "--iou", type=float, default=0.45, show_default=True, metavar="SHARE",
            help="IoU above which the lower-scoring of two boxes is dropped.",
        ),
        click.option(
            "--head", type=click.Path(path_type=Path), metavar="FILE",
            help="TOML file that describes the outputs.",
        ),
    )  # fmt: skip
    command = normalizing(command)
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
