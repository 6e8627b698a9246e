"""Running the Edge TPU compiler as a process: from the PATH or in Docker, with a time limit."""

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from converters.edgetpu import installation
from edge.errors import CompilerError

DOCKER_TIMEOUT = 30.0
"""Seconds that Docker has for a question, or for stopping a container."""

_WORK = "/work"


@dataclass(frozen=True, slots=True)
class CompilerProgram:
    """How the compiler is called.

    ``command`` stands before its arguments; ``stop`` ends what killing the process does not reach.
    """

    command: tuple[str, ...]
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompilerRun:
    """How a run ended: its exit code, and all that it printed."""

    code: int
    text: str


def on_path() -> CompilerProgram:
    """The compiler on the PATH.

    Raises:
        MissingCompilerError: there is none.
    """
    found = shutil.which(installation.PROGRAM)
    if found is None:
        raise installation.compiler_missing()
    return CompilerProgram((found,))


def in_docker(folder: Path) -> CompilerProgram:
    """The compiler in the image ``edgetpu-compiler``, with ``folder`` and without a network.

    Raises:
        MissingCompilerError: no Docker, none that answers, or no such image.
    """
    docker = shutil.which("docker")
    if docker is None:
        raise installation.not_in_docker(
            "docker on the PATH",
            "none",
            "install Docker, or compile without --docker",
            "docker-not-found",
        )
    _require_image(docker)
    name = f"{installation.IMAGE}-{secrets.token_hex(4)}"
    command = (
        *(docker, "run", "--rm", "--name", name, "--network", "none"),
        *("--platform", installation.PLATFORM, "--user", f"{os.getuid()}:{os.getgid()}"),
        *("--volume", f"{folder}:{_WORK}", "--workdir", _WORK),
        *(installation.IMAGE, installation.PROGRAM),
    )
    return CompilerProgram(command, (docker, "kill", name))


def _require_image(docker: str) -> None:
    command = [docker, "image", "inspect", installation.IMAGE]
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, timeout=DOCKER_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        raise _docker_fails(f"no answer within {DOCKER_TIMEOUT:g} seconds") from None
    if asked.returncode == 0:
        return
    if re.search("no such (image|object)|image not known", asked.stderr, re.IGNORECASE):
        raise installation.not_in_docker(
            f"the Docker image '{installation.IMAGE}'",
            "no such image",
            f"build it: {installation.BUILD}",
            "docker-image-not-found",
        )
    raise _docker_fails(" ".join(asked.stderr.split()) or f"exit code {asked.returncode}")


def _docker_fails(found: str) -> installation.MissingCompilerError:
    fix = "start Docker, or compile without --docker"
    return installation.not_in_docker("Docker to respond", found, fix, "docker-not-responding")


def run(
    program: CompilerProgram, arguments: Sequence[str], folder: Path, timeout: float
) -> CompilerRun:
    """Run ``program`` in ``folder``; nothing of it is left running, however this ends.

    What it prints goes through a file, not a pipe: a grandchild that outlives its parent would
    keep a pipe open for ever.

    Args:
        timeout: seconds until it is stopped.

    Raises:
        CompilerError: it does not start, or does not end in time.
    """
    printed = folder / "printed.txt"
    with printed.open("wb") as out:
        try:
            process = subprocess.Popen(
                [*program.command, *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise CompilerError(
                f"{program.command[0]} to start",
                error.strerror or str(error),
                "reinstall it; it runs on x86-64 Linux only",
                code="compiler-does-not-start",
            ) from None
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise CompilerError(
                f"the Edge TPU compiler to finish within {timeout:g} seconds",
                "no result, so it was stopped",
                "increase --timeout, or use a smaller input: large activations take long",
                code="compiler-timeout",
            ) from None
        finally:
            _end(process, program)
    return CompilerRun(code, printed.read_text(encoding="utf-8", errors="replace"))


def _end(process: "subprocess.Popen[bytes]", program: CompilerProgram) -> None:
    """End all that the process started, and the process itself where it has not ended."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode is not None:
        return
    process.wait()
    if program.stop:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(program.stop, capture_output=True, timeout=DOCKER_TIMEOUT, check=False)
