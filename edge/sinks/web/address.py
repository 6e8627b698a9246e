"""Where the page is served: the address of the sink, and the socket behind it."""

import errno
import ipaddress
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from edge.errors import OutputError, UsageError, nearest

HOST, PORT = "127.0.0.1", 8080
RECORDINGS = Path("recordings")

_FORM = "web[:HOST[:PORT]][?recordings=DIR]"
_KEYS = ("recordings",)
_BACKLOG = 64

_UNDERWAY = 256 * 1024
"""Bytes that may be on their way to a visitor: more would be old images in a queue."""

_STUCK_MS = 30_000
"""A visitor that takes nothing of what is sent for so long is cut off by the kernel."""


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """``host`` is a name or an address (IPv6 without brackets); ``port`` 0 stands for a free one.

    ``recordings``: the folder for them.
    """

    host: str
    port: int
    recordings: Path


def parse(text: str) -> ListenAddress:
    """The address of ``[HOST[:PORT]][?recordings=DIR]``; a number alone is a port.

    >>> parse("0.0.0.0:80").port, parse("[::1]").host, parse("8081").port
    (80, '::1', 8081)

    Raises:
        UsageError: it is none.
    """
    place, _, query = text.partition("?")
    form = r"(\[[0-9a-fA-F:.]+\]|[^:\[\]/@]*)(?::(\d+))?"
    found = re.fullmatch(form, f":{place}" if place.isdecimal() else place)
    if found is None:
        raise _wrong(text, "use web:127.0.0.1:8080")
    host, port = (found[1] or HOST).strip("[]"), int(found[2] or PORT)
    if port > 65535:
        raise _wrong(text, "use a port up to 65535")
    folder = RECORDINGS
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in _KEYS or not value:
            guess = nearest(key, _KEYS)
            raise _wrong(text, f"did you mean '{guess}=DIR'?" if guess else "use recordings=DIR")
        folder = Path(value)
    return ListenAddress(host, port, folder)


def listen(address: ListenAddress) -> socket.socket:
    """A socket that listens there.

    Raises:
        OutputError: the port is in use, or the host is no address of this machine.
    """
    host, port = address.host, address.port
    try:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise _no_host(host, "an unknown host name") from None
    family, kind, protocol, _, place = min(known, key=lambda row: row[0] != socket.AF_INET)
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; what is accepted inherits it
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STUCK_MS)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNDERWAY)
        made.bind(place)
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise _refused(host, port, error) from None
    return made


def is_loopback(bound: str) -> bool:
    """Whether only this machine itself can reach an address."""
    return ipaddress.ip_address(bound.partition("%")[0]).is_loopback


def shown(bound: str, port: int) -> str:
    """``http://HOST:PORT`` for people; of all addresses that by which others reach this machine."""
    return f"http://{_bracketed(_own_address() if _is_any(bound) else bound)}:{port}"


def reached(bound: str) -> str:
    """The address by which this machine itself reaches it, for the end of a tunnel."""
    return HOST if _is_any(bound) else _bracketed(bound)


def _is_any(bound: str) -> bool:
    return ipaddress.ip_address(bound.partition("%")[0]).is_unspecified


def _bracketed(bound: str) -> str:
    return f"[{bound}]" if ":" in bound else bound


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))  # for documentation (RFC 5737); nothing is sent
            name: str = asked.getsockname()[0]
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


def _no_host(host: str, found: str) -> OutputError:
    fix = "use web:127.0.0.1, or web:0.0.0.0 for all networks"
    return OutputError(
        f"an address of this machine, not '{host}'",
        found,
        fix,
        code="host-not-available",
        summary=f"cannot listen on '{host}' ({found})",
    )


def _wrong(text: str, fix: str) -> UsageError:
    return UsageError(_FORM, f"'web:{text}'", fix, code="invalid-address")
