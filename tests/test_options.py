"""Options of all commands: one name for one thing, a help text and a telling metavar."""

import inspect
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module

import click
import pytest

from converters.backbone.pretrain.__main__ import main as pretrain
from edge.cli import cli
from edge.task_kinds import TASKS, TaskKind

TYPES = {
    "TEXT", "PATH", "FILENAME", "INTEGER", "FLOAT", "INTEGER RANGE", "FLOAT RANGE", "BOOLEAN", "OUT"
}  # fmt: skip
"""Metavars that name a type instead of a thing: click's defaults."""

PAIRS = {"-o": "--out", "-i": "--identity", "-n": "--lines", "-f": "--follow"}
"""Short spelling → long one, of every option that has either."""

ONLY = {
    "SCORE": {"--threshold"},
    "MODEL": {"--model", "--backbone", "model"},
    "HOST": {"host"},
    "HOST...": {"hosts"},
    "BOARD": {"--board", "name"},
}
"""Metavar → the only names of parameters that take it."""

DIFFERENT = {"--size", "--out", "--count", "--head"}
"""Options that take different things in different commands."""


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _commands(inner, f"{path} {name}")


COMMANDS = {**dict(_commands(cli, "edge")), "pretrain": pretrain}


def _parameters() -> Iterator[tuple[str, click.Parameter, str]]:
    """Yield command, parameter and metavar of all that is shown; "" for a flag."""
    for path, command in COMMANDS.items():
        context = click.Context(command)
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.hidden:
                continue
            flag = isinstance(parameter, click.Option) and parameter.is_flag
            yield path, parameter, "" if flag else parameter.make_metavar(context).strip("[]")


def _options() -> Iterator[tuple[str, click.Option, str]]:
    for path, parameter, metavar in _parameters():
        if isinstance(parameter, click.Option):
            yield path, parameter, metavar


def test_every_option_has_a_help_text_that_is_a_sentence() -> None:
    wrong = [
        f"{path} {option.opts[-1]}: {option.help}"
        for path, option, _ in _options()
        if not option.help or not option.help[0].isupper() or option.help.rstrip()[-1] not in ".]"
    ]
    assert not wrong


def test_every_metavar_says_what_goes_in() -> None:
    wrong = [f"{path} {parameter.name}: {metavar}" for path, parameter, metavar in _parameters()
             if metavar in TYPES]  # fmt: skip
    assert not wrong


def test_short_and_long_spellings_are_the_same_everywhere() -> None:
    for path, option, _ in _options():
        for short, long in PAIRS.items():
            given = {short, long} & set(option.opts)
            assert given in (set(), {short, long}), f"{path} {option.opts}"


def test_an_option_takes_the_same_in_every_command() -> None:
    metavars = defaultdict(set)
    for _, option, metavar in _options():
        for spelling in option.opts:
            if spelling.startswith("--"):
                metavars[spelling].add(metavar)
    several = {name for name, given in metavars.items() if len(given) > 1}
    assert several <= DIFFERENT, {name: metavars[name] for name in several}


def test_a_thing_has_the_same_name_in_every_command() -> None:
    for path, parameter, metavar in _parameters():
        if metavar in ONLY:
            names = {parameter.name, *parameter.opts}
            assert names & ONLY[metavar], f"{path} {parameter.opts} takes {metavar}"


@pytest.mark.parametrize("kind", TASKS.values(), ids=TASKS)
def test_python_has_the_names_of_the_command_line(kind: TaskKind) -> None:
    module, _, name = kind.open.partition(":")
    keywords = inspect.signature(getattr(import_module(module), name).open).parameters
    assert {"threshold", "delegate", "threads", "mean", "std"} <= set(keywords)


def test_delegate_and_target_explain_each_other() -> None:
    helps = {option.opts[-1]: option.help or "" for _, option, _ in _options()}
    assert "--target" in helps["--delegate"]
    assert "--delegate" in helps["--target"]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("edge track", ["in.txt", "--output", "out.txt"], ["in.txt", "--out", "out.txt"]),
        ("edge doctor", ["--host", "pi@camera"], ["pi@camera"]),
    ],
)
def test_old_spellings_work_and_are_not_shown(path: str, old: list[str], new: list[str]) -> None:
    command = COMMANDS[path]
    spelled = [command.make_context(path, list(words)).params for words in (old, new)]
    hosts = [{name: value for name, value in params.items() if "host" not in name}
             for params in spelled]  # fmt: skip
    assert hosts[0] == hosts[1]
    shown = command.get_help(click.Context(command, info_name=path))
    assert next(word for word in old if word.startswith("--")) not in shown.replace(
        "--out FILE", ""
    )


def test_a_host_and_its_old_spelling_contradict_each_other(run_edge) -> None:  # type: ignore[no-untyped-def]
    done = run_edge("doctor", "pi@a", "--host", "pi@b")
    assert done.returncode == 2
    assert "[conflicting-options]" in done.stderr
