"""Boards behind a real sshd on this machine; see tests/support/ssh_board.py."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import ssh_board
import tiny_models
from ssh_board import SshBoard, Workstation

from edge import cli

RUN = "demo classify --source synthetic:64x48@20 --realtime --sink none --threads 1"


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str


Edge = Callable[..., CommandOutput]


@pytest.fixture(scope="session")
def workstation(tmp_path_factory: pytest.TempPathFactory) -> Workstation:
    if ssh_board.SSHD is None:
        pytest.skip("no sshd: apt-get install openssh-server")
    for tool in ("flock", "ssh-keygen"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool}")
    return ssh_board.make_workstation(tmp_path_factory.mktemp("workstation") / "home")


@pytest.fixture
def edge(
    workstation: Workstation, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Edge:
    """Run ``edge ARGS`` on the workstation."""
    monkeypatch.setenv("HOME", str(workstation.home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)

    def run(*args: object) -> CommandOutput:
        code = cli.run([str(word) for word in args])
        return CommandOutput(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def package_links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ssh_board.packages(tmp_path_factory.mktemp("packages") / "links")


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of environments that boards share, so that each is created once."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def boards(
    tmp_path: Path, workstation: Workstation, package_links: Path, environments: Path
) -> Iterator[Callable[[int], list[SshBoard]]]:
    with ExitStack() as running:

        def make(count: int) -> list[SshBoard]:
            return [
                running.enter_context(
                    ssh_board.board(
                        tmp_path / f"board{n}", workstation, package_links, environments
                    )
                )
                for n in range(count)
            ]

        yield make


@pytest.fixture
def board(boards: Callable[[int], list[SshBoard]]) -> SshBoard:
    return boards(1)[0]


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an output folder of a conversion, with the files that are deployed."""
    folder = tmp_path_factory.mktemp("result") / "out"
    folder.mkdir()
    content = tiny_models.color_classifier()
    (folder / "model.tflite").write_bytes(content)
    (folder / "labels.txt").write_text("red\ngreen\nblue\n")
    return folder
