"""What the board side installs, with sizes: a table.

    python tests/benchmarks/board_size.py [--python 3.11] [--processor aarch64] [--extra web]

The wheel is built and installed into an empty folder as on a board, nothing but wheels, with what
the package index of this machine has; sizes are those of the installed files, without the
bytecode that Python adds when it runs.
"""

import argparse
import subprocess
import sys
import tempfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from uv import find_uv_bin

REPOSITORY = Path(__file__).resolve().parents[2]


def build(folder: Path) -> Path:
    """The project's wheel, from its source archive: ``build/`` may hold what is long gone."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, extras: list[str], python: str, processor: str, folder: Path) -> None:
    """Install the wheel with its dependencies for another machine; nothing of it is run."""
    requirement = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
    command = [
        find_uv_bin(), "pip", "install", "--quiet", "--target", str(folder), "--no-build",
        "--python-version", python, "--python-platform", f"{processor}-manylinux_2_34", requirement,
    ]  # fmt: skip
    subprocess.run(command, cwd=REPOSITORY, check=True)


def size(distribution: Distribution) -> int:
    """Bytes of its files."""
    paths = (Path(str(distribution.locate_file(file))) for file in distribution.files or [])
    return sum(path.stat().st_size for path in paths if path.is_file())


def brought_by(name: str, installed: list[Distribution], machines: list[dict[str, str]]) -> str:
    """The packages that require it; ``machines``: the conditions of the board, one per extra."""

    def requires(line: str) -> bool:
        requirement = Requirement(line)
        counts = requirement.marker is None or any(map(requirement.marker.evaluate, machines))
        return counts and canonicalize_name(requirement.name) == name

    return ", ".join(other.name for other in installed if any(map(requires, other.requires or [])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--python", default="3.11", help="such as 3.11 (bookworm), 3.13 (trixie)")
    parser.add_argument("--processor", default="aarch64", choices=("aarch64", "x86_64"))
    parser.add_argument("--extra", action="append", default=[], help="such as web")
    options = parser.parse_args()
    board = {"python_version": options.python, "platform_machine": options.processor}
    machines = [board | {"extra": extra} for extra in ("", *options.extra)]
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "board")
        install(
            build(Path(folder, "wheel")), options.extra, options.python, options.processor, target
        )
        installed = sorted(distributions(path=[str(target)]), key=size, reverse=True)
        rows = [
            (package.name, package.version, f"{size(package) / 1e6:.1f}",
             brought_by(canonicalize_name(package.name), installed, machines))
            for package in installed
        ]  # fmt: skip
        total = sum(map(size, installed)) / 1e6
    extras = "".join(f", with {extra}" for extra in options.extra)
    print(f"Python {options.python} on {options.processor}{extras}\n")
    print("| package | version | MB | because of |\n|---|---|---:|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(f"| {len(rows)} packages | | {total:.1f} | |")


if __name__ == "__main__":
    main()
