"""Where the Edge TPU compiler is to be had: a closed program of Google's, for x86-64 Linux alone.

Sources: https://coral.ai/docs/edgetpu/compiler for the package, its system and the notebook. The
image recipe installs the same package; the toolkit's authors could not build it.
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

RECIPE = f"""\
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
"""A Dockerfile for the image that ``--docker`` runs."""

BUILD = f"edge compile --docker-recipe | docker build --platform {PLATFORM} -t {IMAGE} -"


class MissingCompilerError(CompilerError):
    """There is no compiler here; ``install_instructions`` are the exact ways to get it, for people to copy."""

    def __init__(self, expected: str, found: str, fix: str, ways: str, *, code: str) -> None:
        super().__init__(expected, found, fix, code=code)
        self.ways = ways


def compiler_missing() -> MissingCompilerError:
    """The error for a machine without the compiler."""
    return MissingCompilerError(
        f"{PROGRAM} on the PATH (available for x86-64 Linux only)",
        "none" if runs_here() else _here(),
        "install it with apt, run it in Docker with --docker, or use Google's notebook: "
        "'edge compile --help' has the exact commands",
        install_instructions(),
        code="compiler-not-found",
    )


def not_in_docker(expected: str, found: str, fix: str, code: str) -> MissingCompilerError:
    """An error of Docker's, with the recipe of the compiler's image."""
    recipe = f"The Dockerfile of the image '{IMAGE}':\n\n{RECIPE}\nTo build it:\n\n  {BUILD}\n"
    return MissingCompilerError(expected, found, fix, recipe, code=code)


def runs_here() -> bool:
    """Whether this machine can run the compiler without emulation."""
    return platform.system() == "Linux" and platform.machine() in ("x86_64", "AMD64")


def _here() -> str:
    return f"{platform.machine()} {platform.system()}"


def install_instructions() -> str:
    """The exact ways to get the compiler, for people to read and to copy."""
    machine = "this machine" if runs_here() else f"an x86-64 Linux machine (this is {_here()})"
    slow = "" if runs_here() else " (emulated here: slow, and only if Docker supports it)"
    return f"""\
How to get the Edge TPU compiler, which Google provides for x86-64 Linux only:

1. On {machine}, with Debian or Ubuntu:
     curl -fsSL {_KEY} | sudo gpg --dearmor -o {_KEYRING}
     echo '{_SOURCE}' | sudo tee {_LIST}
     sudo apt-get update && sudo apt-get install {IMAGE}

2. In Docker{slow}:
     {BUILD}
     edge compile MODEL --docker

3. In the browser, without installing anything, in Google's notebook:
     {NOTEBOOK}
"""
