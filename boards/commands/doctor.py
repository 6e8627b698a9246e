"""``edge doctor``: diagnose a board and suggest fixes."""

import json
import shutil

import click

from boards import profile
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
  edge doctor --host pi@camera.local
  edge doctor --json

\b
Exit codes: 0 everything is ok; 1 warnings; 2 the checks could not run; 3 something does
not work. Nothing is changed. The Edge TPU, picamera2 and the interpreters are tested in
separate processes with a time limit.
"""


@click.command(epilog=EXAMPLES)
@click.option("--board", metavar="NAME", help="Expected board.  [default: from the device tree]")
@click.option(
    "--host",
    metavar="USER@HOST[:PORT]",
    help="Check this board over ssh; it needs edge-toolkit, too.",
)
@click.option("--identity", metavar="FILE", help="Private key for --host.")
@JSON
def doctor(board: str | None, host: str | None, identity: str | None, as_json: bool) -> int:
    """Diagnose a board and suggest fixes."""
    known = profile.load(board) if board else None
    if identity and not host:
        raise UsageError(
            "--host with --identity",
            "none",
            "add --host USER@HOST",
            code="identity-without-host",
            summary="--identity needs --host",
        )
    diagnosis = _diagnose_remote(host, identity, board) if host else diagnose(local_system(), known)
    if as_json:
        click.echo(json.dumps(diagnosis.to_dict(), indent=2))
    else:
        width = min(100, shutil.get_terminal_size().columns)
        click.echo("\n".join(format_lines(diagnosis, width)))
    return EXIT_CODES[diagnosis.state]


def _diagnose_remote(host: str, identity: str | None, board: str | None) -> Diagnosis:
    from boards.deploy.ssh import BoardAddress
    from boards.doctor import remote

    return remote.diagnose_remote(BoardAddress.parse(host), identity, board)
