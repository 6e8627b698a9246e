"""Terminal input and output: text, keys, progress bars, stderr of native code, Ctrl-C."""

import ctypes
import os
import select
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import IO, TYPE_CHECKING, Any, TextIO

from edge.errors import EdgeError
from edge.quantities import size

if TYPE_CHECKING:
    from rich.progress import ProgressColumn


def printable(text: str) -> str:
    r"""Replace each character that would control the terminal with a space.

    >>> printable("a\x1b[2Jb")
    'a [2Jb'
    """
    return "".join(letter if letter.isprintable() else " " for letter in text)


def two_columns(rows: Sequence[tuple[str, str]], indent: str = "") -> str:
    """Return a line for each pair, with the second column aligned.

    >>> print(two_columns([("a", "first"), ("long", "second")]))
    a     first
    long  second
    """
    width = max((len(left) for left, _ in rows), default=0)
    return "\n".join(f"{indent}{left:<{width}}  {right}" for left, right in rows)


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


class _Hidden:
    """File descriptor 2 redirected to a file; Python's ``sys.stderr`` still reaches the user."""

    def __init__(self) -> None:
        if sys.stderr is not None:
            sys.stderr.flush()
        self._terminal = os.dup(2)
        self._text: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed in close)
        self._python: tuple[TextIO, TextIO] | None = None
        if _is_descriptor_2(sys.stderr):
            # Never closed by us: logging handlers created meanwhile keep a reference to it.
            direct = os.fdopen(os.dup(self._terminal), "w", buffering=1, errors="backslashreplace")
            self._python = (sys.stderr, direct)
            sys.stderr = direct
        os.dup2(self._text.fileno(), 2)

    def close(self, show: bool) -> None:
        """Restore the descriptor; ``show``: print what was hidden."""
        os.dup2(self._terminal, 2)
        if self._python is not None and sys.stderr is self._python[1]:
            sys.stderr = self._python[0]
        if show:
            self._text.seek(0)
            os.write(2, self._text.read())
        self._text.close()
        os.close(self._terminal)


def _is_descriptor_2(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.fileno() == 2
    except (OSError, ValueError, AttributeError):  # no real file behind it
        return False


_lock = threading.Lock()
_depth = 0
_failed = False
_hidden: _Hidden | None = None


@contextmanager
def suppress_native_stderr() -> Iterator[None]:
    """Hide what native code writes to stderr, unless the block fails unexpectedly.

    For imports, conversions and interpreters, which cannot be silenced otherwise. Blocks nest and
    may overlap between threads; text is hidden while any is open, and shown at the end of the last
    one if one of them raised something that does not explain itself, as an
    :class:`~edge.errors.EdgeError` does. With ``--debug`` nothing is hidden.
    """
    global _depth, _failed, _hidden  # noqa: PLW0603 (descriptor 2 is global, too)
    if os.environ.get("EDGE_DEBUG") or sys.stderr is None:  # None: descriptor 2 is closed
        yield
        return
    with _lock:
        if _depth == 0:
            _hidden, _failed = _Hidden(), False
        _depth += 1
    try:
        yield
    except EdgeError:
        raise
    except BaseException:
        _failed = True
        raise
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0 and _hidden is not None:
                _hidden.close(show=_failed)
                _hidden = None


class _CStderr:
    """The variable ``stderr`` of the C library, and a stream that discards."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version()  # musl's variable is read-only
        library.fopen.restype = ctypes.c_void_p
        self._variable = ctypes.c_void_p.in_dll(library, "stderr")
        self._before = self._variable.value
        self._discarded = library.fopen(os.devnull.encode(), b"w")

    def discard(self, discard: bool) -> None:
        if self._discarded:
            self._variable.value = self._discarded if discard else self._before


@cache
def _c_stderr() -> _CStderr | None:
    try:
        return _CStderr()
    except (OSError, TypeError, AttributeError, ValueError):  # not glibc
        return None


_discarding = 0


@contextmanager
def discard_c_stderr() -> Iterator[None]:
    """Discard what C code prints with ``fprintf(stderr, …)`` while the block runs.

    libjpeg and libpng comment on every second camera's images so. Other than
    :func:`suppress_native_stderr` this leaves descriptor 2 alone and takes a microsecond, so that
    it suits single images in any thread, beside a program's own log. It does nothing with
    ``--debug``, and where the C library is not glibc.
    """
    global _discarding  # noqa: PLW0603 (the variable is global, too)
    stderr = None if os.environ.get("EDGE_DEBUG") else _c_stderr()
    if stderr is None:
        yield
        return
    with _lock:
        _discarding += 1
        stderr.discard(True)
    try:
        yield
    finally:
        with _lock:
            _discarding -= 1
            stderr.discard(_discarding > 0)


Tell = Callable[[int, int | None], None]
"""Receives how much is done, and the total if that is known."""


LINE_INTERVAL_S = 15.0
"""Seconds between the lines on progress where stderr is not a terminal."""


def count_progress(what: str) -> AbstractContextManager[Tell]:
    """Show a bar of counted things on stderr; without a terminal a line now and then."""
    return _bar(what, _counted, lambda done, total: f"{done}{f' of {total}' if total else ''}")


def download_progress(name: str) -> AbstractContextManager[Tell]:
    """Show a bar of received bytes on stderr; without a terminal a line now and then."""
    return _bar(name, _received, _sizes)


def _sizes(done: int, total: int | None) -> str:
    return f"{size(done)}{f' of {size(total)}' if total else ''}"


@contextmanager
def _bar(
    what: str,
    columns: Callable[[], "tuple[ProgressColumn, ...]"],
    words: Callable[[int, int | None], str],
) -> Iterator[Tell]:
    if not sys.stderr.isatty():
        yield _line_teller(what, words)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    shown = (TextColumn("{task.description}"), BarColumn(), *columns())
    with Progress(*shown, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _line_teller(what: str, words: Callable[[int, int | None], str]) -> Tell:
    last = time.monotonic()

    def tell(done: int, total: int | None) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_INTERVAL_S:
            last = time.monotonic()
            print(f"{what}: {words(done, total)}", file=sys.stderr, flush=True)

    return tell


def _counted() -> "tuple[ProgressColumn, ...]":
    from rich.progress import MofNCompleteColumn, TimeRemainingColumn

    return MofNCompleteColumn(), TimeRemainingColumn()


def _received() -> "tuple[ProgressColumn, ...]":
    from rich.progress import DownloadColumn, TimeRemainingColumn, TransferSpeedColumn

    return DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()


@contextmanager
def graceful_shutdown(*stops: threading.Event) -> Iterator[None]:
    """Set ``stops`` on Ctrl-C and SIGTERM while the block runs; a second Ctrl-C interrupts at once.

    Outside the main thread, which alone gets signals, nothing is changed.
    """

    def first(number: int, _: Any) -> None:
        for stop in stops:
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
