"""``edge doctor``: diagnose a board and suggest fixes."""

import json
import shutil
from pathlib import Path

import click

from boards import profile
from boards.commands.options import IDENTITY
from boards.doctor.diagnosis import Diagnosis, diagnose, format_lines
from boards.doctor.finding import EXIT_CODES
from boards.doctor.system import local_system
from edge.commands.options import JSON
from edge.errors import UsageError

EXAMPLES = """
\b
Examples:
  edge doctor
  edge doctor --board raspberry-pi-4b+coral-usb
  edge doctor pi@camera.local
  edge doctor --json

\b
HOST is USER@HOST[:PORT], or a name from ~/.ssh/config: that board is checked over ssh, where
edge-toolkit must be installed, too. Without HOST, this machine is.

\b
Exit codes: 0 everything is ok; 1 warnings; 2 the checks could not run; 3 something does
not work. Nothing is changed. The Edge TPU, picamera2 and the interpreters are tested in
separate processes with a time limit.
"""


@click.command(epilog=EXAMPLES)
@click.argument("host", metavar="[HOST]", required=False)
@click.option("--host", "old_host", hidden=True, metavar="HOST", help="Old spelling of HOST.")
@click.option("--board", metavar="BOARD", help="Expected board.  [default: from the device tree]")
@IDENTITY
@JSON
def doctor(
    host: str | None,
    old_host: str | None,
    board: str | None,
    identity: Path | None,
    as_json: bool,
) -> int:
    """Diagnose this machine or another board, and suggest fixes."""
    if host and old_host:
        raise UsageError(
            "one HOST",
            f"{host} and --host {old_host}",
            "leave out --host",
            code="conflicting-options",
        )
    host = host or old_host
    known = profile.load(board) if board else None
    if identity and not host:
        raise UsageError(
            "a HOST with --identity",
            "none",
            "add it: edge doctor USER@HOST",
            code="identity-without-host",
            summary="--identity needs a HOST",
        )
    diagnosis = _diagnose_remote(host, identity, board) if host else diagnose(local_system(), known)
    if as_json:
        click.echo(json.dumps(diagnosis.to_dict(), indent=2))
    else:
        width = min(100, shutil.get_terminal_size().columns)
        click.echo("\n".join(format_lines(diagnosis, width)))
    return EXIT_CODES[diagnosis.state]


def _diagnose_remote(host: str, identity: Path | None, board: str | None) -> Diagnosis:
    from boards.deploy.ssh import BoardAddress
    from boards.doctor import remote

    return remote.diagnose_remote(
        BoardAddress.parse(host), str(identity) if identity else None, board
    )
