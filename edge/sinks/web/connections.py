"""Connections of the page: strangers cannot keep viewers out, nor occupy this machine.

Whoever reaches the port can open connections, without the token as well. Only those that watch,
which are few, count as viewers and stay. All others are guests: each has a deadline, there are
only so many at a time, altogether and from one address, and where another one comes, the longest
waiting has to go. Accepting goes on, so that a newcomer with the token gets in at any time.
"""

import asyncio
import errno
import ipaddress
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_SWEEP_S = 0.5
"""Seconds between two looks at the deadlines."""

_CROWDED_PAUSE_S = 0.004
"""Seconds between two guests where each pushes another one out: a flood must not use the CPU."""

_EXHAUSTED_PAUSE_S = 0.5
"""Seconds until the next attempt, where the system has no more descriptors or memory."""

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_NOTE_INTERVAL_S = 60.0
"""Minimum seconds between two notes, or tracebacks, of the same kind."""

_SHARE_OF_FILES = 4
"""Guests use at most one in so many of the descriptors that the process may have."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of the page's connections.

    Attributes:
        guests: Connections at a time, apart from viewers.
        guests_per_address: The same from one address, or one network of IPv6 (/64).
        request_timeout_s: Seconds that a request may take to arrive, and an idle connection to
            send one.
        send_timeout_s: Seconds that a client may take no data before it counts as disconnected.
    """

    guests: int = 256
    guests_per_address: int = 128
    request_timeout_s: float = 10.0
    send_timeout_s: float = 20.0


DEFAULT_LIMITS = ConnectionLimits()


class RateLimit:
    """Lets something happen at most once in a time, and counts how often it was to happen."""

    def __init__(self, interval_s: float = _NOTE_INTERVAL_S) -> None:
        self._interval_s, self._next, self._count = interval_s, 0.0, 0

    def count(self) -> int:
        """Count once more; return the number since it was last let through, 0 if it is not now."""
        self._count += 1
        now = time.monotonic()
        if now < self._next:
            return 0
        count, self._count, self._next = self._count, 0, now + self._interval_s
        return count


@dataclass(slots=True, eq=False)
class _Connection:
    transport: asyncio.Transport
    network: str
    deadline: float
    since: float = field(default_factory=time.monotonic)
    unsent: int = 0
    serving: bool = False
    viewer: bool = False

    @property
    def lost(self) -> bool:
        """True once the transport has closed its socket."""
        return bool(self.transport.get_extra_info("socket").fileno() < 0)


class Connections:
    """Accepts and ends the connections of a server. Used only in the event loop.

    Args:
        listening: A listening socket.
        make_protocol: Makes the protocol of a connection.
        limits: For guests.
        say: Shows the user a sentence.
    """

    def __init__(
        self,
        listening: socket.socket,
        make_protocol: Callable[[], asyncio.Protocol],
        limits: ConnectionLimits,
        say: Callable[[str], None],
    ) -> None:
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        allowed = files // _SHARE_OF_FILES if files != resource.RLIM_INFINITY else limits.guests
        self._max_guests = max(1, min(limits.guests, allowed))
        self._listening, self._make_protocol = listening, make_protocol
        self._limits, self._say = limits, say
        self._connections: dict[tuple[str, int], _Connection] = {}
        self._exhausted, self._crowded = RateLimit(), RateLimit()

    @property
    def viewers(self) -> int:
        """Number of viewers at this moment."""
        return sum(connection.viewer for connection in self._connections.values())

    async def accept(self) -> None:
        """Accept connections until cancelled."""
        loop = asyncio.get_running_loop()
        self._listening.setblocking(False)
        while True:
            try:
                accepted, _ = await loop.sock_accept(self._listening)
                transport, _ = await loop.connect_accepted_socket(self._make_protocol, accepted)
                pause_s = 0.0 if self._admit(transport) else _CROWDED_PAUSE_S
            except OSError as error:  # else than exhausted, that client has left already
                pause_s = _CROWDED_PAUSE_S
                if error.errno in _EXHAUSTED:
                    self._make_room(error)
                    pause_s = _EXHAUSTED_PAUSE_S
            if pause_s:
                await asyncio.sleep(pause_s)

    async def sweep(self) -> None:
        """End the connections whose deadline has passed, until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = time.monotonic()
            for client, connection in list(self._connections.items()):
                if connection.lost:
                    del self._connections[client]
                elif not connection.serving and now > connection.deadline:
                    self._end(connection, now)

    @contextmanager
    def serving(self, client: tuple[str, int], *, viewer: bool) -> Iterator[None]:
        """Answer a permitted request of a client; a viewer stays for as long as that takes."""
        connection = self._connections.get(client)
        if connection is None:  # pushed out meanwhile
            yield
            return
        connection.serving, connection.viewer = True, viewer
        try:
            yield
        finally:
            connection.serving = connection.viewer = False
            connection.since = time.monotonic()
            connection.deadline = connection.since + self._limits.request_timeout_s

    def abort(self, client: tuple[str, int]) -> None:
        """Disconnect a client at once; what it was not sent yet is dropped."""
        if (connection := self._connections.pop(client, None)) is not None:
            connection.transport.abort()

    def _admit(self, transport: asyncio.BaseTransport) -> bool:
        """Take a new connection; False if another one had to go for it."""
        assert isinstance(transport, asyncio.Transport)
        peer = transport.get_extra_info("peername")
        if peer is None:  # it has left
            transport.abort()
            return True
        now = time.monotonic()
        connection = _Connection(transport, _network(peer[0]), now + self._limits.request_timeout_s)
        self._connections[peer[:2]] = connection
        return not self._push_out(connection.network)

    def _push_out(self, network: str) -> bool:
        """Disconnect a guest if there are too many; True if so."""
        guests = {client: guest for client, guest in self._connections.items()
                  if not (guest.viewer or guest.lost)}  # fmt: skip
        counts = Counter(guest.network for guest in guests.values())
        if counts[network] <= self._limits.guests_per_address:
            if len(guests) <= self._max_guests:
                return False
            network = max(counts, key=lambda name: counts[name])
        self.abort(
            min(
                (client for client, guest in guests.items() if guest.network == network),
                key=lambda client: (guests[client].serving, guests[client].since),
            )
        )
        if count := self._crowded.count():
            many = f"{count} connections were" if count > 1 else "a connection was"
            self._say(f"web: {many} closed, since there are too many, most of them from {network}")
        return True

    def _make_room(self, error: OSError) -> None:
        if self._exhausted.count():
            reason = (error.strerror or str(error)).lower()
            self._say(f"web: a connection has to wait: {reason}")
        waiting = [client for client, guest in self._connections.items() if not guest.serving]
        if waiting:
            self.abort(min(waiting, key=lambda client: self._connections[client].since))

    def _end(self, connection: _Connection, now: float) -> None:
        """Close a connection, or wait while it still takes what it was sent."""
        unsent = connection.transport.get_write_buffer_size()
        if unsent == 0 and not connection.transport.is_closing():
            connection.transport.close()
        elif unsent in (0, connection.unsent):
            connection.transport.abort()
        connection.unsent = unsent
        connection.deadline = now + self._limits.send_timeout_s


def _network(host: str) -> str:
    """Return an address of IPv4, or the /64 network that a client of IPv6 has for itself."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
