"""What a user can do next: exact commands, to be pasted into a shell."""

import os
import shlex
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

WIDTH = 80
"""Columns that descriptions are wrapped to."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """A proposal: what it is for, and a command line of POSIX shells, "" for mere advice."""

    why: str
    command: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the step as plain JSON values."""
        return {"why": self.why, "command": self.command}


def command_line(*words: object) -> str:
    r"""Join words to a command line, quoted for a shell.

    A :class:`~pathlib.Path` is never taken for an option. Names with control characters, or that
    are not UTF-8, are written as Bash, Zsh and ksh read them.

    >>> command_line("edge", "classify", Path("my model"), Path("-1.jpg"))
    "edge classify 'my model' ./-1.jpg"
    >>> command_line("a\nb")
    "$'a\\x0ab'"
    """
    return " ".join(map(_quote, words))


def lines(steps: Iterable[NextStep]) -> Iterator[str]:
    """Format the steps for a terminal; nothing if there are none.

    Commands are for copying, and never broken over lines.
    """
    for number, step in enumerate(steps):
        if number == 0:
            yield "Next:"
        yield from textwrap.wrap(
            step.why, WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False
        )
        if step.command:
            yield f"    {step.command}"


def _quote(word: object) -> str:
    text = str(word)
    if isinstance(word, Path) and text.startswith("-"):
        text = f"./{text}"
    if text.isprintable():
        return shlex.quote(text)
    escaped = (
        chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}"
        for byte in os.fsencode(text)
    )
    return f"$'{''.join(escaped)}'"
