"""The doctor on another machine, over ssh."""

import asyncio
import json
import shlex

from boards.deploy.ssh import BoardAddress, RemoteResult, connect
from boards.doctor.diagnosis import Diagnosis
from edge.errors import BoardError
from edge.installation import board_source

_TIMEOUT_S = 240.0
"""Seconds; on a slow board every import takes many."""

_PLACES = (
    "/opt/edge-toolkit/current/env/bin/edge", "$HOME/edge-toolkit/current/env/bin/edge",
    "$(command -v edge)", "$HOME/edge/bin/edge", "$HOME/.venv/bin/edge",
)  # fmt: skip
"""Where edge-toolkit may be there: deployed, on the PATH, or in an environment made by hand."""

_MISSING = 127


def diagnose_remote(address: BoardAddress, identity: str | None, board: str | None) -> Diagnosis:
    """What ``edge doctor`` finds on the machine at ``address``; ``board`` as its ``--board``.

    Raises:
        BoardError: it cannot be reached, or edge-toolkit is not there or does not answer; or
            asyncssh (extra ``deploy``) is missing here.
    """
    done = asyncio.run(_run_doctor(address, identity, board))
    if done.code == _MISSING:
        raise BoardError(
            f"edge-toolkit on {address}",
            "none",
            f"install it there: {_install_command(address)}",
            code="toolkit-not-on-board",
        )
    try:
        return Diagnosis.from_dict(json.loads(done.out))
    except (ValueError, TypeError, KeyError):
        said = " ".join((done.err or done.out).split())[-200:] or f"exit code {done.code}"
        raise BoardError(
            f"a report from 'edge doctor --json' on {address}",
            said,
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
    places = " ".join(f'"{place}"' for place in _PLACES)
    script = (
        f'for edge in {places}; do [ -x "$edge" ] && '
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
