"""Boards that do not meet a requirement."""

from pathlib import Path

from errors import error_code
from ssh_board import SshBoard

from edge.quantities import size

from .conftest import RUN, Edge


def test_a_full_disk(edge: Edge, out: Path, board: SshBoard) -> None:
    board.stand_in(
        "df", "echo Filesystem 1024-blocks Used Available\necho /dev/root 30000000 29980000 20000\n"
    )
    result = edge("deploy", out, board.address, "--run", RUN)
    assert (result.code, error_code(result.err)) == (2, "board-disk-full")
    assert f"{board.root} on {board.address}" in result.err
    assert size(1024 * 20_000) in result.err
    assert board.running == ""


def test_an_old_python(edge: Edge, out: Path, board: SshBoard) -> None:
    board.stand_in("python3", "echo 3.9\n")
    result = edge("deploy", out, board.address, "--run", RUN)
    assert (result.code, error_code(result.err)) == (2, "board-python-unsupported")
    assert board.address in result.err
    assert " 3.9 (" in result.err


def test_a_python_without_venv(edge: Edge, out: Path, board: SshBoard) -> None:
    board.stand_in("python3", "case $2 in *venv*) exit 1 ;; *) echo 3.11 ;; esac\n")
    result = edge("deploy", out, board.address, "--run", RUN)
    assert (result.code, error_code(result.err)) == (2, "board-python-without-venv")
    assert "apt-get install -y python3.11-venv" in result.err


def test_a_32_bit_system(edge: Edge, out: Path, board: SshBoard) -> None:
    board.stand_in("getconf", "[ $1 != LONG_BIT ] || echo 32\n")
    board.stand_in("uname", "echo aarch64\n")
    result = edge("deploy", out, board.address, "--run", RUN)
    assert (result.code, error_code(result.err)) == (2, "board-architecture-unsupported")
    assert board.address in result.err
    assert "32-bit" in result.err and "aarch64" in result.err
