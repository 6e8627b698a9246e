"""Network cameras and videos on servers: RTSP and HTTP through FFmpeg, snapshots by polling."""

import socket
from urllib.parse import SplitResult, urlsplit

import cv2

from edge.errors import SourceError
from edge.redaction import ENCODING_ADVICE, is_split_by_password, redact
from edge.sources.opencv import CaptureSource, open_capture
from edge.sources.snapshots import HttpAnswer, Snapshots, get
from edge.sources.source import Source, SourceOptions
from edge.sources.transforms import limit_rate, transform

NETWORK_TIMEOUT_MS = 5000
"""Milliseconds of silence after which a network camera is lost."""

_RTSP_PORTS = {"rtsp": 554, "rtsps": 322}


def open_network(
    address: str, options: SourceOptions, timeout_ms: int = NETWORK_TIMEOUT_MS
) -> Source:
    """Open a network camera, or a video on a server.

    An HTTP address that answers with a single image is polled.

    Raises:
        SourceError: No server answers, or it has no video.
    """
    name, parts = redact(address), _split(address)
    reason = ""
    if parts.scheme not in _RTSP_PORTS:
        answer = get(address, timeout_ms / 1000)
        if answer.image is not None:
            return transform(Snapshots(address, options.fps, timeout_ms / 1000), options)
        if not answer.connected:
            raise _unavailable(address, answer.reason)
        reason = answer.reason
    limits = {
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: timeout_ms,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC: timeout_ms,
    }
    capture = open_capture(address, cv2.CAP_FFMPEG, limits)
    if not capture.isOpened():
        raise _unavailable(address, reason or _rtsp_reason(parts))
    live = capture.get(cv2.CAP_PROP_FRAME_COUNT) <= 0
    source: Source = CaptureSource(name, capture, live=live, options=options)
    if live and options.fps is not None:
        source = limit_rate(source, options.fps)
    return transform(source, options)


def _split(address: str) -> SplitResult:
    """Split an address.

    Raises:
        SourceError: It has no host, or what should be its port is no number, as where a password
            has a slash.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if not parts.hostname:
        raise SourceError(
            "an address such as rtsp://HOST:PORT/PATH",
            redact(address),
            ENCODING_ADVICE if "@" in address else "check the host and the port",
            code="invalid-address",
        )
    return parts


def _unavailable(address: str, reason: str) -> SourceError:
    fix = "check the address and the camera"
    if is_split_by_password(address):
        fix = ENCODING_ADVICE
    elif "@" in address and ("password" in reason or HttpAnswer.DENIED in reason):
        fix = f"check the user name and password; {ENCODING_ADVICE}"
    return SourceError(f"a video at {redact(address)}", reason, fix, code="stream-unavailable")


def _rtsp_reason(parts: SplitResult) -> str:
    """Find out in a few seconds why an RTSP address did not open."""
    port = parts.port or _RTSP_PORTS[parts.scheme]
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=3):
            return "a server without this stream, or one that requires a password"
    except OSError as error:
        return (error.strerror or str(error) or "no answer").lower()
    except UnicodeError:  # of the codec for host names
        return "an invalid host name"
