"""The machine as the checks see it: files below a root, commands, probes.

Everything that a check learns comes through a :class:`HostSystem`, so that it can be shown the recorded
state of a board.
"""

import json
import os
import shlex
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from boards.doctor.subprocesses import CommandResult, CommandRunner

TIMEOUT = 10.0
"""Seconds for a command that asks the system something."""

DIED = "crashed"
"""How the trouble begins where a signal ended the probe."""

PROBE_TIMEOUT = 120.0
"""Seconds for a probe: on a slow board an import can take many."""


@dataclass(frozen=True, slots=True)
class HostSystem:
    """A machine.

    Attributes:
        root: the folder that "/" stands for.
        run: runs a command for at most some seconds; never raises.
        stop: ends the commands that run; later ones are not begun.
        may_use: whether this user may read and write a file.
        python: the interpreter of the environment that is examined.
        now: the system's time.
    """

    root: Path
    run: Callable[[tuple[str, ...], float], CommandResult]
    stop: Callable[[], None]
    may_use: Callable[[Path], bool]
    python: str
    now: datetime

    def text(self, path: str | Path) -> str | None:
        """The stripped text of a file, or None where it cannot be read; NULs are left out.

        ``path``: below the root, or as :meth:`found` tells it.
        """
        try:
            content = (self.root / path).read_bytes()
        except OSError:
            return None
        return content.decode("utf-8", "replace").replace("\0", "").strip()

    def found(self, pattern: str) -> list[Path]:
        """The files that match a glob pattern, sorted."""
        return sorted(self.root.glob(pattern))

    def ask(self, *command: str) -> str | None:
        """What a command prints, stripped; None where it is missing or fails."""
        answer = self.run(command, TIMEOUT)
        return answer.out.strip() if answer.code == 0 else None

    def probe(self, name: str, *given: str) -> dict[str, Any]:
        """What a probe of :mod:`boards.doctor.probes` says; ``trouble`` holds why it could not."""
        command = (self.python, "-P", "-m", "boards.doctor.probes", name, *given)
        answer = self.run(command, PROBE_TIMEOUT)
        with suppress(ValueError, IndexError):
            said = json.loads(answer.out.splitlines()[-1])
            if isinstance(said, dict):
                return said
        return {"trouble": _death(answer)}

    def pip(self, *requirements: str) -> str:
        """The command that installs ``requirements`` into the environment that is examined."""
        return " ".join(
            [shlex.quote(self.python), "-m pip install", *map(shlex.quote, requirements)]
        )


def here() -> HostSystem:
    """The machine that this runs on."""
    commands = CommandRunner()
    return HostSystem(
        Path("/"), commands.run, commands.stop, _may_use, sys.executable, datetime.now(UTC)
    )  # fmt: skip


def _death(answer: CommandResult) -> str:
    """Why a probe said nothing."""
    if answer.code < 0:
        return f"{DIED} ({signal.Signals(-answer.code).name})"
    lines = answer.err.strip().splitlines()
    return lines[-1] if lines else f"no output (exit code {answer.code})"


def _may_use(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK)
