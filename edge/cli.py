"""The ``edge`` command: a table of subcommands, imported when called.

A command's function is imported only when it is called, so that ``edge --help`` is quick
and this package imports none of its siblings. Exit codes, for every command:
0 done; 1 done, with findings; 2 error; 3 finished, but the verdict is no.
"""

import gc
import json
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from edge.errors import EdgeError, UsageError, did_you_mean, nearest, suggestion
from edge.redaction import redact
from edge.version import __version__


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command: its click function ("module:function"), its group and line in the help."""

    target: str
    group: str
    help: str


DEBUG = "EDGE_DEBUG"
"""Environment variable that is set by ``--debug``."""

COMMANDS = {
    "capture": CommandEntry("edge.commands.capture:capture", "Make", "Take photos for a dataset."),
    "teach": CommandEntry(
        "edge.commands.teach:teach", "Make", "Learn classes in seconds, on the board."
    ),
    "convert": CommandEntry(
        "converters.commands.convert:convert", "Make", "Turn photos into a verified TFLite model."
    ),
    "dataset": CommandEntry(
        "converters.commands.dataset:dataset", "Make", "Find labels that may be wrong."
    ),
    "compress": CommandEntry(
        "converters.commands.compress:compress",
        "Make",
        "Prune and quantize an existing result again.",
    ),
    "head": CommandEntry(
        "edge.commands.head:head", "Make", "Put a taught head on a compiled backbone."
    ),
    "compile": CommandEntry(
        "converters.commands.compile:compile_", "Make", "Compile a model for the Edge TPU."
    ),
    "classify": CommandEntry("edge.commands.classify:classify", "Run", "Classify images."),
    "demo": CommandEntry(
        "edge.commands.demo:demo", "Run", "Run real-time demos on a camera or a file."
    ),
    "track": CommandEntry(
        "edge.commands.track:track", "Run", "Track the objects in a file of detections."
    ),
    "models": CommandEntry(
        "edge.commands.models:models", "Run", "List, download and verify models by name."
    ),
    "bench": CommandEntry(
        "edge.commands.bench:bench", "Check", "Measure a model's speed and memory."
    ),
    "inspect": CommandEntry(
        "edge.commands.inspect:inspect", "Check", "Show what is inside a model file."
    ),
    "evaluate": CommandEntry(
        "converters.commands.evaluate:evaluate",
        "Check",
        "Measure a model on labeled images.",
    ),
    "explain": CommandEntry(
        "converters.commands.explain:explain",
        "Check",
        "Show which parts of an image speak for its class.",
    ),
    "compare": CommandEntry(
        "converters.commands.compare:compare",
        "Check",
        "Compare results side by side: accuracy, size, latency.",
    ),
    "check": CommandEntry(
        "converters.commands.check:check",
        "Check",
        "Predict how much of a model runs on the Edge TPU.",
    ),
    "boards": CommandEntry(
        "boards.commands.boards:boards",
        "Boards",
        "Show facts about boards: systems, cameras, latencies.",
    ),
    "doctor": CommandEntry(
        "boards.commands.doctor:doctor", "Boards", "Diagnose a board and suggest fixes."
    ),
    "deploy": CommandEntry("boards.commands.deploy:deploy", "Boards", "Deploy a model to boards."),
    "rollback": CommandEntry(
        "boards.commands.deploy:rollback", "Boards", "Roll back to the previous release."
    ),
    "status": CommandEntry("boards.commands.deploy:status", "Boards", "Show what runs on boards."),
    "logs": CommandEntry(
        "boards.commands.deploy:logs", "Boards", "Show the log of a board's service."
    ),
    "selftest": CommandEntry(
        "edge.commands.selftest:selftest", "Boards", "Check a release on the board it runs on."
    ),
}


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Control characters, which a file's name may have: they would move the cursor of a terminal."""


class ReaderGoneError(Exception):
    """The reader of stdout has closed it, as in ``edge … | head``."""


class Terminated(KeyboardInterrupt):
    """SIGTERM was received; it is handled like Ctrl-C."""


class LazyGroup(click.Group):
    """A click group whose commands are imported when they are called.

    Attributes:
        entries: Name of each command and what is known without importing it, in help order.
    """

    entries: Mapping[str, CommandEntry] = COMMANDS

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a closed stdout becomes :class:`ReaderGoneError`."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # which click would end with exit code 1
            raise ReaderGoneError from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the names in the order of the help."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.entries:
            return None
        module, _, function = self.entries[cmd_name].target.partition(":")
        command = getattr(import_module(module), function)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve the first argument to a command.

        Raises:
            UsageError: there is no such command; the fix names the nearest.
        """
        name, path = args[0], ctx.command_path
        if name not in self.entries and not name.startswith("-"):
            guess = nearest(name, self.entries)
            raise UsageError(
                f"a command of {path}",
                f"'{name}'",
                suggestion(f"{path} {guess}") if guess else f"see '{path} --help'",
                code="unknown-command",
                summary=f"unknown command '{path} {name}'",
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands to the help, by group."""
        for group in dict.fromkeys(entry.group for entry in self.entries.values()):
            with formatter.section(group):
                formatter.write_dl(
                    [
                        (name, entry.help)
                        for name, entry in self.entries.items()
                        if entry.group == group
                    ]
                )


EXAMPLES = """
\b
Examples:
  edge convert photos/ -o out/
  edge classify out/model.tflite image.jpg
  edge demo classify --model out/model.tflite --source 0
"""


@click.group(
    cls=LazyGroup, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="edge")
@click.option("--debug", is_flag=True, help="Show the traceback of errors; allowed anywhere.")
def cli(debug: bool) -> None:
    """From a folder of photos to a camera that recognizes them."""


def main() -> NoReturn:
    """Run the command line and exit with its exit code."""
    _exit(run(sys.argv[1:]))


def run_command(command: click.Command) -> NoReturn:
    """Run one command as a separate program, with the errors and exit codes of ``edge``."""
    _exit(run(sys.argv[1:], command))


def _exit(code: int) -> NoReturn:
    gc.freeze()  # Python searches all objects for garbage before it ends, for a tenth of a second
    sys.exit(code)


def run(args: list[str], command: click.Command | None = None) -> int:
    """Run the command line ``args`` and return its exit code.

    0 to 3; 130 for Ctrl-C and 143 for SIGTERM, after which nothing half-written is left either.
    """
    args, debug = _take_debug(args or ["--help"])
    try:
        with _debugging(debug), _terminable():
            chosen = cli if command is None else command
            name = "edge" if command is None else None
            code = chosen.main(args, prog_name=name, standalone_mode=False)
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:  # edge demo
        click.echo(error.format_message())
        return 0
    except (click.Abort, KeyboardInterrupt) as error:
        click.echo("edge: stopped.", err=True)
        cause = error.__cause__ or error  # click turns the one into the other
        return 143 if isinstance(cause, Terminated) else 130
    except (BrokenPipeError, ReaderGoneError):
        _drop_stdout()
        return 0
    except Exception as error:
        line, detail = _explain(error, args)
        if debug:
            click.echo(redact("".join(traceback.format_exception(error))), err=True, nl=False)
        return _fail("--json" in args, line, detail)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM unwind the stack, as Ctrl-C does."""

    def stop(*_: object) -> NoReturn:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _take_debug(args: list[str]) -> tuple[list[str], bool]:
    """Remove ``--debug``, which may stand anywhere before a ``--``, from the arguments."""
    end = args.index("--") if "--" in args else len(args)
    kept = [word for word in args[:end] if word != "--debug"]
    return kept + args[end:], bool(os.environ.get(DEBUG)) or len(kept) < end


@contextmanager
def _debugging(debug: bool) -> Iterator[None]:
    """Pass ``--debug`` on to commands, and to processes that they start."""
    before = os.environ.get(DEBUG)
    if debug:
        os.environ[DEBUG] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(DEBUG, None)


def _explain(error: Exception, args: list[str]) -> tuple[str, dict[str, str]]:
    """Return the line for people, and the object for ``--json``."""
    if isinstance(error, EdgeError):
        line = f"{error} [{error.code}]" if error.code else str(error)
        return line, error.to_dict()
    kind, code = "UsageError", "usage"
    if isinstance(error, click.UsageError):
        line = _usage_message(error, args)
    elif isinstance(error, ModuleNotFoundError) and (missing := _missing_extra(error)):
        code, line = "missing-package", missing
    elif isinstance(error, OSError) and error.strerror:
        kind, code = "OutputError", "os-error"
        prefix = f"{error.filename}: " if error.filename else ""
        line = f"{prefix}{error.strerror.lower()}"
    else:
        kind, code = "InternalError", "internal-error"
        message = " ".join(str(error).split())
        line = f"internal error: {type(error).__name__}: {message}: run again with --debug"
    line = redact(line)
    return f"{line} [{code}]", {"kind": kind, "code": code, "message": line}


def _fail(as_json: bool, line: str, detail: dict[str, str]) -> int:
    try:
        if as_json:
            click.echo(json.dumps({"error": detail}))
        sys.stdout.flush()
    except OSError:  # stdout is what cannot be written, e.g. on a full disk
        _drop_stdout()
    shown = _CONTROL.sub(lambda match: repr(match[0])[1:-1], line)
    click.echo(f"edge: {shown}", err=True)
    return 2


def _drop_stdout() -> None:
    """Discard what is still buffered, so that Python does not fail on it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage_message(error: click.UsageError, args: list[str]) -> str:
    message = error.format_message().replace("\n", " ")
    if "--help" in message:
        return message
    files = [word for word in args if word.startswith("-") and Path(word).exists()]
    if files and isinstance(error, click.NoSuchOption):
        return f"{message.rstrip('.')}: write the file as ./{files[0]}"
    path = error.ctx.command_path if error.ctx else "edge"
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        known = (opt for parameter in error.ctx.command.params for opt in _shown(parameter))
        fix = did_you_mean(error.option_name, known, f"see '{path} --help'")
        return f"No such option '{error.option_name}': {fix}"
    return f"{message.rstrip('.')}: see '{path} --help'"


def _shown(parameter: click.Parameter) -> list[str]:
    """Return the spellings of an option that help shows; none of an argument."""
    shown = isinstance(parameter, click.Option) and not parameter.hidden
    return [*parameter.opts, *parameter.secondary_opts] if shown else []


def _missing_extra(error: ModuleNotFoundError) -> str | None:
    """Name the extra that a missing package belongs to, in one line; None if it is not ours."""
    package = (error.name or "").partition(".")[0]
    extras = {
        "tensorflow": "train", "tf_keras": "train", "tensorflow_model_optimization": "train",
        "h5py": "convert", "matplotlib": "convert", "jinja2": "convert", "PIL": "convert",
        "mediapipe": "pose",
    }  # fmt: skip
    if package not in extras:
        return None
    from edge.installation import install_command

    extra = extras[package]
    limit = " (Python 3.11 or 3.12)" if extra == "train" else ""
    return f"the Python package '{package}' is not installed: {install_command(extra)}{limit}"
