"""File download with retries, resumption and validation of ranges."""

import http.client
import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from edge.errors import DownloadError
from edge.files import output_errors
from edge.quantities import counted
from edge.terminal import Tell
from edge.version import __version__

TIMEOUT_S = 30.0
"""Seconds without a byte after which a connection counts as broken."""

ATTEMPTS = 4
"""Attempts in a row that bring nothing, after which it is given up."""

RETRY_DELAY_S = 1.0
"""Seconds before the second such attempt; before the third it is twice that, and so on."""

CHUNK = 1 << 16

MIRROR = "EDGE_MODELS_MIRROR"
"""Environment variable: a folder or URL to take models from instead of the internet, with the
content of :func:`edge.registry.store.models` of another machine."""

WAYS_OUT = (
    f"connect to the internet and try again, set {MIRROR} to a folder or URL with a copy of "
    "another machine's models, or pass your own file instead of the name (--model FILE)"
)


class _BrokenError(Exception):
    """A transfer was interrupted, or the server failed temporarily: worth another attempt."""


def download(url: str, part: Path, progress: Tell, *, resume: bool) -> bool:
    """Download ``url`` (http, https, file) into ``part``; return whether it was resumed.

    With ``resume``, the download continues what an earlier call left in ``part``. Without it, only
    a connection that breaks during this call is resumed, as long as the server confirms that the
    file is the same (If-Range, RFC 9110 section 13.1.5).

    Raises:
        DownloadError: the download failed. What was received stays in ``part``.
        OutputError: ``part`` cannot be written.
    """
    if not resume:
        part.unlink(missing_ok=True)
    before = best = _size(part)
    transfer = _Transfer(url, part, progress, resume)
    idle = 0
    while True:
        try:
            transfer.attempt()
            return before > 0
        except _BrokenError as error:
            idle = 0 if _size(part) > best else idle + 1
            best = max(best, _size(part))
            if idle >= ATTEMPTS:
                raise failed(url, str(error)) from None
        time.sleep(RETRY_DELAY_S * idle)


def failed(url: str, reason: str) -> DownloadError:
    """Return the error for a file that cannot be downloaded from ``url``."""
    return DownloadError(
        f"a model to download from {url}",
        reason,
        WAYS_OUT,
        code="download-failed",
        summary=f"cannot download {url} ({reason})",
    )


class _Transfer:
    """A download; ``_tag`` is the ETag of the file once the server has sent it."""

    def __init__(self, url: str, part: Path, progress: Tell, resume: bool) -> None:
        self._url = url
        self._part = part
        self._progress = progress
        self._resume = resume
        self._tag = ""

    def attempt(self) -> None:
        """Receive the rest of the file.

        Raises:
            DownloadError, OutputError: see :func:`download`.
            _BrokenError: another attempt may bring more.
        """
        if not self._resume and not self._tag:
            self._part.unlink(missing_ok=True)
        size = _size(self._part)
        try:
            request = urllib.request.Request(self._url, headers=self._headers(size))
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
                self._receive(response, size)
        except urllib.error.HTTPError as error:
            self._refused(error, size)
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise _BrokenError(f"no response within {TIMEOUT_S:g} s") from None
            local = self._url.startswith("file:")
            reason = _reason(error.reason)
            raise failed(self._url, reason if local else f"no connection: {reason}") from None
        except (ValueError, http.client.InvalidURL) as error:
            raise failed(self._url, f"invalid URL: {_reason(error)}") from None
        except TimeoutError:
            raise _BrokenError(f"no data for {TIMEOUT_S:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            raise _BrokenError(f"connection lost: {_reason(error)}") from None

    def _headers(self, size: int) -> dict[str, str]:
        headers = {"User-Agent": f"edge-toolkit/{__version__}", "Accept-Encoding": "identity"}
        if size:
            headers["Range"] = f"bytes={size}-"
            if self._tag:
                headers["If-Range"] = self._tag
        return headers

    def _receive(self, response: Any, size: int) -> None:
        length = response.headers.get("Content-Length")
        start, total = 0, int(length) if length else None
        if response.status == http.client.PARTIAL_CONTENT:
            start, total = _range(response.headers.get("Content-Range"))
            if start != size:
                self._part.unlink()
                raise _BrokenError(f"unexpected range, starting at byte {start:,}")
        tag = response.headers.get("ETag") or ""
        self._tag = "" if tag.startswith("W/") else tag  # a weak one does not mean the same bytes
        size = self._write(response, start, total)
        if total is not None and size < total:
            raise _BrokenError(f"got only {size:,} of {counted(total, 'byte')}")

    def _write(self, response: Any, start: int, total: int | None) -> int:
        """Append the response to the first ``start`` bytes; return the file's size."""
        with output_errors(self._part):
            file = self._part.open("ab" if start else "wb")
        with file:
            self._progress(start, total)
            while data := response.read(CHUNK):
                with output_errors(self._part):
                    file.write(data)
                    file.flush()
                self._progress(file.tell(), total)
            return file.tell()

    def _refused(self, error: urllib.error.HTTPError, size: int) -> None:
        with error:
            content_range = error.headers.get("Content-Range")
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and size:
            if _range(content_range)[1] == size:
                return  # it was complete already
            self._part.unlink()
            raise _BrokenError("the remote file is shorter than the local partial download")
        reason = f"HTTP {error.code} {error.reason}".rstrip()
        if error.code >= 500 or error.code in (408, 429):
            raise _BrokenError(reason)
        raise failed(self._url, reason)


def _range(header: str | None) -> tuple[int, int | None]:
    """Return the first byte and the total length of a Content-Range header."""
    match = re.match(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", header or "")
    if match is None:
        return 0, None
    return int(match[1] or 0), None if match[2] == "*" else int(match[2])


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _reason(error: object) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else error
    return " ".join(str(text).split()) or type(error).__name__
