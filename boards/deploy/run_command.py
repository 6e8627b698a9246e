"""The command that a board runs, checked here before anything is uploaded."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edge import sinks, sources
from edge.cli import cli
from edge.errors import UsageError
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
        files: the files to upload.
        extras: extras of edge-toolkit that it needs.
        system_packages: True if it needs the system's Python packages.
        delegate: value of ``--delegate``.
        page_ports: ports of web pages that only the board itself can open.
    """

    words: tuple[str, ...]
    files: tuple[Path, ...]
    extras: tuple[str, ...]
    system_packages: bool
    delegate: str
    page_ports: tuple[int, ...]


def parse(text: str, more: tuple[str, ...] = ()) -> RunCommand:
    """Check the command of ``--run``; ``more``: extras to install in addition.

    Raises:
        UsageError: it does not run a demo, has a wrong option, or names a model.
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
    options = _options(words)
    source = sources.SOURCES[sources.resolve(options["source"])[0]]
    if source.needs_sink is not None:
        raise UsageError(
            "a source on the board",
            f"--source {options['source']}",
            "use a camera of the board: the deploy waits for its first frame",
            code="source-not-on-board",
        )
    resolved = [sinks.resolve(sink) for sink in options["sinks"]]
    sink_extras = (sinks.SINKS[scheme].extra for scheme, _ in resolved)
    needed = (TASKS[words[1]].extra, source.extra, *sink_extras)
    extras = {extra for extra in needed if extra is not None}
    pages = [parse_address(target) for scheme, target in resolved if scheme == "web"]
    kept, files = _with_release_paths(words)
    return RunCommand(
        words=kept,
        files=files,
        extras=tuple(sorted(extras | set(more))),
        system_packages=source.system_packages,
        delegate=options["delegate"],
        page_ports=tuple(page.port for page in pages if page.host in _LOOPBACK and page.port),
    )


def script(words: tuple[str, ...]) -> str:
    """Return the script ``run`` of a release: the command in its environment, with its files."""
    command = " ".join(_quote(word) for word in words)
    return (
        f'#!/bin/sh\nhere=$(cd "$(dirname "$0")" && pwd -P)\nexec "$here/env/bin/edge" {command}\n'
    )


def _options(words: list[str]) -> dict[str, Any]:
    """Return the options of a demo as click parses them, without running it.

    Raises:
        UsageError: the demo or an option is unknown.
    """
    with click.Context(cli, info_name="edge") as context:
        group = cli.get_command(context, words[0])
        assert isinstance(group, click.Group)
        with click.Context(group, parent=context, info_name=words[0]) as inner:
            name, command, rest = group.resolve_command(inner, words[1:])
            assert command is not None
            try:
                parsed = command.make_context(name, [*rest, "--model", "model.tflite"], inner)
            except click.exceptions.Exit:
                raise UsageError(
                    "a command that runs a demo", "--help", _EXAMPLE, code="invalid-run-command"
                ) from None
    return {"delegate": "auto", "sinks": (), **parsed.params}


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
