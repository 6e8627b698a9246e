"""Keyboard: read single keys from the terminal, without waiting for Enter."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def raw_keyboard() -> Iterator[None]:
    """Take keys one by one while the block runs; Ctrl-C still interrupts."""
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def read_key() -> str | None:
    """Return the next key pressed since the last call, or None."""
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    # Not through sys.stdin, whose buffer would hold further keys back from select.
    return os.read(sys.stdin.fileno(), 1).decode("latin-1") if ready else None
