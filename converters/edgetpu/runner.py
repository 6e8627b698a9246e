"""Edge TPU compiler as a subprocess: from the PATH or in Docker, with a time limit."""

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
"""Time limit in seconds for querying Docker and for stopping a container."""

_CONTAINER_FOLDER = "/work"


@dataclass(frozen=True, slots=True)
class CompilerProgram:
    """Command line of the compiler.

    ``command``: precedes its arguments; ``stop``: command that ends what killing the process does
    not reach.
    """

    command: tuple[str, ...]
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompilerRun:
    """Result of a run: its exit code, and everything that it printed."""

    code: int
    text: str


def on_path() -> CompilerProgram:
    """Find the compiler on the PATH.

    Raises:
        MissingCompilerError: it is not there.
    """
    path = shutil.which(installation.PROGRAM)
    if path is None:
        raise installation.compiler_missing()
    return CompilerProgram((path,))


def in_docker(folder: Path) -> CompilerProgram:
    """Return the command to run the compiler in Docker, with ``folder`` and without a network.

    Raises:
        MissingCompilerError: Docker is missing or does not respond, or has no such image.
    """
    docker = shutil.which("docker")
    if docker is None:
        raise installation.docker_error(
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
        *("--volume", f"{folder}:{_CONTAINER_FOLDER}", "--workdir", _CONTAINER_FOLDER),
        *(installation.IMAGE, installation.PROGRAM),
    )
    return CompilerProgram(command, (docker, "kill", name))


def _require_image(docker: str) -> None:
    command = [docker, "image", "inspect", installation.IMAGE]
    try:
        inspection = subprocess.run(
            command, capture_output=True, text=True, timeout=DOCKER_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        raise _docker_failure(f"no answer within {DOCKER_TIMEOUT:g} seconds") from None
    if inspection.returncode == 0:
        return
    if re.search("no such (image|object)|image not known", inspection.stderr, re.IGNORECASE):
        raise installation.docker_error(
            f"the Docker image '{installation.IMAGE}'",
            "no such image",
            f"build it: {installation.BUILD_COMMAND}",
            "docker-image-not-found",
        )
    raise _docker_failure(
        " ".join(inspection.stderr.split()) or f"exit code {inspection.returncode}"
    )


def _docker_failure(problem: str) -> installation.MissingCompilerError:
    fix = "start Docker, or compile without --docker"
    return installation.docker_error("Docker to respond", problem, fix, "docker-not-responding")


def run(
    program: CompilerProgram, arguments: Sequence[str], folder: Path, timeout: float
) -> CompilerRun:
    """Run ``program`` in ``folder`` and end all its processes afterwards, even on errors.

    Output goes to a file, not a pipe: a grandchild that outlives its parent would keep a pipe
    open forever.

    Args:
        program: from :func:`on_path` or :func:`in_docker`.
        arguments: of the compiler.
        folder: working directory.
        timeout: seconds until it is stopped.

    Raises:
        CompilerError: it does not start, or does not finish in time.
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
            _kill(process, program)
    return CompilerRun(code, printed.read_text(encoding="utf-8", errors="replace"))


def _kill(process: "subprocess.Popen[bytes]", program: CompilerProgram) -> None:
    """Kill the process group and, where it still runs, the container."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode is not None:
        return
    process.wait()
    if program.stop:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(program.stop, capture_output=True, timeout=DOCKER_TIMEOUT, check=False)
