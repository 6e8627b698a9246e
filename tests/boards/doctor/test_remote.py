"""``edge doctor HOST`` against a real sshd; a folder stands in for the board."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import ssh_board
from errors import error_code
from ssh_board import SshBoard

from edge.installation import board_source

HERE = f'exec {sys.executable} -m edge "$@"\n'
"""The toolkit of this environment."""


@pytest.fixture(scope="module")
def workstation(tmp_path_factory: pytest.TempPathFactory) -> ssh_board.Workstation:
    if ssh_board.SSHD is None:
        pytest.skip("sshd: openssh-server is not installed")
    return ssh_board.make_workstation(tmp_path_factory.mktemp("workstation"))


@pytest.fixture(scope="module")
def board(
    workstation: ssh_board.Workstation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SshBoard]:
    folder = tmp_path_factory.mktemp("board")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "/usr/bin:/bin")  # no edge on it
        with ssh_board.board(folder, workstation, folder) as emulated:
            yield emulated


@pytest.fixture
def run_doctor(
    run_edge, board: SshBoard, workstation: ssh_board.Workstation
) -> Callable[..., tuple]:  # type: ignore[no-untyped-def, type-arg]
    """``run_doctor(*options)`` runs ``edge doctor HOST``; returns exit code, stdout, stderr."""

    def call(*options: str) -> tuple[int, str, str]:
        done = run_edge("doctor", board.address, *options, env=workstation.environment)
        return done.returncode, done.stdout, done.stderr

    return call


def put(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)


def test_a_missing_toolkit_comes_with_its_install_command(run_doctor) -> None:  # type: ignore[no-untyped-def]
    code, _, stderr = run_doctor()
    assert (code, error_code(stderr)) == (2, "toolkit-not-on-board")
    assert f"~/edge/bin/pip install {board_source().requirement}'" in stderr


def test_the_board_runs_its_own_toolkit(run_doctor, board: SshBoard) -> None:  # type: ignore[no-untyped-def]
    board.stand_in("vcgencmd", "echo throttled=0x50005\n")
    board.stand_in("edge", HERE)
    code, out, _ = run_doctor("--board", "raspberry-pi-4b", "--json")
    report = json.loads(out)
    assert (code, report["state"], report["board"]) == (3, "fail", "raspberry-pi-4b")
    (power,) = [finding for finding in report["findings"] if finding["subject"] == "power"]
    assert power["state"] == "fail"


def test_the_text_output_is_the_same(run_doctor, board: SshBoard) -> None:  # type: ignore[no-untyped-def]
    board.stand_in("edge", HERE)
    code, out, _ = run_doctor()
    assert code in (0, 1)
    assert "interpreter" in out


def test_the_deployed_toolkit_comes_first(run_doctor, board: SshBoard) -> None:  # type: ignore[no-untyped-def]
    board.stand_in("edge", "exit 1\n")
    deployed = board.root / "current/env/bin/edge"
    put(deployed, 'echo \'{"board": "b", "title": "t", "findings": [], "limits": []}\'\n')
    code, out, _ = run_doctor("--json")
    deployed.unlink()
    assert (code, json.loads(out)["board"]) == (0, "b")


def test_an_unreadable_report_is_an_error(run_doctor, board: SshBoard) -> None:  # type: ignore[no-untyped-def]
    board.stand_in("edge", "echo \"edge: expected a command, found 'doctor'\" >&2; exit 2\n")
    code, _, stderr = run_doctor()
    assert (code, error_code(stderr)) == (2, "doctor-report-unreadable")
    assert "expected a command, found 'doctor'" in stderr, "what the board printed"
