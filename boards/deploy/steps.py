"""One board, one release: the steps of a deploy, each of which may be the last one.

Until scripts/switch.sh nothing is changed that runs. That one goes on without us once it began:
it ends with the new release running, or with the old one.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from boards.deploy import environment, offline, package, systemd_unit
from boards.deploy.environment import Environment
from boards.deploy.package import ReleasePackage
from boards.deploy.ssh import BoardAddress, Connection, connect
from boards.deploy.target import Target
from boards.deploy.wheel import OwnWheel
from edge.deployment.release import checksum_lines
from edge.errors import BoardError, ReleaseError

Tell = Callable[[str], None]
"""Told the name of a step when it begins."""


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """What is to be deployed. ``wait``: seconds for the first frame; ``offline``: the board has no
    package index; ``who``: for the lock."""

    release: ReleasePackage
    wheel: OwnWheel
    wait: int
    offline: bool
    who: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a board: ``release`` runs there ("" for none), which ``changed`` just now.

    ``why``: what failed, in words, where the release that was wanted does not run; ``code``: the
    stable id of that; ``detail``: what the board printed meanwhile; ``notes``: sentences for the
    user.
    """

    address: BoardAddress
    release: str
    changed: bool = False
    code: str = ""
    why: str = ""
    detail: str = ""
    notes: tuple[str, ...] = field(default=())


async def deploy(
    address: BoardAddress, wanted: DeployRequest, identity: str | None, tell: Tell
) -> Outcome:
    """Let a board run a release.

    Raises:
        BoardError: the board cannot be reached, will not do, or is being deployed to.
        ReleaseError: the release came to it otherwise than it was sent.
    """
    tell("connect")
    async with connect(address, identity) as connection:
        board = await probe(connection, wanted.release.name)
        made = environment.build_environment(board.check(), wanted.release.manifest, wanted.wheel)
        text = systemd_unit.render_unit(root=board.root, owner=board.owner, wait=wanted.wait)
        if _runs(board, wanted, made, text):
            return Outcome(address, wanted.release.name)
        async with locked(connection, board, wanted.who):
            board = await probe(connection, wanted.release.name)  # another one may just have ended
            await _environment(connection, board, wanted, made, tell)
            await _release(connection, board, wanted, made, tell)
            trouble = await _selftest(connection, board, wanted, made, tell)
            if trouble is not None:
                why, detail = trouble
                return Outcome(
                    address, board.current, code="selftest-failed", why=why, detail=detail
                )
            tell("first frame")
            return await switch(connection, board, wanted.release.name, text)


async def rollback(address: BoardAddress, who: str, identity: str | None, tell: Tell) -> Outcome:
    """Let a board run the release that ran before.

    Raises:
        BoardError: the board cannot be reached, is being deployed to, or has no such release.
    """
    tell("connect")
    async with connect(address, identity) as connection:
        board = await probe(connection, "")
        async with locked(connection, board, who):
            tell("first frame")
            return await switch(connection, board, "", "")


async def probe(connection: Connection, release: str) -> Target:
    """What the board says of itself, and of a release.

    Raises:
        BoardError: it is no Linux, or the connection was cut.
    """
    done = await connection.run("probe.sh", {"RELEASE": release})
    board = Target.read(connection.address, done)
    connection.sudo = board.mode == "system" and board.uid != "0"
    return board


@asynccontextmanager
async def locked(connection: Connection, board: Target, who: str) -> AsyncIterator[None]:
    """Keep other deploys away from a board meanwhile.

    Raises:
        BoardError: another one holds the lock.
    """
    variables = {"ROOT": board.root, "WHO": who}
    async with connection.holding("lock.sh", variables, as_root=True) as done:
        if done.code == 75:  # EX_TEMPFAIL
            raise BoardError(
                f"no other deploy to {board.address}",
                f"one by {done.err.strip()}",
                "wait until it is finished",
                code="deploy-in-progress",
            )
        if done.code:
            raise _script_failed(board, "lock", done.err)
        yield


def _runs(board: Target, wanted: DeployRequest, made: Environment, text: str) -> bool:
    """Whether a board runs just what is wanted already."""
    name = wanted.release.name
    known = board.current == board.whole == name and board.environment == made.name
    same = board.unit == hashlib.sha256(text.encode()).hexdigest()
    return known and same and made.name in board.ready and board.state == "active"


async def _environment(
    connection: Connection, board: Target, wanted: DeployRequest, made: Environment, tell: Tell
) -> None:
    """Make the virtual environment, where it is not there."""
    if made.name in board.ready:
        return
    files = {wanted.wheel.name: wanted.wheel.content}
    if wanted.offline:
        tell("wheels")
        extras = wanted.release.manifest.extras
        # In a thread, since the lock wants a sign of life meanwhile.
        files |= await asyncio.to_thread(offline.fetch, board, made, extras)
    size = sum(len(content) for content in files.values())
    board.has_room(environment.SIZE_KIB + size // 1024 + wanted.release.size // 1024)
    tell("environment")
    done = await connection.run(
        "environment.sh",
        {
            "ROOT": board.root,
            "ENVIRONMENT": made.name,
            "PYTHON": made.python.path,
            "VENV": made.options,
            "PIP": "--no-index --find-links ." if wanted.offline else "",
            "REQUIREMENTS": "\n".join(made.requirements),
        },
        brings=package.tar({"SHA256SUMS": checksum_lines(files), **files}),
        as_root=True,
    )
    if done.code:
        raise environment.failure(board, done, wanted.offline)


async def _release(
    connection: Connection, board: Target, wanted: DeployRequest, made: Environment, tell: Tell
) -> None:
    """Send the release, where it is not there whole."""
    tell("release")
    release = wanted.release
    upload = board.whole != release.name
    if upload:
        board.has_room(release.size // 1024)
    done = await connection.run(
        "release.sh",
        {
            "ROOT": board.root,
            "RELEASE": release.name,
            "ENVIRONMENT": made.name,
            "OWNER": board.owner,
            "UPLOAD": "yes" if upload else "no",
        },
        brings=package.tar(release.files) if upload else b"",
        as_root=True,
    )
    if environment.no_space(done.err):
        raise environment.disk_full_error(board)
    if done.code == 65:  # EX_DATAERR
        raise ReleaseError(
            f"the release {release.name} to arrive unchanged on {board.address}",
            "different files",
            "deploy again; if this persists, the board's storage or its tar is faulty",
            code="release-corrupt",
        )
    if done.code:
        raise _script_failed(board, "release", done.err)


async def _selftest(
    connection: Connection, board: Target, wanted: DeployRequest, made: Environment, tell: Tell
) -> tuple[str, str] | None:
    """Try the release on the board; what is wrong, in a sentence and as it was printed, or None."""
    tell("self-test")
    variables = {"ROOT": board.root, "RELEASE": wanted.release.name, "OWNER": board.owner}
    done = await connection.run("selftest.sh", variables, as_root=True)
    if done.code == 0:
        return None
    try:
        said = json.loads(done.out)
        if "error" in said:
            return f"the self-test failed: {said['error']['message']}", done.err
        rows = [row for row in said["models"] if not row["passed"]]
        wrong = ", ".join(f"{row['model']} (deviation {row['deviation']:.3f})" for row in rows)
        return f"the self-test failed: outputs differ from the workstation's: {wrong}", ""
    except (ValueError, KeyError):
        # Not even an error of ours: the environment, which other releases may run in, is broken.
        last = (done.err.strip().splitlines() or [f"exit code {done.code}"])[-1]
        sudo = "sudo " if connection.sudo else ""
        again = f"{board.address.ssh} {sudo}rm -r {board.root}/envs/{made.name}"
        return (
            f"the self-test failed: {last}; to reinstall with the next deploy, run '{again}'",
            done.err,
        )


async def switch(connection: Connection, board: Target, release: str, text: str) -> Outcome:
    """Let the service run a release, the one before where it is ""; if it gives no frame, the old.

    Raises:
        BoardError: there is no release before, or systemd cannot be spoken to.
    """
    variables = {
        "ROOT": board.root,
        "RELEASE": release,
        "UNITS": board.units,
        "UNIT": text.rstrip("\n"),
        **board.systemctl,
    }
    done = await connection.run("switch.sh", variables, as_root=True)
    values, address = done.values, board.address
    if done.code == 0:
        return Outcome(address, values["release"], changed=True, notes=_notes(values))
    if done.code == 66:  # EX_NOINPUT
        raise BoardError(
            f"a previous release on {address}",
            "none",
            "use 'edge deploy' to install one",
            code="no-previous-release",
        )
    if environment.no_space(done.err):
        raise environment.disk_full_error(board)
    if done.code != 70:  # EX_SOFTWARE
        raise _script_failed(board, "switch", done.err)
    why = "no frame was processed in time"
    if "dead" in values:
        why += f", and the previous release {values['dead']} does not start either"
    restored = values.get("restored", "")
    return Outcome(address, restored, code="no-frame-processed", why=why, detail=done.err)


def _notes(values: dict[str, str]) -> tuple[str, ...]:
    if "linger" not in values:
        return ()
    command = f"sudo loginctl enable-linger {values['linger']}"
    return (f"the service stops when its user logs out; to keep it running: {command}",)


def _script_failed(board: Target, step: str, said: str) -> BoardError:
    last = (said.strip().splitlines() or ["no error message"])[-1]
    return BoardError(
        f"the {step} step on {board.address} to succeed",
        last,
        "fix that on the board and run the command again",
        code="board-step-failed",
    )
