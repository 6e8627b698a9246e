"""Logins: unreachable hosts, invalid addresses, keys and host keys."""

import subprocess
from pathlib import Path

import pytest
from errors import error_code
from ssh_board import SshBoard, Workstation

from .conftest import RUN, Edge


def test_an_unreachable_host(edge: Edge, out: Path, board: SshBoard) -> None:
    closed = board.address.replace(str(board.port), "1")
    result = edge("deploy", out, closed, "--run", RUN)
    assert (result.code, error_code(result.err)) == (2, "board-unreachable")
    assert closed in result.err
    assert f"ssh -p 1 {closed.partition(':')[0]}" in result.err


@pytest.mark.parametrize("host", ["pi@nowhere.invalid", "pi@a..b", f"pi@{'x' * 70}"])
def test_an_unknown_host(edge: Edge, out: Path, workstation: Workstation, host: str) -> None:
    result = edge("deploy", out, host, "--run", RUN)
    assert (result.code, error_code(result.err)) == (2, "board-unreachable")
    assert host in result.err


@pytest.mark.parametrize(
    "host", ["pi@", "pi@camera:door", "pi@camera:65536", "-oProxyCommand=x", ""]
)
def test_an_invalid_address(edge: Edge, out: Path, workstation: Workstation, host: str) -> None:
    result = edge("deploy", out, "--run", RUN, "--", host)
    assert (result.code, error_code(result.err)) == (2, "invalid-board-address")
    assert f"'{host}'" in result.err


def test_a_key_that_the_board_refuses(
    edge: Edge, out: Path, board: SshBoard, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    result = edge("deploy", out, board.address, "--run", RUN, "--identity", other)
    assert (result.code, error_code(result.err)) == (2, "ssh-login-refused")
    assert board.address in result.err
    assert "ssh-copy-id" in result.err


def test_an_unusable_key(edge: Edge, out: Path, board: SshBoard, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", locked], check=True)
    for path, error in {
        locked: "ssh-key-unusable",
        tmp_path / "none": "ssh-key-not-found",
        out / "labels.txt": "ssh-key-unusable",
    }.items():
        result = edge("status", board.address, "-i", path)
        assert (result.code, error_code(result.err)) == (2, error), result.err
        assert str(path) in result.err


def test_a_changed_or_unknown_host_key(
    edge: Edge, out: Path, board: SshBoard, workstation: Workstation, tmp_path: Path
) -> None:
    lines = workstation.known_hosts.read_text().splitlines(keepends=True)
    mine = f"[127.0.0.1]:{board.port} "
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    others = [line for line in lines if not line.startswith(mine)]
    try:
        workstation.known_hosts.write_text(
            "".join([*others, mine + other.with_suffix(".pub").read_text()])
        )
        changed = edge("deploy", out, board.address, "--run", RUN)
        workstation.known_hosts.write_text("".join(others))
        unknown = edge("deploy", out, board.address, "--run", RUN)
    finally:
        workstation.known_hosts.write_text("".join(lines))
    assert (changed.code, unknown.code) == (2, 2)
    assert error_code(changed.err) == "host-key-changed"
    assert f"ssh-keygen -R '[127.0.0.1]:{board.port}'" in changed.err
    assert error_code(unknown.err) == "host-key-unknown"
    assert not board.root.joinpath("releases").exists()
