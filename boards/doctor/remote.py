"""``edge doctor HOST``: run the doctor on another machine over ssh."""

import asyncio
import json
import shlex

from boards.deploy.ssh import BoardAddress, RemoteResult, connect
from boards.doctor.diagnosis import Diagnosis
from edge.errors import BoardError
from edge.installation import board_source

_TIMEOUT_S = 240.0
"""Time limit in seconds: imports are slow on a small board."""

_EDGE_COMMANDS = (
    "/opt/edge-toolkit/current/env/bin/edge", "$HOME/edge-toolkit/current/env/bin/edge",
    "$(command -v edge)", "$HOME/edge/bin/edge", "$HOME/.venv/bin/edge",
)  # fmt: skip
"""Where edge-toolkit may be installed there: deployed, on the PATH, or in a user's environment."""

_MISSING = 127


def diagnose_remote(address: BoardAddress, identity: str | None, board: str | None) -> Diagnosis:
    """Run ``edge doctor`` on the machine at ``address``; ``board``: as in ``--board``.

    Raises:
        BoardError: the machine cannot be reached, edge-toolkit is missing there or prints no
            report, or asyncssh (extra ``deploy``) is missing here.
    """
    result = asyncio.run(_run_doctor(address, identity, board))
    if result.code == _MISSING:
        raise BoardError(
            f"edge-toolkit on {address}",
            "none",
            f"install it there: {_install_command(address)}",
            code="toolkit-not-on-board",
        )
    try:
        return Diagnosis.from_dict(json.loads(result.out))
    except (ValueError, TypeError, KeyError):
        output = " ".join((result.err or result.out).split())[-200:] or f"exit code {result.code}"
        raise BoardError(
            f"a report from 'edge doctor --json' on {address}",
            output,
            f"run it there to see the cause ({address.ssh}), and update the toolkit there",
            code="doctor-report-unreadable",
        ) from None


def _install_command(address: BoardAddress) -> str:
    """Return the command that installs this copy of the toolkit on the machine at ``address``."""
    source = board_source()
    install = f"python3 -m venv ~/edge && ~/edge/bin/pip install {source.requirement}"
    copy = address.scp(source.file) if source.file else ""
    return " && ".join(filter(None, (source.build, copy, f"{address.ssh} {shlex.quote(install)}")))


async def _run_doctor(
    address: BoardAddress, identity: str | None, board: str | None
) -> RemoteResult:
    options = ["--json", *(("--board", board) if board else ())]
    paths = " ".join(f'"{path}"' for path in _EDGE_COMMANDS)
    script = (
        f'for edge in {paths}; do [ -x "$edge" ] && '
        f'exec "$edge" doctor {shlex.join(options)}; done; exit {_MISSING}'
    )
    async with connect(address, identity) as connection:
        try:
            return await asyncio.wait_for(connection.execute(script), _TIMEOUT_S)
        except TimeoutError:
            raise BoardError(
                f"a response from {address} within {_TIMEOUT_S:.0f} s",
                "none",
                f"run 'edge doctor' there: {address.ssh}",
                code="board-timeout",
            ) from None
