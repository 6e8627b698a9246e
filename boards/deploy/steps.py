"""Steps of a deployment to one board; it may fail after each of them.

The running service is not touched before scripts/switch.sh. That script completes even if the
connection is lost: either the new release runs afterwards, or the old one.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from boards.deploy import environment, package, systemd_unit
from boards.deploy.environment import Environment
from boards.deploy.package import ReleasePackage
from boards.deploy.ssh import BoardAddress, Connection, connect
from boards.deploy.target import Target
from boards.deploy.wheel import OwnWheel
from edge.deployment.release import checksum_lines
from edge.errors import BoardError, ReleaseError
from edge.redaction import redact

StepCallback = Callable[[str], None]
"""Called with the name of a step when it begins."""


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """A release to deploy.

    Attributes:
        release: files of the release.
        wheel: the wheel of edge-toolkit.
        wait: time limit for the first frame, in seconds.
        offline: True if the board has no package index.
        who: user who deploys, shown by the lock.
    """

    release: ReleasePackage
    wheel: OwnWheel
    wait: int
    offline: bool
    who: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a deployment or rollback on a board.

    Attributes:
        address: address of the board.
        release: name of the release that runs there, "" for none.
        changed: True if the release was switched to just now.
        code: stable id of the failure, "" for success.
        reason: failure in words, "" for success.
        detail: output of the board at the failure, redacted.
        notes: sentences for the user.
    """

    address: BoardAddress
    release: str
    changed: bool = False
    code: str = ""
    reason: str = ""
    detail: str = ""
    notes: tuple[str, ...] = field(default=())


async def deploy(
    address: BoardAddress, request: DeployRequest, identity: str | None, on_step: StepCallback
) -> Outcome:
    """Deploy a release to a board.

    Raises:
        BoardError: the board cannot be reached, is unsuitable, or another deployment runs.
        ReleaseError: the uploaded release is corrupt.
    """
    on_step("connect")
    async with connect(address, identity) as connection:
        board = await probe(connection, request.release.name)
        env = environment.build_environment(
            board.select_python(), request.release.manifest, request.wheel
        )
        text = systemd_unit.render_unit(root=board.root, owner=board.owner, wait=request.wait)
        if _is_deployed(board, request, env, text):
            return Outcome(address, request.release.name)
        async with lock(connection, board, request.who):
            # Again, since another deployment may just have ended.
            board = await probe(connection, request.release.name)
            await _install_environment(connection, board, request, env, on_step)
            await _upload_release(connection, board, request, env, on_step)
            problem = await _run_selftest(connection, board, request, env, on_step)
            if problem is not None:
                reason, detail = map(redact, problem)
                return Outcome(
                    address, board.current, code="selftest-failed", reason=reason, detail=detail
                )
            on_step("first frame")
            return await switch(connection, board, request.release.name, text)


async def rollback(
    address: BoardAddress, who: str, identity: str | None, on_step: StepCallback
) -> Outcome:
    """Switch a board back to its previous release.

    Raises:
        BoardError: the board cannot be reached, another deployment runs, or there is no previous
            release.
    """
    on_step("connect")
    async with connect(address, identity) as connection:
        board = await probe(connection, "")
        async with lock(connection, board, who):
            on_step("first frame")
            return await switch(connection, board, "", "")


async def probe(connection: Connection, release: str) -> Target:
    """Probe a board, and the state of a release on it.

    Raises:
        BoardError: the board does not run Linux, or the connection was interrupted.
    """
    result = await connection.run("probe.sh", {"RELEASE": release})
    board = Target.from_probe(connection.address, result)
    connection.sudo = board.mode == "system" and board.uid != "0"
    return board


@asynccontextmanager
async def lock(connection: Connection, board: Target, who: str) -> AsyncIterator[None]:
    """Hold a board's deployment lock during the block.

    Raises:
        BoardError: another deployment holds the lock.
    """
    variables = {"ROOT": board.root, "WHO": who}
    async with connection.hold("lock.sh", variables, as_root=True) as result:
        if result.code == 75:  # EX_TEMPFAIL
            raise BoardError(
                f"no other deploy to {board.address}",
                f"one by {result.err.strip()}",
                "wait until it is finished",
                code="deploy-in-progress",
            )
        if result.code:
            raise _script_failed(board, "lock", result.err)
        yield


def _is_deployed(board: Target, request: DeployRequest, env: Environment, text: str) -> bool:
    """Return True if the board already runs exactly this release."""
    name = request.release.name
    known = board.current == board.complete_release == name and board.environment == env.name
    same = board.unit == hashlib.sha256(text.encode()).hexdigest()
    return known and same and env.name in board.environments and board.state == "active"


async def _install_environment(
    connection: Connection,
    board: Target,
    request: DeployRequest,
    env: Environment,
    on_step: StepCallback,
) -> None:
    """Create the virtual environment if it is missing."""
    if env.name in board.environments:
        return
    files = {request.wheel.name: request.wheel.content}
    if request.offline:
        on_step("wheels")
        extras = request.release.manifest.extras
        # In a thread, since the lock needs heartbeats meanwhile.
        files |= await asyncio.to_thread(environment.fetch_wheels, board, env, extras)
    size = sum(len(content) for content in files.values())
    board.check_space(environment.SIZE_KIB + size // 1024 + request.release.size // 1024)
    on_step("environment")
    result = await connection.run(
        "environment.sh",
        {
            "ROOT": board.root,
            "ENVIRONMENT": env.name,
            "PYTHON": env.python.path,
            "VENV": env.options,
            "PIP": "--no-index --find-links ." if request.offline else "",
            "REQUIREMENTS": "\n".join(env.requirements),
        },
        stdin=package.tar({"SHA256SUMS": checksum_lines(files), **files}),
        as_root=True,
    )
    if result.code:
        raise environment.installation_error(board, result, request.offline)


async def _upload_release(
    connection: Connection,
    board: Target,
    request: DeployRequest,
    env: Environment,
    on_step: StepCallback,
) -> None:
    """Upload the release if it is missing or incomplete."""
    on_step("release")
    release = request.release
    upload = board.complete_release != release.name
    if upload:
        board.check_space(release.size // 1024)
    result = await connection.run(
        "release.sh",
        {
            "ROOT": board.root,
            "RELEASE": release.name,
            "ENVIRONMENT": env.name,
            "OWNER": board.owner,
            "UPLOAD": "yes" if upload else "no",
        },
        stdin=package.tar(release.files) if upload else b"",
        as_root=True,
    )
    if environment.is_disk_full(result.err):
        raise environment.disk_full_error(board)
    if result.code == 65:  # EX_DATAERR
        raise ReleaseError(
            f"the release {release.name} to arrive unchanged on {board.address}",
            "different files",
            "deploy again; if this persists, the board's storage or its tar is faulty",
            code="release-corrupt",
        )
    if result.code:
        raise _script_failed(board, "release", result.err)


async def _run_selftest(
    connection: Connection,
    board: Target,
    request: DeployRequest,
    env: Environment,
    on_step: StepCallback,
) -> tuple[str, str] | None:
    """Run the self-test of the release; return a failure as sentence and output, or None."""
    on_step("self-test")
    variables = {"ROOT": board.root, "RELEASE": request.release.name, "OWNER": board.owner}
    result = await connection.run("selftest.sh", variables, as_root=True)
    if result.code == 0:
        return None
    try:
        report = json.loads(result.out)
        if "error" in report:
            return f"the self-test failed: {report['error']['message']}", result.err
        rows = [row for row in report["models"] if not row["passed"]]
        wrong = ", ".join(f"{row['model']} (deviation {row['deviation']:.3f})" for row in rows)
        return f"the self-test failed: outputs differ from the workstation's: {wrong}", ""
    except (ValueError, KeyError):
        # No report: the environment, which other releases may use, is broken.
        last = (result.err.strip().splitlines() or [f"exit code {result.code}"])[-1]
        sudo = "sudo " if connection.sudo else ""
        command = f"{board.address.ssh} {sudo}rm -r {board.root}/envs/{env.name}"
        return (
            f"the self-test failed: {last}; to reinstall with the next deploy, run '{command}'",
            result.err,
        )


async def switch(connection: Connection, board: Target, release: str, text: str) -> Outcome:
    """Switch the service to a release ("": the previous one), and back if it gives no frame.

    Raises:
        BoardError: there is no previous release, or the script failed.
    """
    variables = {
        "ROOT": board.root,
        "RELEASE": release,
        "UNITS": board.units,
        "UNIT": text.rstrip("\n"),
        **board.systemctl,
    }
    result = await connection.run("switch.sh", variables, as_root=True)
    values, address = result.values, board.address
    if result.code == 0:
        return Outcome(address, values["release"], changed=True, notes=_notes(values))
    if result.code == 66:  # EX_NOINPUT
        raise BoardError(
            f"a previous release on {address}",
            "none",
            "use 'edge deploy' to install one",
            code="no-previous-release",
        )
    if environment.is_disk_full(result.err):
        raise environment.disk_full_error(board)
    if result.code != 70:  # EX_SOFTWARE
        raise _script_failed(board, "switch", result.err)
    reason = "no frame was processed in time"
    if "dead" in values:
        reason += f", and the previous release {values['dead']} does not start either"
    restored = values.get("restored", "")
    detail = redact(result.err)
    return Outcome(address, restored, code="no-frame-processed", reason=reason, detail=detail)


def _notes(values: dict[str, str]) -> tuple[str, ...]:
    if "linger" not in values:
        return ()
    command = f"sudo loginctl enable-linger {values['linger']}"
    return (f"the service stops when its user logs out; to keep it running: {command}",)


def _script_failed(board: Target, step: str, stderr: str) -> BoardError:
    last = (stderr.strip().splitlines() or ["no error message"])[-1]
    return BoardError(
        f"the {step} step on {board.address} to succeed",
        last,
        "fix that on the board and run the command again",
        code="board-step-failed",
    )
