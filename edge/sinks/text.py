"""Text sink: prints a line on stderr when the result changes."""

import re
import sys
import time

from edge.errors import UsageError
from edge.frame import Output
from edge.results import counts_of, describe_counts
from edge.streaming.sink import StreamContext

MIN_INTERVAL_S = 0.5
"""Minimum seconds between two lines of a stream."""

_QUEUE_SIZE = 1000


def open_text(address: str, _: StreamContext) -> "TextSink":
    """Open the sink ``text``."""
    if address:
        raise UsageError(
            "the sink text without an address",
            f"'text:{address}'",
            "use --sink text",
            code="unexpected-address",
        )
    return TextSink()


class TextSink:
    """Prints summaries and counts: of a stream when they change, of images a line for each.

    Args:
        min_interval_s: Minimum seconds between two lines of a stream.
    """

    name, wants_images, queue_size = "text", False, _QUEUE_SIZE

    def __init__(self, min_interval_s: float = MIN_INTERVAL_S) -> None:
        self._min_interval_s = min_interval_s
        self._last: str | None = None
        self._next = 0.0

    def write(self, output: Output) -> None:
        """Print the summary and counts of an output, unless they are the last ones again."""
        counts = describe_counts(counts_of(output.result))
        summary = "; ".join([output.result.summary() or "nothing", *counts])
        if output.name:
            _print(f"{output.name}: {summary}")
            return
        key = re.sub(r" \d+ %(?=[,;] |$)", "", summary)  # scores and shares always waver a little
        now = time.monotonic()
        if key != self._last and now >= self._next:
            self._last, self._next = key, now + self._min_interval_s
            _print(f"{output.time_s:8.1f} s  {summary}")

    def close(self) -> None:
        """Do nothing: no resource is held."""


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
