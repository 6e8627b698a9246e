"""Graceful shutdown on Ctrl-C and SIGTERM."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def graceful_shutdown(stop: threading.Event) -> Iterator[None]:
    """Set ``stop`` on Ctrl-C and SIGTERM while the block runs; a second Ctrl-C interrupts at once.

    Outside the main thread, which alone gets signals, nothing is changed.
    """

    def first(number: int, _: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, first) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
