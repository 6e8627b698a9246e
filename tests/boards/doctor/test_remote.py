"""``edge doctor --host`` against a real sshd, behind which a folder plays the board."""

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
        with ssh_board.board(folder, workstation, folder) as made:
            yield made


@pytest.fixture
def ask(run_edge, board: SshBoard, workstation: ssh_board.Workstation) -> Callable[..., tuple]:  # type: ignore[no-untyped-def, type-arg]
    """``ask(*options)`` is ``edge doctor --host``: its exit code, stdout and stderr."""

    def call(*options: str) -> tuple[int, str, str]:
        done = run_edge("doctor", "--host", board.address, *options, env=workstation.environment)
        return done.returncode, done.stdout, done.stderr

    return call


def put(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)


def test_without_the_toolkit_there_it_says_how_to_install_it(ask) -> None:  # type: ignore[no-untyped-def]
    code, _, said = ask()
    assert (code, error_code(said)) == (2, "toolkit-not-on-board")
    assert f"~/edge/bin/pip install {board_source().requirement}'" in said


def test_the_board_is_examined_by_its_own_toolkit(ask, board: SshBoard) -> None:  # type: ignore[no-untyped-def]
    board.stand_in("vcgencmd", "echo throttled=0x50005\n")
    board.stand_in("edge", HERE)
    code, out, _ = ask("--board", "raspberry-pi-4b", "--json")
    told = json.loads(out)
    assert (code, told["state"], told["board"]) == (3, "fail", "raspberry-pi-4b")
    (power,) = [one for one in told["findings"] if one["subject"] == "power"]
    assert power["state"] == "fail"


def test_the_page_is_as_on_the_board(ask, board: SshBoard) -> None:  # type: ignore[no-untyped-def]
    board.stand_in("edge", HERE)
    code, out, _ = ask()
    assert code in (0, 1)
    assert "interpreter" in out


def test_what_was_deployed_comes_before_another_toolkit(ask, board: SshBoard) -> None:  # type: ignore[no-untyped-def]
    board.stand_in("edge", "exit 1\n")
    deployed = board.root / "current/env/bin/edge"
    put(deployed, 'echo \'{"board": "b", "title": "t", "findings": [], "limits": []}\'\n')
    code, out, _ = ask("--json")
    deployed.unlink()
    assert (code, json.loads(out)["board"]) == (0, "b")


def test_a_toolkit_that_answers_otherwise_is_told(ask, board: SshBoard) -> None:  # type: ignore[no-untyped-def]
    board.stand_in("edge", "echo \"edge: expected a command, found 'doctor'\" >&2; exit 2\n")
    code, _, said = ask()
    assert (code, error_code(said)) == (2, "doctor-report-unreadable")
    assert "expected a command, found 'doctor'" in said, "what the board printed"
