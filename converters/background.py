"""Work that goes on while files are written and run: one after the other, in a thread."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

_worker = ThreadPoolExecutor(1, "background")


def begin(work: Callable[[], Result]) -> Callable[[], Result]:
    """Begin some work, and return what waits for its result.

    >>> begin(lambda: 6 * 7)()
    42
    """
    return _worker.submit(work).result


def finish() -> None:
    """Wait until nothing goes on any more, such as before something is timed."""
    _worker.submit(lambda: None).result()
