"""One line of JSON per processed frame; its shape is in ``edge/results.schema.json``."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from edge.errors import UsageError, unwritable
from edge.files import check_writable, output_errors
from edge.frame import Output
from edge.streaming.sink import StreamContext

SCHEMA = 1

_BACKLOG = 10_000
"""A line is small: so many may wait for a disk that is busy."""


def record(output: Output) -> dict[str, Any]:
    """What is said about a frame, as plain values."""
    named = {"file": output.name} if output.name else {}
    return {
        "schema": SCHEMA,
        "frame": output.index,
        "time_s": round(output.time_s, 4),
        **named,
        "task": output.task,
        **output.result.to_dict(),
    }


def open_jsonl(address: str, context: StreamContext) -> "JsonlSink":
    """A line per frame into a file, replaced if it is there; "-" is stdout.

    Each line is written at once, so that others can follow the file. A reader that goes away, as
    ``head`` does, ends the stream.

    Raises:
        OutputError: the file cannot be written.
    """
    if not address:
        raise UsageError(
            "jsonl:FILE or jsonl:-", "'jsonl:'", "use jsonl:results.jsonl", code="missing-address"
        )
    if address == "-":
        return JsonlSink(Path("-"), sys.stdout, context.stop, own=False)
    path = Path(address)
    check_writable(path)
    with output_errors(path):
        file = path.open("w", encoding="utf-8")
    return JsonlSink(path, file, context.stop, own=True)


class JsonlSink:
    wants_images, queue_size = False, _BACKLOG

    def __init__(self, path: Path, file: TextIO, stop: Callable[[], None], *, own: bool) -> None:
        self.name, self._path = f"jsonl:{path}", path
        self._file, self._stop, self._own = file, stop, own

    def write(self, output: Output) -> None:
        try:
            self._file.write(json.dumps(record(output)) + "\n")
            self._file.flush()
        except BrokenPipeError:  # whoever reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._file.fileno())
            self._stop()
        except OSError as error:
            raise unwritable(self._path, error) from None

    def close(self) -> None:
        if self._own:
            self._file.close()
