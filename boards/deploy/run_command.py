"""The command that a board runs, checked here before anything is uploaded."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path

import click

from boards.deploy import service_limits
from edge import sinks, sources
from edge.cli import cli
from edge.errors import UsageError, did_you_mean
from edge.installation import DISTRIBUTION
from edge.sinks.web.address import parse_address
from edge.task_kinds import TASKS

HERE = "$here"
"""The folder of the release in the words of a command: "$here/labels.txt"."""

_EXAMPLE = "write --run 'demo classify --source 0 --sink web'"
_FILE_OPTIONS = ("--labels", "--head", "--rules")
"""Options with a file that is uploaded."""

_MAYBE_FILE_OPTIONS = ("--background",)
"""Options with a value that is uploaded if it is a file."""

_LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class RunCommand:
    """A checked command.

    Attributes:
        words: without the model; uploaded files as "$here/NAME".
        typed: the same with the files where they are on this machine.
        files: the files to upload.
        extras: extras of edge-toolkit that it needs.
        system_packages: True if it needs the system's Python packages.
        delegate: value of ``--delegate``.
        page_ports: ports of web pages that only the board itself can open.
    """

    words: tuple[str, ...]
    typed: tuple[str, ...]
    files: tuple[Path, ...]
    extras: tuple[str, ...]
    system_packages: bool
    delegate: str
    page_ports: tuple[int, ...]


def parse(text: str, more: tuple[str, ...] = ()) -> RunCommand:
    """Check the command of ``--run``; ``more``: extras to install in addition.

    Raises:
        UsageError: it does not run a demo, has a wrong option, names a model, or cannot work in a
            service on a board.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(
            "a command after --run", f"'{text}' ({error})", _EXAMPLE, code="invalid-run-command"
        ) from None
    words = words[1:] if words[:1] == ["edge"] else words
    if words[:1] != ["demo"] or len(words) < 2:
        raise UsageError(
            "a command of 'edge demo'", f"--run '{text}'", _EXAMPLE, code="invalid-run-command"
        )
    if any(word == "--model" or word.startswith("--model=") for word in words):
        raise UsageError(
            "a command without --model",
            f"--run '{text}'",
            "leave out --model: MODEL comes before the boards",
            code="run-command-names-model",
        )
    with demo_context(words, Path("model.tflite")) as parsed:
        options = {"delegate": "auto", "sinks": (), **parsed.params}
    service_limits.check(options)
    source = sources.SOURCES[sources.resolve(options["source"])[0]]
    _check_extras(more)
    resolved = [sinks.resolve(sink) for sink in options["sinks"]]
    sink_extras = (sinks.SINKS[scheme].extra for scheme, _ in resolved)
    needed = (TASKS[words[1]].extra, source.extra, *sink_extras)
    extras = {extra for extra in needed if extra is not None}
    pages = [parse_address(target) for scheme, target in resolved if scheme == "web"]
    kept, files = _with_release_paths(words)
    return RunCommand(
        words=kept,
        typed=tuple(words),
        files=files,
        extras=tuple(sorted(extras | set(more))),
        system_packages=source.system_packages,
        delegate=options["delegate"],
        page_ports=tuple(page.port for page in pages if page.host in _LOOPBACK and page.port),
    )


def _check_extras(names: Iterable[str]) -> None:
    known = metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    for name in names:
        if name not in known:
            raise UsageError(
                f"an extra of edge-toolkit ({', '.join(known)})",
                f"--extra {name}",
                did_you_mean(name, known, "choose one of them"),
                code="unknown-extra",
            )


def script(words: tuple[str, ...]) -> str:
    """Return the script ``run`` of a release: the command in its environment, with its files."""
    command = " ".join(_quote(word) for word in words)
    return (
        f'#!/bin/sh\nhere=$(cd "$(dirname "$0")" && pwd -P)\nexec "$here/env/bin/edge" {command}\n'
    )


@contextmanager
def demo_context(words: Sequence[str], model: Path) -> Iterator[click.Context]:
    """Parse "demo NAME …" by the demo's own parser; the context can be invoked.

    Raises:
        UsageError: the demo or an option is unknown.
    """
    with click.Context(cli, info_name="edge") as outer:
        group = cli.get_command(outer, words[0])
        assert isinstance(group, click.Group)
        with click.Context(group, parent=outer, info_name=words[0]) as inner:
            name, command, rest = group.resolve_command(inner, list(words[1:]))
            assert command is not None
            try:
                context = command.make_context(name, [*rest, "--model", str(model)], inner)
            except click.exceptions.Exit:
                raise UsageError(
                    "a command that runs a demo", "--help", _EXAMPLE, code="invalid-run-command"
                ) from None
            except click.NoSuchOption as error:
                raise _of_another_demo(error, name or "", group) from None
            with context:
                yield context


def _of_another_demo(
    error: click.NoSuchOption, name: str, group: click.Group
) -> click.NoSuchOption | UsageError:
    """Return the error for an option that only other demos have; else the one that click raised."""
    having = [
        other
        for other in TASKS
        if (command := group.get_command(click.Context(group), other)) is not None
        and any(error.option_name in parameter.opts for parameter in command.params)
    ]
    if not having:
        return error
    return UsageError(
        f"an option of 'edge demo {name}'",
        error.option_name,
        f"leave it out, or use 'demo {having[0]}'",
        code="option-of-another-demo",
        summary=f"{error.option_name} is an option of {' and '.join(having)}, not of {name}",
    )


def _with_release_paths(words: list[str]) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """Return the words with paths inside the release, and the files to upload."""
    files: list[Path] = []
    options = _FILE_OPTIONS + _MAYBE_FILE_OPTIONS

    def add_file(option: str, text: str) -> str:
        if option in _MAYBE_FILE_OPTIONS and not Path(text).is_file():
            return text
        if not Path(text).is_file():
            raise UsageError(
                f"a file for {option}", f"no {text}", "check the path", code="file-not-found"
            )
        files.append(Path(text))
        return f"{HERE}/{Path(text).name}"

    def renamed() -> Iterator[str]:
        before = ""
        for word in words:
            option, equals, value = word.partition("=")
            if before in options:
                yield add_file(before, word)
            elif equals and option in options:
                yield f"{option}={add_file(option, value)}"
            else:
                yield word
            before = word

    kept = tuple(renamed())
    return kept, tuple(files)


def _quote(word: str) -> str:
    before, here, after = word.partition(f"{HERE}/")
    return f'{before}"{HERE}"/{shlex.quote(after)}' if here else shlex.quote(word)
