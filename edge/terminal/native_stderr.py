"""Hide what native code writes to stderr, unless it explains a failure.

TensorFlow, its interpreters and OpenCV write log lines there, past Python and past any setting.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TextIO

from edge.errors import EdgeError


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
