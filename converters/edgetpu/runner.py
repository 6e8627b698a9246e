"""Find edgetpu_compiler or explain its installation; run it natively or in Docker.

The compiler is closed-source, by Google, for x86-64 Linux only. Sources:
https://coral.ai/docs/edgetpu/compiler for the package, its system and the notebook. The Dockerfile
installs the same package; it was never built by the toolkit's authors.
"""

import contextlib
import os
import platform
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import CompilerError

PROGRAM = "edgetpu_compiler"
IMAGE = "edgetpu-compiler"
PLATFORM = "linux/amd64"
NOTEBOOK = (
    "https://colab.research.google.com/github/google-coral/tutorials/blob/master/"
    "compile_for_edgetpu.ipynb"
)

_KEY = "https://packages.cloud.google.com/apt/doc/apt-key.gpg"
_KEYRING = "/usr/share/keyrings/coral-edgetpu.gpg"
_LIST = "/etc/apt/sources.list.d/coral-edgetpu.list"
_SOURCE = (
    f"deb [signed-by={_KEYRING}] https://packages.cloud.google.com/apt coral-edgetpu-stable main"
)

DOCKERFILE = f"""\
FROM --platform={PLATFORM} debian:bookworm-slim
RUN apt-get update \\
 && apt-get install -y --no-install-recommends ca-certificates curl gnupg \\
 && curl -fsSL {_KEY} -o /tmp/key \\
 && gpg --dearmor -o {_KEYRING} /tmp/key \\
 && echo '{_SOURCE}' > {_LIST} \\
 && apt-get update \\
 && apt-get install -y --no-install-recommends {IMAGE} \\
 && rm -rf /var/lib/apt/lists/* /tmp/key
"""
"""Dockerfile of the image that ``--docker`` runs."""

BUILD_COMMAND = f"edge compile --docker-recipe | docker build --platform {PLATFORM} -t {IMAGE} -"


class MissingCompilerError(CompilerError):
    """The compiler is not installed; ``instructions`` are the commands to install it."""

    def __init__(
        self, expected: str, actual: str, fix: str, instructions: str, *, code: str
    ) -> None:
        super().__init__(expected, actual, fix, code=code)
        self.instructions = instructions


def compiler_missing() -> MissingCompilerError:
    """Return the error for a machine without the compiler."""
    return MissingCompilerError(
        f"{PROGRAM} on the PATH (available for x86-64 Linux only)",
        "none" if can_run_compiler() else _machine(),
        "install it with apt, run it in Docker with --docker, or use Google's notebook: "
        "'edge compile --help' has the exact commands",
        install_instructions(),
        code="compiler-not-found",
    )


def docker_error(expected: str, actual: str, fix: str, code: str) -> MissingCompilerError:
    """Return an error of Docker's, with the Dockerfile of the compiler's image."""
    instructions = (
        f"The Dockerfile of the image '{IMAGE}':\n\n{DOCKERFILE}\n"
        f"To build it:\n\n  {BUILD_COMMAND}\n"
    )
    return MissingCompilerError(expected, actual, fix, instructions, code=code)


def can_run_compiler() -> bool:
    """Check that this machine can run the compiler without emulation."""
    return platform.system() == "Linux" and platform.machine() in ("x86_64", "AMD64")


def _machine() -> str:
    return f"{platform.machine()} {platform.system()}"


def install_instructions() -> str:
    """Return the commands to install the compiler, as text."""
    machine = (
        "this machine" if can_run_compiler() else f"an x86-64 Linux machine (this is {_machine()})"
    )
    slow = "" if can_run_compiler() else " (emulated here: slow, and only if Docker supports it)"
    return f"""\
How to get the Edge TPU compiler, which Google provides for x86-64 Linux only:

1. On {machine}, with Debian or Ubuntu:
     curl -fsSL {_KEY} | sudo gpg --dearmor -o {_KEYRING}
     echo '{_SOURCE}' | sudo tee {_LIST}
     sudo apt-get update && sudo apt-get install {IMAGE}

2. In Docker{slow}:
     {BUILD_COMMAND}
     edge compile MODEL --docker

3. In the browser, without installing anything, in Google's notebook:
     {NOTEBOOK}
"""


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
    path = shutil.which(PROGRAM)
    if path is None:
        raise compiler_missing()
    return CompilerProgram((path,))


def in_docker(folder: Path) -> CompilerProgram:
    """Return the command to run the compiler in Docker, with ``folder`` and without a network.

    Raises:
        MissingCompilerError: Docker is missing or does not respond, or has no such image.
    """
    docker = shutil.which("docker")
    if docker is None:
        raise docker_error(
            "docker on the PATH",
            "none",
            "install Docker, or compile without --docker",
            "docker-not-found",
        )
    _require_image(docker)
    name = f"{IMAGE}-{secrets.token_hex(4)}"
    command = (
        *(docker, "run", "--rm", "--name", name, "--network", "none"),
        *("--platform", PLATFORM, "--user", f"{os.getuid()}:{os.getgid()}"),
        *("--volume", f"{folder}:{_CONTAINER_FOLDER}", "--workdir", _CONTAINER_FOLDER),
        *(IMAGE, PROGRAM),
    )
    return CompilerProgram(command, (docker, "kill", name))


def _require_image(docker: str) -> None:
    command = [docker, "image", "inspect", IMAGE]
    try:
        inspection = subprocess.run(
            command, capture_output=True, text=True, timeout=DOCKER_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        raise _docker_failure(f"no answer within {DOCKER_TIMEOUT:g} seconds") from None
    if inspection.returncode == 0:
        return
    if re.search("no such (image|object)|image not known", inspection.stderr, re.IGNORECASE):
        raise docker_error(
            f"the Docker image '{IMAGE}'",
            "no such image",
            f"build it: {BUILD_COMMAND}",
            "docker-image-not-found",
        )
    raise _docker_failure(
        " ".join(inspection.stderr.split()) or f"exit code {inspection.returncode}"
    )


def _docker_failure(problem: str) -> MissingCompilerError:
    fix = "start Docker, or compile without --docker"
    return docker_error("Docker to respond", problem, fix, "docker-not-responding")


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
