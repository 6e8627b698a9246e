"""JSON lines sink: writes a line per frame, described in ``edge/results.schema.json``."""

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

_QUEUE_SIZE = 10_000
"""Lines are small: many may wait for a busy disk."""


def to_record(output: Output) -> dict[str, Any]:
    """Convert an output to plain values for JSON."""
    file = {"file": output.name} if output.name else {}
    return {
        "schema": SCHEMA,
        "frame": output.index,
        "time_s": round(output.time_s, 4),
        **file,
        "task": output.task,
        **output.result.to_dict(),
    }


def open_jsonl(address: str, context: StreamContext) -> "JsonlSink":
    """Open a file for a line per frame, replaced if it exists; "-" is stdout.

    Lines are not buffered, so that others can follow the file. A reader that closes the pipe, as
    ``head`` does, ends the stream.

    Raises:
        OutputError: The file cannot be written.
    """
    if not address:
        raise UsageError(
            "jsonl:FILE or jsonl:-", "'jsonl:'", "use jsonl:results.jsonl", code="missing-address"
        )
    if address == "-":
        return JsonlSink(Path("-"), sys.stdout, context.stop, owned=False)
    path = Path(address)
    check_writable(path)
    with output_errors(path):
        file = path.open("w", encoding="utf-8")
    return JsonlSink(path, file, context.stop, owned=True)


class JsonlSink:
    """Writes lines of JSON; ``owned``: the file is closed at the end."""

    wants_images, queue_size = False, _QUEUE_SIZE

    def __init__(self, path: Path, file: TextIO, stop: Callable[[], None], *, owned: bool) -> None:
        self.name, self._path = f"jsonl:{path}", path
        self._file, self._stop, self._owned = file, stop, owned

    def write(self, output: Output) -> None:
        """Write the line of an output.

        Raises:
            OutputError: It cannot be written.
        """
        try:
            self._file.write(json.dumps(to_record(output)) + "\n")
            self._file.flush()
        except BrokenPipeError:  # the reader has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._file.fileno())
            self._stop()
        except OSError as error:
            raise unwritable(self._path, error) from None

    def close(self) -> None:
        """Close the file."""
        if self._owned:
            self._file.close()
