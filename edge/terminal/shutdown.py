"""Ctrl-C and SIGTERM as a wish to come to an end, not as the end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def graceful_shutdown(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set ``stop`` while the block runs; a second Ctrl-C interrupts at once.

    In another than the main thread, which gets no signals, nothing is changed.
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
