"""A line of words on the terminal where the answer changes: a screen for those who have none."""

import sys
import time

from edge.frame import Output
from edge.sinks import Setting

_PAUSE = 0.5
"""Least seconds between lines."""


def text(_: str, __: Setting) -> "Text":
    """What is seen, on stderr, at most twice a second and only where it changed."""
    return Text()


class Text:
    name, pictures, backlog = "text", False, 0

    def __init__(self) -> None:
        self._said: str | None = None
        self._next = 0.0

    def write(self, output: Output) -> None:
        now = time.monotonic()
        words = output.result.summary() or "nothing"
        key = words.rstrip("0123456789 %")  # a score that wavers is no news
        if key == self._said or now < self._next:
            return
        self._said, self._next = key, now + _PAUSE
        print(f"{output.time_s:8.1f} s  {output.name + '  ' if output.name else ''}{words}",
              file=sys.stderr, flush=True)  # fmt: skip

    def close(self) -> None:
        """Nothing is kept open."""
