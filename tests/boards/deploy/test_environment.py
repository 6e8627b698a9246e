"""The virtual environment on a board."""

from pathlib import Path

from errors import error_code
from ssh_board import SshBoard

from .conftest import RUN, Edge


def test_failed_installation_leaves_nothing(edge: Edge, out: Path, board: SshBoard) -> None:
    board.root.joinpath("envs").unlink()
    board.stand_in(
        "python3",
        """\
        case "$1 $2" in
        "-m venv")
            mkdir -p "$3/bin"
            printf '#!/bin/sh\necho ERROR: No matching distribution found for numpy >&2; exit 1\n' \
                >"$3/bin/python"
            chmod +x "$3/bin/python" ;;
        *) echo 3.11 ;;
        esac
        """,
    )
    result = edge("deploy", out, board.address, "--run", RUN)
    assert (result.code, error_code(result.err)) == (2, "packages-not-installed")
    assert "ERROR: No matching distribution found for numpy" in result.err
    assert not list(board.root.glob("envs/*")), "an incomplete environment was left"
