"""One line of JSON per processed frame; its shape is in ``edge/results.schema.json``."""

import json
import sys
from pathlib import Path
from typing import Any, TextIO

from edge.errors import OutputError, UsageError
from edge.frame import Output
from edge.sinks import Setting

SCHEMA = 1

_BACKLOG = 10_000
"""A line is small: so many may wait for a disk that is busy."""


def record(output: Output) -> dict[str, Any]:
    """What is said about a frame, as plain values; a sink of its own may use it, too."""
    named = {"file": output.name} if output.name else {}
    return {
        "schema": SCHEMA,
        "frame": output.index,
        "time_s": round(output.time_s, 4),
        **named,
        "task": output.task,
        **output.result.to_dict(),
    }


def records(address: str, _: Setting) -> "Records":
    """A line per frame into a file, replaced if it is there; "-" is stdout.

    Each line is written at once, so that others can follow the file.

    Raises:
        OutputError: the file cannot be written.
    """
    if not address:
        raise UsageError("jsonl:FILE or jsonl:-", "'jsonl:'", "write jsonl:results.jsonl")
    if address == "-":
        return Records("jsonl:-", sys.stdout, own=False)
    try:
        file = Path(address).open("w", encoding="utf-8")  # noqa: SIM115 (closed by the sink)
    except OSError as error:
        raise _unwritable(address, error) from None
    return Records(f"jsonl:{address}", file, own=True)


class Records:
    pictures, backlog = False, _BACKLOG

    def __init__(self, name: str, file: TextIO, *, own: bool) -> None:
        self.name, self._file, self._own = name, file, own

    def write(self, output: Output) -> None:
        try:
            self._file.write(json.dumps(record(output), separators=(", ", ": ")) + "\n")
            self._file.flush()
        except BrokenPipeError:  # whoever reads has seen enough
            raise
        except OSError as error:
            raise _unwritable(self.name, error) from None

    def close(self) -> None:
        if self._own:
            self._file.close()


def _unwritable(name: str, error: OSError) -> OutputError:
    reason = (error.strerror or str(error)).lower()
    return OutputError(f"a place to write {name}", reason, "choose another file")
