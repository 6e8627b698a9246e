"""Subprocesses with time limits that can all be killed at once."""

import os
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass

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
