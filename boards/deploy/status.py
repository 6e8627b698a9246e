"""Status and logs of the services on boards: ``edge status`` and ``edge logs``."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from boards.deploy.ssh import BoardAddress, connect
from boards.deploy.steps import StepCallback, probe
from edge.errors import EdgeError
from edge.quantities import size
from edge.redaction import redact
from edge.sinks.web import PAGE_NOTE


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """The status of a board's service.

    Attributes:
        address: address of the board.
        release: name of the current release, "" for none.
        previous: name of the previous release, "" for none.
        since: time of the switch to the release, in seconds since 1970; 0: unknown.
        state: ActiveState of systemd.
        status_text: last status that the stream reported.
        restarts: number of restarts by systemd since the start.
        command: the command that runs, redacted.
        system: operating system.
        model: model of the board, "" on a PC.
        celsius: temperature of the processor in °C, None: unknown.
        free_mib: free disk space in MiB.
    """

    address: BoardAddress
    release: str
    previous: str
    since: int
    state: str
    status_text: str
    restarts: int
    command: str
    system: str
    model: str
    celsius: float | None
    free_mib: int

    @property
    def running(self) -> bool:
        """True if the service is active."""
        return self.state == "active"

    def to_dict(self) -> dict[str, Any]:
        """Return the status as a JSON object."""
        since = datetime.fromtimestamp(self.since, UTC).isoformat() if self.since else None
        return {
            "host": str(self.address), "release": self.release or None,
            "previous": self.previous or None, "since": since, "state": self.state,
            "status": self.status_text, "restarts": self.restarts, "command": self.command,
            "system": self.system, "model": self.model or None, "temperature_c": self.celsius,
            "free_mib": self.free_mib,
        }  # fmt: skip


async def read(address: BoardAddress, identity: str | None, on_step: StepCallback) -> ServiceStatus:
    """Read the status of a board's service.

    Raises:
        BoardError: the board cannot be reached.
    """
    on_step("connect")
    async with connect(address, identity) as connection:
        board = await probe(connection, "")
        result = await connection.run("status.sh", {"ROOT": board.root, **board.systemctl})
    values = result.values
    temperature = values.get("temperature", "")
    return ServiceStatus(
        address=address,
        release=values.get("release", ""),
        previous=values.get("previous", ""),
        since=int(values.get("since") or 0),
        state=values.get("ActiveState", "") or "unknown",
        status_text=values.get("StatusText", ""),
        restarts=int(values.get("NRestarts") or 0),
        command=redact(values.get("run", "")),
        system=board.system,
        model=board.model,
        celsius=int(temperature) / 1000 if temperature.isdecimal() else None,
        free_mib=board.free_kib // 1024,
    )


async def journal(
    address: BoardAddress, lines: int, follow: bool, identity: str | None
) -> AsyncIterator[str]:
    """Yield the log lines of a board's service; with ``follow``, also new ones.

    Raises:
        BoardError: the board cannot be reached.
    """
    async with connect(address, identity) as connection:
        board = await probe(connection, "")
        words = f"{board.systemctl['JOURNAL']} -n {lines}{' -f' if follow else ''}"
        async for line in connection.follow(words, as_root=True):
            yield redact_log(line)


def redact_log(line: str) -> str:
    """Redact a log line, but keep the address of the page, which the user needs to open it."""
    before, note, address = line.partition(PAGE_NOTE)
    return f"{redact(before)}{note}{address}"


def show(
    addresses: Sequence[BoardAddress], results: Sequence[ServiceStatus | EdgeError], as_json: bool
) -> int:
    """Print the status of boards; return the exit code."""
    if as_json:
        rows = [
            result.to_dict()
            if isinstance(result, ServiceStatus)
            else {"host": str(address), "error": result.to_dict()}
            for address, result in zip(addresses, results, strict=True)
        ]
        click.echo(json.dumps(rows, indent=2))
    else:
        for address, result in zip(addresses, results, strict=True):
            _print(address, result)
    if any(isinstance(result, EdgeError) for result in results):
        return 2
    running = [isinstance(result, ServiceStatus) and result.running for result in results]
    return 0 if all(running) else 1


def _print(address: BoardAddress, status: ServiceStatus | EdgeError) -> None:
    if isinstance(status, EdgeError):
        click.echo(f"{address}: {status} [{status.code}]", err=True)
        return
    click.echo(click.style(str(address), bold=True))
    since = f" since {datetime.fromtimestamp(status.since).astimezone():%Y-%m-%d %H:%M}"
    text = f", {status.status_text}" if status.status_text and status.running else ""
    rows = {
        "state": f"{status.state}{text}",
        "release": f"{status.release}{since}"
        if status.release
        else "none; install one with 'edge deploy'",
        "previous": status.previous,
        "runs": status.command.replace('"$here"/', "").replace('"$here/env/bin/edge"', "edge"),
        "restarts": str(status.restarts) if status.restarts else "",
        "system": ", ".join(word for word in (status.model, status.system) if word),
        "processor": f"{status.celsius:.0f} °C" if status.celsius is not None else "",
        "disk": f"{size(status.free_mib << 20)} free",
    }
    for name, value in rows.items():
        if value:
            click.echo(f"  {name:<10} {value}")
