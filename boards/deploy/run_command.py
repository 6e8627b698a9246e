"""The command that a board is to run, checked here before anything is sent."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edge import sinks, sources
from edge.cli import cli
from edge.errors import UsageError
from edge.sinks.web import address

HERE = "$here"
"""Stands for the folder of the release in a command's words: "$here/labels.txt"."""

_EXAMPLE = "write --run 'demo classify --source 0 --sink web'"
_CARRIED = ("--labels", "--head", "--rules")
"""Options whose files go along."""

_MAY_BE_CARRIED = ("--background",)
"""Options whose value goes along where it is a file."""

_LOOPBACK = ("127.0.0.1", "localhost")

_DEMO_EXTRAS = {"track": "track", "pose": "pose", "mirror": "pose"}
"""Demo → extra that it needs."""


@dataclass(frozen=True, slots=True)
class RunCommand:
    """``words`` without the model's, files that go along as "$here/NAME"; ``carried``: these files.

    ``extras``: of edge-toolkit that it needs; ``system_packages``: it needs the system's Python
    packages; ``delegate``: as of ``--delegate``; ``pages``: ports of pages that only the board
    itself can open.
    """

    words: tuple[str, ...]
    carried: tuple[Path, ...]
    extras: tuple[str, ...]
    system_packages: bool
    delegate: str
    pages: tuple[int, ...]


def parse(text: str, more: tuple[str, ...] = ()) -> RunCommand:
    """The command of ``--run``, and ``more`` extras.

    Raises:
        UsageError: it is no command of a demo, has a wrong option, or names a model: that is the
            one that is deployed.
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
            "leave out --model: OUT is the model",
            code="run-command-names-model",
        )
    asked = _options(words)
    source = sources.SOURCES[sources.resolve(asked["source"])[0]]
    if source.needs_sink is not None:
        raise UsageError(
            "a source on the board",
            f"--source {asked['source']}",
            "use a camera of the board: the deploy waits for its first frame",
            code="source-not-on-board",
        )
    resolved = [sinks.resolve(sink) for sink in asked["sinks"]]
    sink_extras = (sinks.SINKS[scheme].extra for scheme, _ in resolved)
    needed = (_DEMO_EXTRAS.get(words[1]), source.extra, *sink_extras)
    extras = {extra for extra in needed if extra is not None}
    pages = [address.parse(place) for scheme, place in resolved if scheme == "web"]
    kept, carried = _carried(words)
    return RunCommand(
        words=kept,
        carried=carried,
        extras=tuple(sorted(extras | set(more))),
        system_packages=source.system_packages,
        delegate=asked["delegate"],
        pages=tuple(page.port for page in pages if page.host in _LOOPBACK and page.port),
    )


def script(words: tuple[str, ...]) -> str:
    """The script ``run`` of a release: the command with its own environment and files."""
    command = " ".join(_quoted(word) for word in words)
    return (
        f'#!/bin/sh\nhere=$(cd "$(dirname "$0")" && pwd -P)\nexec "$here/env/bin/edge" {command}\n'
    )


def _options(words: list[str]) -> dict[str, Any]:
    """The options of a demo, as click reads them; nothing is run.

    Raises:
        UsageError: there is no such demo or option.
    """
    with click.Context(cli, info_name="edge") as context:
        group = cli.get_command(context, words[0])
        assert isinstance(group, click.Group)
        with click.Context(group, parent=context, info_name=words[0]) as inner:
            name, command, rest = group.resolve_command(inner, words[1:])
            assert command is not None
            try:
                made = command.make_context(name, [*rest, "--model", "model.tflite"], inner)
            except click.exceptions.Exit:
                raise UsageError(
                    "a command that runs a demo", "--help", _EXAMPLE, code="invalid-run-command"
                ) from None
    return {"delegate": "auto", "sinks": (), **made.params}


def _carried(words: list[str]) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """The words with the files that go along renamed, and these files."""
    files: list[Path] = []
    options = _CARRIED + _MAY_BE_CARRIED

    def place(option: str, text: str) -> str:
        if option in _MAY_BE_CARRIED and not Path(text).is_file():
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
                yield place(before, word)
            elif equals and option in options:
                yield f"{option}={place(option, value)}"
            else:
                yield word
            before = word

    kept = tuple(renamed())
    return kept, tuple(files)


def _quoted(word: str) -> str:
    before, here, after = word.partition(f"{HERE}/")
    return f'{before}"{HERE}"/{shlex.quote(after)}' if here else shlex.quote(word)
