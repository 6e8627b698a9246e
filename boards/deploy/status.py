"""What runs on boards: ``edge status`` and ``edge logs``."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from boards.deploy.ssh import BoardAddress, connect
from boards.deploy.steps import Tell, probe
from edge.errors import EdgeError


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """``release`` and ``previous``: names, "" for none; ``since``: when it was switched to, in
    seconds since 1970; ``state``: ActiveState of systemd; ``said``: what the stream told it last;
    ``restarts``: by systemd, since it was started; ``celsius``: None where it is not known."""

    address: BoardAddress
    release: str
    previous: str
    since: int
    state: str
    said: str
    restarts: int
    command: str
    system: str
    model: str
    celsius: float | None
    free_mib: int

    @property
    def running(self) -> bool:
        return self.state == "active"

    def to_dict(self) -> dict[str, Any]:
        since = datetime.fromtimestamp(self.since, UTC).isoformat() if self.since else None
        return {
            "host": str(self.address), "release": self.release or None,
            "previous": self.previous or None, "since": since, "state": self.state,
            "status": self.said, "restarts": self.restarts, "command": self.command,
            "system": self.system, "model": self.model or None, "temperature_c": self.celsius,
            "free_mib": self.free_mib,
        }  # fmt: skip


async def read(address: BoardAddress, identity: str | None, tell: Tell) -> ServiceStatus:
    """What runs on a board.

    Raises:
        BoardError: it cannot be reached.
    """
    tell("connect")
    async with connect(address, identity) as connection:
        board = await probe(connection, "")
        done = await connection.run("status.sh", {"ROOT": board.root, **board.systemctl})
    values = done.values
    heat = values.get("temperature", "")
    return ServiceStatus(
        address=address,
        release=values.get("release", ""),
        previous=values.get("previous", ""),
        since=int(values.get("since") or 0),
        state=values.get("ActiveState", "") or "unknown",
        said=values.get("StatusText", ""),
        restarts=int(values.get("NRestarts") or 0),
        command=values.get("run", ""),
        system=board.system,
        model=board.model,
        celsius=int(heat) / 1000 if heat.isdecimal() else None,
        free_mib=board.free_kib // 1024,
    )


async def journal(
    address: BoardAddress, lines: int, follow: bool, identity: str | None
) -> AsyncIterator[str]:
    """What the service of a board printed, line by line; with ``follow`` as more comes.

    Raises:
        BoardError: it cannot be reached.
    """
    async with connect(address, identity) as connection:
        board = await probe(connection, "")
        words = f"{board.systemctl['JOURNAL']} -n {lines}{' -f' if follow else ''}"
        async for line in connection.follow(words, as_root=True):
            yield line


def show(
    addresses: Sequence[BoardAddress], found: Sequence[ServiceStatus | EdgeError], as_json: bool
) -> int:
    """Print what runs; the exit code."""
    if as_json:
        rows = [
            one.to_dict()
            if isinstance(one, ServiceStatus)
            else {"host": str(address), "error": one.to_dict()}
            for address, one in zip(addresses, found, strict=True)
        ]
        click.echo(json.dumps(rows, indent=2))
    else:
        for address, one in zip(addresses, found, strict=True):
            _print(address, one)
    if any(isinstance(one, EdgeError) for one in found):
        return 2
    return 0 if all(isinstance(one, ServiceStatus) and one.running for one in found) else 1


def _print(address: BoardAddress, found: ServiceStatus | EdgeError) -> None:
    if isinstance(found, EdgeError):
        click.echo(f"{address}: {found} [{found.code}]", err=True)
        return
    click.echo(click.style(str(address), bold=True))
    since = f" since {datetime.fromtimestamp(found.since).astimezone():%Y-%m-%d %H:%M}"
    rows = {
        "state": f"{found.state}{f', {found.said}' if found.said and found.running else ''}",
        "release": f"{found.release}{since}"
        if found.release
        else "none; install one with 'edge deploy'",
        "previous": found.previous,
        "runs": found.command.replace('"$here"/', "").replace('"$here/env/bin/edge"', "edge"),
        "restarts": str(found.restarts) if found.restarts else "",
        "system": ", ".join(word for word in (found.model, found.system) if word),
        "processor": f"{found.celsius:.0f} °C" if found.celsius is not None else "",
        "disk": f"{found.free_mib:,} MiB free",
    }
    for name, value in rows.items():
        if value:
            click.echo(f"  {name:<10} {value}")
