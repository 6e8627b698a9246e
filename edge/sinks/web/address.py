"""Address of the web page, and its listening socket."""

import errno
import ipaddress
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from edge.errors import OutputError, UsageError, nearest, suggestion

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8080
DEFAULT_RECORDINGS = Path("recordings")

_FORM = "web[:HOST[:PORT]][?recordings=DIR]"
_KEYS = ("recordings",)
_BACKLOG = 64

_SEND_BUFFER = 256 * 1024
"""Bytes that may be in flight to a client: more would be a queue of old images."""

_USER_TIMEOUT_MS = 30_000
"""Milliseconds after which the kernel disconnects a client that takes no data."""


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Address to listen on.

    Attributes:
        host: Name or address (IPv6 without brackets).
        port: 0 takes a free one.
        recordings: Folder for recordings.
    """

    host: str
    port: int
    recordings: Path


def parse_address(text: str) -> ListenAddress:
    """Parse ``[HOST[:PORT]][?recordings=DIR]``; a number alone is a port.

    >>> parse_address("0.0.0.0:80").port, parse_address("[::1]").host, parse_address("8081").port
    (80, '::1', 8081)

    Raises:
        UsageError: It is invalid.
    """
    location, _, query = text.partition("?")
    form = r"(\[[0-9a-fA-F:.]+\]|[^:\[\]/@]*)(?::(\d+))?"
    match = re.fullmatch(form, f":{location}" if location.isdecimal() else location)
    if match is None:
        raise _invalid(text, "use web:127.0.0.1:8080")
    host, port = (match[1] or DEFAULT_HOST).strip("[]"), int(match[2] or DEFAULT_PORT)
    if port > 65535:
        raise _invalid(text, "use a port up to 65535")
    folder = DEFAULT_RECORDINGS
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in _KEYS or not value:
            guess = nearest(key, _KEYS)
            raise _invalid(text, suggestion(f"{guess}=DIR") if guess else "use recordings=DIR")
        folder = Path(value)
    return ListenAddress(host, port, folder)


def listen(address: ListenAddress) -> socket.socket:
    """Open a listening socket.

    Raises:
        OutputError: The port is in use, or the host is no address of this machine.
    """
    host, port = address.host, address.port
    try:
        candidates = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError:
        raise _no_host(host, "an unknown host name") from None
    family, kind, protocol, _, target = min(candidates, key=lambda row: row[0] != socket.AF_INET)
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; accepted connections inherit it
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        listening.bind(target)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise _refused(host, port, error) from None
    return listening


def is_loopback(bound: str) -> bool:
    """Return True if only this machine can reach a bound address."""
    return ipaddress.ip_address(bound.partition("%")[0]).is_loopback


def page_url(bound: str, port: int) -> str:
    """Return ``http://HOST:PORT``; for a wildcard address the one that others reach."""
    return f"http://{_bracketed(_own_address() if _is_wildcard(bound) else bound)}:{port}"


def local_host(bound: str) -> str:
    """Return the host by which this machine reaches a bound address, for a tunnel's end."""
    return DEFAULT_HOST if _is_wildcard(bound) else _bracketed(bound)


def _is_wildcard(bound: str) -> bool:
    return ipaddress.ip_address(bound.partition("%")[0]).is_unspecified


def _bracketed(bound: str) -> str:
    return f"[{bound}]" if ":" in bound else bound


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(
                ("192.0.2.1", 9)
            )  # reserved for documentation (RFC 5737); nothing is sent
            name: str = probe.getsockname()[0]
        except OSError:
            return socket.gethostname()
    return name


def _refused(host: str, port: int, error: OSError) -> OutputError:
    if error.errno == errno.EADDRINUSE:
        return OutputError(
            f"a free port {port} on {host}",
            "a port in use by another program",
            f"stop that program (find it with: ss -ltnp 'sport = :{port}'), "
            f"or use --sink web:{host}:0",
            code="port-in-use",
            summary=f"port {port} on {host} is in use by another program",
        )
    if error.errno == errno.EACCES:
        return OutputError(
            f"a port on {host} from 1024",
            str(port),
            "use a port such as 8080",
            code="port-not-permitted",
            summary=f"port {port} on {host} requires root privileges",
        )
    return _no_host(host, (error.strerror or str(error)).lower())


def _no_host(host: str, reason: str) -> OutputError:
    fix = "use web:127.0.0.1, or web:0.0.0.0 for all networks"
    return OutputError(
        f"an address of this machine, not '{host}'",
        reason,
        fix,
        code="host-not-available",
        summary=f"cannot listen on '{host}' ({reason})",
    )


def _invalid(text: str, fix: str) -> UsageError:
    return UsageError(_FORM, f"'web:{text}'", fix, code="invalid-address")
