"""``edge deploy``, ``edge rollback``, ``edge status`` and ``edge logs``."""

import asyncio
import getpass
import json
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import click

from boards.commands.options import IDENTITY
from boards.deploy import fleet, package, rehearsal, run_command, steps, wheel
from boards.deploy import status as service_status
from boards.deploy.ssh import BoardAddress
from boards.deploy.steps import DeployRequest, Outcome, StepCallback
from edge.commands.options import JSON, say
from edge.errors import EdgeError, UsageError
from edge.quantities import counted
from edge.terminal import suppress_native_stderr

Work = Callable[[BoardAddress, StepCallback], Awaitable[Outcome]]
"""Work on a board; calls back with its steps."""

WAIT_S = 20
"""Default time limit for the first frame, in seconds."""

_SKIPPED = "earlier-board-failed"
"""Code of a skipped board."""

EXAMPLES = """
\b
Examples:
  edge deploy out/ pi@camera.local --run 'demo classify --source 0 --sink web'
  edge deploy out/ pi@a pi@b pi@c --run 'demo classify --source picamera' --canary 1
  edge deploy ssd.tflite pi@10.0.0.7:2222 --run 'demo detect --source 0' --offline
  edge deploy out/ pi@a pi@b --run 'demo classify --source 0' --ansible fleet/

\b
MODEL is a result folder of 'edge convert', a model file, or a name from 'edge models list'.
HOST is USER@HOST[:PORT], or a name from ~/.ssh/config.
Before anything is sent, COMMAND is tried here with the model on one generated frame.
On each board, in this order: create a virtual environment, upload the release and verify
its checksums, run its self-test, then switch the service to it. The service must process
a frame in time. If any step fails, the previous release keeps running. Repeating the same
deploy changes nothing.
With root privileges (as root, or with passwordless sudo), it is a system service with a
dedicated user, in /opt/edge-toolkit; otherwise a service of the login user, in
~/edge-toolkit. The host key must be in ~/.ssh/known_hosts; only key login is supported.

\b
Exit codes: 0 running on all boards; 2 error; 3 a board rejected it and kept its release.
"""

HOSTS = click.argument("hosts", nargs=-1, required=True, metavar="HOST...")


@click.command(epilog=EXAMPLES)
@click.argument("model", metavar="MODEL")
@HOSTS
@click.option("--run", "text", required=True, metavar="COMMAND",
              help="Command to run: 'demo NAME …', without --model.")  # fmt: skip
@click.option("--wait", type=click.IntRange(min=1), default=WAIT_S, show_default=True,
              metavar="SECONDS", help="Time limit for the first frame.")  # fmt: skip
@click.option(
    "--offline", is_flag=True, help="Download the wheels here, for boards without internet."
)
@click.option("--extra", "extras", multiple=True, metavar="NAME",
              help="Extra to install in addition to those that COMMAND needs.")  # fmt: skip
@click.option("--canary", type=click.IntRange(min=1), metavar="N",
              help="Deploy to N boards first, to the others only if all succeed.")  # fmt: skip
@click.option("--ansible", type=click.Path(path_type=Path), metavar="DIR",
              help="Write an Ansible inventory and playbook instead.")  # fmt: skip
@IDENTITY
@JSON
def deploy(
    model: str,
    hosts: tuple[str, ...],
    text: str,
    wait: int,
    offline: bool,
    extras: tuple[str, ...],
    canary: int | None,
    ansible: Path | None,
    identity: Path | None,
    as_json: bool,
) -> int:
    """Deploy a model to boards: upload, self-test, switch, and roll back on failure."""
    addresses = _addresses(hosts)
    command = run_command.parse(text, extras)

    def note(line: str) -> None:
        say((line,))

    with suppress_native_stderr():
        models = package.model_files(model, command.delegate, note)
        rehearsal.rehearse(command, models[-1], note)
        release = package.pack(models, command)
    request = DeployRequest(release, wheel.build_own_wheel(), wait, offline, _who())
    if ansible is not None:
        from boards.deploy import playbook

        if offline:
            raise _conflict("--offline", "--ansible")
        if as_json:
            raise _conflict("--json", "--ansible")
        playbook.write(ansible, addresses, request, canary, identity)
        click.echo(f"{ansible}: ansible-playbook -i {ansible}/inventory.yml {ansible}/deploy.yml")
        return 0
    code = _work(
        addresses,
        lambda address, on_step: steps.deploy(address, request, _file(identity), on_step),
        canary or 0,
        as_json,
    )
    if code == 0:
        for address, port in product(addresses, command.page_ports):
            instructions = f"run '{address.tunnel(port)}', then open http://127.0.0.1:{port}/"
            say((f"web page of {address}: {instructions}",))
    return code


@click.command(
    epilog="""
\b
Examples:
  edge rollback pi@camera.local
  edge rollback pi@a pi@b --json
"""
)
@HOSTS
@IDENTITY
@JSON
def rollback(hosts: tuple[str, ...], identity: Path | None, as_json: bool) -> int:
    """Switch boards back to the previous release.

    It must process a frame in time, or the current one keeps running. A second rollback undoes
    the first.
    """
    return _work(
        _addresses(hosts),
        lambda address, on_step: steps.rollback(address, _who(), _file(identity), on_step),
        0,
        as_json,
    )


@click.command(
    epilog="""
\b
Examples:
  edge status pi@camera.local
  edge status pi@a pi@b pi@c --json

\b
Exit codes: 0 all running; 1 a service is not running; 2 a board cannot be reached.
"""
)
@HOSTS
@IDENTITY
@JSON
def status(hosts: tuple[str, ...], identity: Path | None, as_json: bool) -> int:
    """Show what is running on boards, since when, and how fast."""
    addresses = _addresses(hosts)
    with fleet.progress_view(addresses) as screen:
        results = asyncio.run(
            fleet.run_on_all(
                addresses,
                lambda address, on_step: service_status.read(address, _file(identity), on_step),
                screen,
                lambda result: (result.state, result.running),
            )
        )
    return service_status.show(addresses, results, as_json)


@click.command(
    epilog="""
\b
Examples:
  edge logs pi@camera.local
  edge logs pi@camera.local -n 200
  edge logs pi@camera.local --follow
"""
)
@click.argument("host", metavar="HOST")
@click.option("-n", "--lines", type=click.IntRange(min=1), default=50, show_default=True,
              metavar="N",               help="Number of lines.")  # fmt: skip
@click.option("-f", "--follow", is_flag=True, help="Keep printing new lines until Ctrl-C.")
@IDENTITY
def logs(host: str, lines: int, follow: bool, identity: Path | None) -> None:
    """Show the log of a board's service."""
    asyncio.run(_logs(BoardAddress.parse(host), lines, follow, _file(identity)))


async def _logs(address: BoardAddress, lines: int, follow: bool, identity: str | None) -> None:
    async for line in service_status.journal(address, lines, follow, identity):
        click.echo(line)


def _work(addresses: Sequence[BoardAddress], work: Work, canary: int, as_json: bool) -> int:
    """Run work on all boards, the first ``canary`` ones first; print results, return exit code."""
    start = time.monotonic()
    results = asyncio.run(_canary_first(addresses, work, canary))
    rows = [_row(*pair) for pair in zip(addresses, results, strict=True)]
    if len(rows) == 1 and isinstance(results[0], EdgeError):
        raise results[0]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    for address, result in zip(addresses, results, strict=True):
        _print(address, result, as_json)
    if not as_json and len(addresses) > 1:
        good = sum(row["good"] for row in rows)
        seconds = time.monotonic() - start
        click.echo(f"{good} of {counted(len(rows), 'board')} succeeded in {seconds:.0f} s")
    if any(isinstance(result, EdgeError) for result in results):
        return 2
    return 0 if all(row["good"] for row in rows) else 3


async def _canary_first(
    addresses: Sequence[BoardAddress], work: Work, canary: int
) -> list[Outcome | EdgeError | None]:
    """Return the result of each board; None: skipped, since an earlier one failed."""
    results: list[Outcome | EdgeError | None] = []
    with fleet.progress_view(addresses) as screen:
        for group in (addresses[:canary], addresses[canary:]):
            if any(_failed(result) for result in results):
                results += [None] * len(group)
                for address in group:
                    screen.done(address, "skipped", False)
                continue
            done = await fleet.run_on_all(group, work, screen, _judge)
            results.extend(done)
    return results


def _judge(outcome: Outcome) -> tuple[str, bool]:
    if outcome.reason:
        return "rejected", False
    return ("running", True) if outcome.changed else ("unchanged", True)


def _failed(result: Outcome | EdgeError | None) -> bool:
    return not isinstance(result, Outcome) or bool(result.reason)


def _row(address: BoardAddress, result: Outcome | EdgeError | None) -> dict[str, Any]:
    row: dict[str, Any] = {"host": str(address), "good": not _failed(result)}
    if isinstance(result, Outcome):
        row |= {"release": result.release or None, "changed": result.changed}
        if result.reason:
            row |= {"code": result.code, "why": result.reason, "detail": result.detail}
    elif result is None:
        row |= {"code": _SKIPPED, "why": "skipped, since an earlier board failed"}
    else:
        row["error"] = result.to_dict()
    return row


def _print(address: BoardAddress, result: Outcome | EdgeError | None, as_json: bool) -> None:
    """Print the result of a board as text; failures go to stderr."""
    if isinstance(result, EdgeError):
        click.echo(f"{address}: {result} [{result.code}]", err=True)
    elif result is None:
        click.echo(f"{address}: skipped, since an earlier board failed [{_SKIPPED}]", err=True)
    elif result.reason:
        if result.detail:
            click.echo(result.detail.rstrip(), err=True)
        old = f"{result.release} is still running" if result.release else "nothing is running"
        click.echo(f"{address}: {result.reason}; {old} [{result.code}]", err=True)
    elif not as_json:
        click.echo(
            f"{address}: running {result.release}" + ("" if result.changed else " (unchanged)")
        )
    if isinstance(result, Outcome):
        say(result.notes)


def _addresses(hosts: Sequence[str]) -> tuple[BoardAddress, ...]:
    addresses = tuple(BoardAddress.parse(host) for host in hosts)
    repeated = next((entry for entry in addresses if addresses.count(entry) > 1), None)
    if repeated is not None:
        raise UsageError(
            "each board once",
            f"{repeated} twice",
            "list it once",
            code="duplicate-board",
            summary=f"{repeated} is listed twice",
        )
    return addresses


def _conflict(option: str, other: str) -> UsageError:
    return UsageError(
        f"either {option} or {other}",
        "both",
        f"leave out {option}",
        code="conflicting-options",
        summary=f"{option} cannot be combined with {other}",
    )


def _file(identity: Path | None) -> str | None:
    return None if identity is None else str(identity)


def _who() -> str:
    """Return the user, machine and time, shown to others while the lock is held."""
    return f"{getpass.getuser()}@{socket.gethostname()} since {time.strftime('%H:%M:%S')}"
