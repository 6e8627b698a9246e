"""Connections to boards over ssh; the only module that imports asyncssh (extra ``deploy``).

The host key is checked against ~/.ssh/known_hosts. Login is by ssh-agent or a key file, never by a
password. ~/.ssh/config applies.
"""

import asyncio
import re
import shlex
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from edge.errors import BoardError, UsageError
from edge.installation import install_command

if TYPE_CHECKING:
    import asyncssh

_TIMEOUT_S = 15
"""Time limit for an answer, and interval of keepalive messages, in seconds."""

_HEARTBEAT_S = 10.0
"""Interval of heartbeats to the lock, in seconds; see scripts/lock.sh."""

_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class BoardAddress:
    """``user@host:port``; empty or 0 if not given, so that ~/.ssh/config applies."""

    host: str
    user: str = ""
    port: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse "[user@]host[:port]"; an IPv6 address is in brackets.

        >>> BoardAddress.parse("pi@camera.local:2222")
        BoardAddress(host='camera.local', user='pi', port=2222)

        Raises:
            UsageError: ``text`` is no such address.
        """
        match = re.fullmatch(r"(?:([^@\s:]+)@)?(\[[\da-fA-F:.%\w]+\]|[\w.-]+)(?::(\d{1,5}))?", text)
        if match is None or text.startswith("-") or int(match[3] or 0) > _MAX_PORT:
            raise UsageError(
                "user@host[:port]",
                f"'{text}'",
                "write an address such as pi@camera.local",
                code="invalid-board-address",
            )
        user, host, port = match.groups()
        return cls(host.strip("[]"), user or "", int(port or 0))

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{user}{host}{f':{self.port}' if self.port else ''}"

    @property
    def ssh(self) -> str:
        """The command that logs in there."""
        port = f"-p {self.port} " if self.port else ""
        return f"ssh {port}{self.user + '@' if self.user else ''}{self.host}"

    def scp(self, path: str) -> str:
        """Return the command that copies a file, quoted for a shell, into the home folder there."""
        port = f"-P {self.port} " if self.port else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"scp {port}{path} {self.user + '@' if self.user else ''}{host}:"

    def tunnel(self, port: int) -> str:
        """Return the command that forwards a local port of the board to this machine."""
        return self.ssh.replace("ssh", f"ssh -L {port}:127.0.0.1:{port}", 1)


@dataclass(frozen=True, slots=True)
class RemoteResult:
    """Exit code and output of a remote command."""

    code: int
    out: str
    err: str

    @property
    def values(self) -> dict[str, str]:
        """The lines key=value of the output; the last one counts for a repeated key."""
        pairs = (line.partition("=") for line in self.out.splitlines())
        return {key: value for key, equals, value in pairs if equals}


class Connection:
    """A connection to a board. ``sudo``: run scripts for root with sudo."""

    def __init__(self, address: BoardAddress, connection: "asyncssh.SSHClientConnection") -> None:
        self.address, self._connection = address, connection
        self.sudo = False

    async def run(
        self,
        script: str,
        variables: Mapping[str, str],
        *,
        stdin: bytes = b"",
        as_root: bool = False,
    ) -> RemoteResult:
        """Run a script of ``scripts/`` with environment variables and ``stdin``.

        Raises:
            BoardError: the connection was interrupted.
        """
        return await self.execute(command(script, variables), stdin=stdin, as_root=as_root)

    async def execute(
        self, words: str, *, stdin: bytes = b"", as_root: bool = False
    ) -> RemoteResult:
        """Run a shell command.

        Raises:
            BoardError: the connection was interrupted.
        """
        with _connection_errors(self.address):
            done = await self._connection.run(
                self._line(words, as_root), input=stdin, encoding=None, check=False
            )
        if done.exit_status is None or done.exit_status < 0:
            raise _connection_lost(self.address)
        out, err = (_text(stream) for stream in (done.stdout, done.stderr))
        return RemoteResult(done.exit_status, out, err)

    @asynccontextmanager
    async def hold(
        self, script: str, variables: Mapping[str, str], *, as_root: bool
    ) -> AsyncIterator[RemoteResult]:
        """Keep a script such as scripts/lock.sh running during the block, with heartbeats.

        ``RemoteResult.code`` is 0 if the script printed its first line.

        Raises:
            BoardError: the connection was interrupted.
        """
        line = self._line(command(script, variables), as_root)
        with _connection_errors(self.address):
            process = await self._connection.create_process(line)
            first = await process.stdout.readline()
        if not first:
            with _connection_errors(self.address):
                done = await process.wait()
            yield RemoteResult(done.exit_status or 1, "", _text(done.stderr))
            return
        heartbeat = asyncio.create_task(send_heartbeat(process))
        try:
            yield RemoteResult(0, first, "")
        finally:
            heartbeat.cancel()
            process.stdin.write_eof()
            try:
                await asyncio.wait_for(process.wait(), _TIMEOUT_S)
            except (OSError, TimeoutError):
                process.close()

    async def follow(self, words: str, *, as_root: bool = False) -> AsyncIterator[str]:
        """Yield the lines of a command's output as they arrive.

        Raises:
            BoardError: the connection was interrupted.
        """
        with _connection_errors(self.address):
            process = await self._connection.create_process(
                self._line(words, as_root),
                stderr=-2,  # subprocess.STDOUT
            )
            async for line in process.stdout:
                yield line.rstrip("\n")

    def _line(self, words: str, as_root: bool) -> str:
        return f"{'sudo -n ' if as_root and self.sudo else ''}sh -c {shlex.quote(words)}"


def command(script: str, variables: Mapping[str, str]) -> str:
    """Return a script of ``scripts/`` preceded by its exported variables."""
    text = files(__package__).joinpath("scripts", script).read_text()
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    return exports + text


@asynccontextmanager
async def connect(address: BoardAddress, identity: str | None = None) -> AsyncIterator[Connection]:
    """Log in to a board. ``identity``: a private key file, instead of the default ones.

    Raises:
        BoardError: the board cannot be reached, its host key is unknown or changed, or it refuses
            the login.
    """
    asyncssh = _asyncssh()
    options: dict[str, Any] = {}
    if address.user:
        options["username"] = address.user
    if address.port:
        options["port"] = address.port
    if identity is not None:
        if not Path(identity).is_file():
            raise BoardError(
                "a private key",
                f"no {identity}",
                "check the path after --identity",
                code="ssh-key-not-found",
            )
        options["client_keys"] = [identity]
    try:
        connection = await asyncssh.connect(
            address.host, preferred_auth="publickey", connect_timeout=_TIMEOUT_S,
            keepalive_interval=_TIMEOUT_S, keepalive_count_max=3, **options,
        )  # fmt: skip
    except asyncssh.HostKeyNotVerifiable:
        raise _unknown_host_key(address) from None
    except asyncssh.PermissionDenied:
        raise BoardError(
            f"a key that {address} accepts",
            "none among ssh-agent's keys and the key files",
            f"run '{address.ssh.replace('ssh', 'ssh-copy-id', 1)}', "
            "or select a key with --identity FILE",
            code="ssh-login-refused",
        ) from None
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise BoardError(
            "a private key without a passphrase",
            f"{identity} ({' '.join(str(error).split())})",
            "load it into ssh-agent with ssh-add, and leave out --identity",
            code="ssh-key-unusable",
        ) from None
    except (OSError, asyncssh.Error, TimeoutError) as error:
        raise _unreachable(address, error) from None
    except UnicodeError:
        raise _unreachable(address, socket.gaierror()) from None
    except asyncssh.ConfigParseError as error:
        raise BoardError(
            "a valid ~/.ssh/config", str(error), "correct the file", code="ssh-config-invalid"
        ) from None
    async with connection:
        yield Connection(address, connection)


def _asyncssh() -> Any:
    try:
        import asyncssh
    except ModuleNotFoundError:
        raise BoardError(
            "the package asyncssh, to reach boards",
            "none",
            install_command("deploy"),
            code="missing-package",
        ) from None
    asyncssh.set_log_level("CRITICAL")  # its exceptions are reported instead
    return asyncssh


async def send_heartbeat(process: Any) -> None:
    """Write a heartbeat to the stdin of scripts/lock.sh until cancelled."""
    while True:
        process.stdin.write(".")
        await asyncio.sleep(_HEARTBEAT_S)


class _connection_errors:  # noqa: N801 (reads as a statement)
    """Reports each failure of a connection as one error."""

    def __init__(self, address: BoardAddress) -> None:
        self._address = address

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import asyncssh

        if isinstance(error, OSError | asyncssh.Error):
            raise _connection_lost(self._address) from None


def _connection_lost(address: BoardAddress) -> BoardError:
    return BoardError(
        f"a stable connection to {address}",
        "one that was interrupted",
        "run the command again; 'edge status' shows what is running there",
        code="connection-lost",
        summary=f"the connection to {address} was interrupted",
    )


def _unknown_host_key(address: BoardAddress) -> BoardError:
    """Return the error for a host key that changed or is unknown."""
    known = str(Path("~/.ssh/known_hosts").expanduser())
    entry = f"[{address.host}]:{address.port}" if address.port not in (0, 22) else address.host
    asyncssh = _asyncssh()
    try:
        keys, *_ = asyncssh.match_known_hosts(known, address.host, "", address.port or 22)
    except OSError:
        keys = ()
    if keys:
        return BoardError(
            f"the host key of {address} that is in ~/.ssh/known_hosts",
            "a different one",
            "find out why: someone may be intercepting the connection. "
            f"If the board was reinstalled: ssh-keygen -R '{entry}' && {address.ssh}",
            code="host-key-changed",
        )
    return BoardError(
        f"the host key of {address} in ~/.ssh/known_hosts",
        "none",
        f"log in once and check the fingerprint it shows: {address.ssh}",
        code="host-key-unknown",
    )


def _unreachable(address: BoardAddress, error: Exception) -> BoardError:
    if isinstance(error, socket.gaierror):
        why = "a host name that cannot be resolved"
    elif isinstance(error, ConnectionRefusedError):
        why = "no ssh server there (connection refused)"
    elif isinstance(error, TimeoutError) or not str(error):
        why = f"no answer in {_TIMEOUT_S} s"
    else:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return BoardError(
        f"{address} to answer",
        why,
        f"check that it is on and in this network; try: {address.ssh}",
        code="board-unreachable",
    )


def _text(stream: object) -> str:
    return stream.decode(errors="replace") if isinstance(stream, bytes) else str(stream or "")
