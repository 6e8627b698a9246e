"""Installation of the Edge TPU compiler: closed-source, by Google, for x86-64 Linux only.

Sources: https://coral.ai/docs/edgetpu/compiler for the package, its system and the notebook. The
Dockerfile installs the same package; it was never built by the toolkit's authors.
"""

import platform

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
