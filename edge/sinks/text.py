"""A line of words on the terminal where the answer changes: a screen for those who have none."""

import re
import sys
import time

from edge.errors import UsageError
from edge.frame import Output
from edge.streaming.sink import StreamContext

_BACKLOG = 1000

_PAUSE = 0.5
"""Least seconds between lines."""


def open_text(address: str, _: StreamContext) -> "TextSink":
    """What is seen, on stderr: of a stream where it changed, of images a line for each."""
    if address:
        raise UsageError(
            "the sink text without an address",
            f"'text:{address}'",
            "use --sink text",
            code="unexpected-address",
        )
    return TextSink()


class TextSink:
    name, wants_images, queue_size = "text", False, _BACKLOG

    def __init__(self) -> None:
        self._said: str | None = None
        self._next = 0.0

    def write(self, output: Output) -> None:
        words = output.result.summary() or "nothing"
        if output.name:
            _print(f"{output.name}: {words}")
            return
        key = re.sub(r" \d+ %(?=, |$)", "", words)  # scores and shares that waver are no news
        now = time.monotonic()
        if key != self._said and now >= self._next:
            self._said, self._next = key, now + _PAUSE
            _print(f"{output.time_s:8.1f} s  {words}")

    def close(self) -> None:
        """Nothing is kept open."""


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
