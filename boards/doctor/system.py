"""The machine as the checks see it: files below a root, commands, probes.

Everything that a check learns comes through a :class:`System`, so that it can be shown the recorded
state of a board.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MISSING, TIMED_OUT = 127, 124
"""Exit codes as of a shell and of ``timeout``."""

TIMEOUT = 10.0
"""Seconds for a command that asks the system something."""

PROBE_TIMEOUT = 120.0
"""Seconds for a probe: on a slow board an import can take many."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said; ``code`` is its exit code, negative for a signal."""

    out: str = ""
    err: str = ""
    code: int = 0


@dataclass(frozen=True, slots=True)
class System:
    """A machine.

    Attributes:
        root: the folder that "/" stands for.
        run: runs a command for at most some seconds; never raises.
        try_edgetpu: invokes the model of :mod:`boards.doctor.trial` on the Edge TPU with an
            interpreter, named by its module; returns None or the reason why not.
        may_use: whether this user may read and write a file.
        python: the interpreter of the environment that is examined.
        now: the system's time.
    """

    root: Path
    run: Callable[[tuple[str, ...], float], Answer]
    try_edgetpu: Callable[[str], str | None]
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

    def probe(self, name: str) -> dict[str, Any]:
        """What a probe of :mod:`boards.doctor.probes` says; ``trouble`` holds why it could not."""
        command = (self.python, "-P", "-m", "boards.doctor.probes", name)
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


def here() -> System:
    """The machine that this runs on."""
    return System(
        Path("/"), run, _try_edgetpu, _may_use, sys.executable, datetime.now(UTC)
    )  # fmt: skip


def run(command: tuple[str, ...], timeout: float) -> Answer:
    """Run a command in English without input; killed with its children after ``timeout`` s."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "ignore"},
            start_new_session=True,
        )
    except OSError as error:
        return Answer(err=str(error), code=MISSING)
    with process:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return Answer(err=f"no answer within {timeout:g} seconds", code=TIMED_OUT)
    return Answer(
        out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), process.returncode
    )


def _death(answer: Answer) -> str:
    """Why a probe said nothing."""
    if answer.code < 0:
        return f"it crashed ({signal.Signals(-answer.code).name})"
    lines = answer.err.strip().splitlines()
    return lines[-1] if lines else f"it said nothing (exit code {answer.code})"


def _try_edgetpu(module: str) -> str | None:
    from boards.doctor.trial import model
    from edge.probe import try_edgetpu

    return try_edgetpu(module, model())


def _may_use(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK)
