"""Commands that the doctor runs side by side, and ends all at once."""

import os
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass

MISSING, TIMED_OUT = 127, 124
"""Exit codes as of a shell and of ``timeout``."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command said; ``code`` is its exit code, negative for a signal."""

    out: str = ""
    err: str = ""
    code: int = 0


class CommandRunner:
    """Each runs in English, without input and in a session of its own, where Ctrl-C does not
    reach it: hence :meth:`stop`."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False
        self._changing = threading.Lock()

    def run(self, command: tuple[str, ...], timeout: float) -> CommandResult:
        """Run a command; killed with its children after ``timeout`` s. Never raises."""
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
        """Kill what runs; what comes is not begun."""
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
    """With its children, which share its session."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
