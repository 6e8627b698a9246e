"""Snapshots: an HTTP address of a camera that answers with a single image is polled."""

import http.client
import ssl
import time
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import (
    HTTPBasicAuthHandler,
    HTTPDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    HTTPSHandler,
    build_opener,
)

import numpy as np

from edge.errors import CorruptFrameError, ImageError, SourceError
from edge.frame import Frame
from edge.image import decode_image
from edge.image_format import format_of
from edge.redaction import redact

_DEFAULT_FPS = 5.0
"""Snapshots per second without the option ``fps``: cameras take each one anew."""

_MAX_BYTES = 64 << 20
_START = 1024
"""Bytes by which an image is recognized."""

_STREAMS = ("multipart/", "video/", "audio/", "text/")
"""Content types that are no single image."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What an HTTP server answered.

    Attributes:
        image: Bytes of the image, if the answer is a single one.
        reason: Why it is none, as a noun phrase.
        connected: False where no server answered.
    """

    DENIED: ClassVar = "HTTP 401"

    image: bytes | None
    reason: str = ""
    connected: bool = True


def get(address: str, timeout_s: float) -> HttpAnswer:
    """Get a single image from an HTTP address; a stream is not read."""
    try:
        with _opener(address).open(_without_user(address), timeout=timeout_s) as response:
            if response.headers.get_content_type().startswith(_STREAMS):
                return HttpAnswer(None, "no video")
            start = response.read(_START)
            kind = format_of(start)
            if kind is None or not kind.readable:
                return HttpAnswer(None, "no video")
            return HttpAnswer(start + response.read(_MAX_BYTES))
    except HTTPError as error:
        return HttpAnswer(None, f"HTTP {error.code} {error.reason}")
    except OSError as error:
        cause = error.reason if isinstance(error, URLError) else error
        text = cause.strerror if isinstance(cause, OSError) else None
        return HttpAnswer(None, (text or str(cause) or "no answer").lower(), connected=False)
    except (http.client.HTTPException, ValueError):  # ValueError: an unknown way to log in
        return HttpAnswer(None, "a server that does not speak HTTP")


class Snapshots:
    """A camera that is asked for one image after the other.

    Args:
        address: URL; its user name and password log in, by the methods Basic and Digest.
        fps: Snapshots per second, 5 if None.
        timeout_s: Seconds that an answer may take.
    """

    live = True

    def __init__(self, address: str, fps: float | None, timeout_s: float) -> None:
        self.name, self.fps = redact(address), fps or _DEFAULT_FPS
        self._address, self._timeout_s = address, timeout_s
        self._count, self._next = 0, time.perf_counter()
        self._start = self._next

    def read(self) -> Frame | None:
        """Get the next snapshot, in its time; see :class:`edge.sources.source.Source`."""
        time.sleep(max(0.0, self._next - time.perf_counter()))
        now = time.perf_counter()
        self._next = max(self._next + 1 / self.fps, now)
        answer = get(self._address, self._timeout_s)
        if answer.image is None:
            raise SourceError(
                f"a snapshot from {self.name}",
                answer.reason,
                "check the camera and its network",
                code="source-lost",
            )
        try:
            image = decode_image(answer.image, f"a snapshot from {self.name}")
        except ImageError as error:
            raise CorruptFrameError(
                error.expected, error.found, error.fix, code=error.code, summary=error.summary
            ) from None
        self._count += 1
        bgr = np.ascontiguousarray(image[..., ::-1])
        return Frame(self._count - 1, now - self._start, bgr)

    def close(self) -> None:
        """Do nothing: no connection is open."""


def _without_user(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()


def _opener(address: str) -> Any:
    parts, passwords = urlsplit(address), HTTPPasswordMgrWithDefaultRealm()
    if parts.username is not None:
        user, password = unquote(parts.username), unquote(parts.password or "")
        passwords.add_password(None, _without_user(address), user, password)
    context = ssl.create_default_context()  # cameras sign their own certificates, and FFmpeg, too,
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # takes any
    return build_opener(
        HTTPBasicAuthHandler(passwords),
        HTTPDigestAuthHandler(passwords),
        HTTPSHandler(context=context),
    )
