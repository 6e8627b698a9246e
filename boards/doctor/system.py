"""Access to the machine for the checks: files below a root folder, commands, probes.

Checks use a :class:`HostSystem` only, so that tests can replay the recorded state of a board.
Commands run with time limits, and all of them can be killed at once.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MISSING, TIMED_OUT = 127, 124
"""Exit codes as used by a shell and by ``timeout``."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Output of a command; ``code`` is its exit code, negative for a signal."""

    out: str = ""
    err: str = ""
    code: int = 0


class CommandRunner:
    """Runs commands with English messages, without input, each in its own session.

    Ctrl-C does not reach these sessions: hence :meth:`stop`.
    """

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False
        self._changing = threading.Lock()

    def run(self, command: tuple[str, ...], timeout: float) -> CommandResult:
        """Run a command; kill it and its children after ``timeout`` seconds. Never raises."""
        try:
            process = self._start(command)
        except OSError as error:
            return CommandResult(err=str(error), code=MISSING)
        if process is None:
            return CommandResult(err="stopped", code=MISSING)
        with process:
            try:
                out, err = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                _kill(process)
                return CommandResult(err=f"no response within {timeout:g} seconds", code=TIMED_OUT)
            finally:
                with self._changing:
                    self._running.remove(process)
        return CommandResult(
            out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), process.returncode
        )

    def stop(self) -> None:
        """Kill all running commands; later ones are not started."""
        with self._changing:
            self._stopped = True
            for process in self._running:
                _kill(process)

    def _start(self, command: tuple[str, ...]) -> "subprocess.Popen[bytes] | None":
        with self._changing:
            if self._stopped:
                return None
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "ignore"},
                start_new_session=True,
            )
            self._running.add(process)
            return process


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and its children, which share its session."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


TIMEOUT = 10.0
"""Time limit of a command, in seconds."""

DIED = "crashed"
"""Prefix of the problem if a signal ended the probe."""

PROBE_TIMEOUT = 120.0
"""Time limit of a probe, in seconds: an import is slow on a small board."""


@dataclass(frozen=True, slots=True)
class HostSystem:
    """A machine and the environment that is examined.

    Attributes:
        root: the folder that stands for "/".
        run: runs a command with a time limit in seconds; never raises.
        stop: kills all running commands; later ones are not started.
        may_use: returns True if this user may read and write a file.
        python: path of the environment's Python interpreter.
        now: the system time.
    """

    root: Path
    run: Callable[[tuple[str, ...], float], CommandResult]
    stop: Callable[[], None]
    may_use: Callable[[Path], bool]
    python: str
    now: datetime

    def text(self, path: str | Path) -> str | None:
        """Return the stripped text of a file without NULs, or None if it cannot be read.

        ``path``: relative to the root, or from :meth:`glob`.
        """
        try:
            content = (self.root / path).read_bytes()
        except OSError:
            return None
        return content.decode("utf-8", "replace").replace("\0", "").strip()

    def glob(self, pattern: str) -> list[Path]:
        """List the files that match a pattern relative to the root, sorted."""
        return sorted(self.root.glob(pattern))

    def output(self, *command: str) -> str | None:
        """Return the stripped output of a command, or None if it is missing or fails."""
        result = self.run(command, TIMEOUT)
        return result.out.strip() if result.code == 0 else None

    def probe(self, name: str, *args: str) -> dict[str, Any]:
        """Run a probe of :mod:`boards.doctor.probes`; the key ``problem`` says why it failed."""
        command = (self.python, "-P", "-m", "boards.doctor.probes", name, *args)
        result = self.run(command, PROBE_TIMEOUT)
        with suppress(ValueError, IndexError):
            values = json.loads(result.out.splitlines()[-1])
            if isinstance(values, dict):
                return values
        return {"problem": _failure_reason(result)}

    def pip(self, *requirements: str) -> str:
        """Return the command that installs ``requirements`` into the environment."""
        return " ".join(
            [shlex.quote(self.python), "-m pip install", *map(shlex.quote, requirements)]
        )


def local_system() -> HostSystem:
    """Return the machine that this process runs on."""
    commands = CommandRunner()
    return HostSystem(
        Path("/"), commands.run, commands.stop, _may_use, sys.executable, datetime.now(UTC)
    )  # fmt: skip


def _failure_reason(result: CommandResult) -> str:
    """Explain why a probe printed no result."""
    if result.code < 0:
        return f"{DIED} ({signal.Signals(-result.code).name})"
    lines = result.err.strip().splitlines()
    return lines[-1] if lines else f"no output (exit code {result.code})"


def _may_use(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK)
