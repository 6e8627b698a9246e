"""The scripts for boards, run on a folder with stand-ins for system programs."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from boards.deploy import package, ssh
from edge.deployment.release import SUMS, checksum_lines
from edge.installation import WHEEL

ENVIRONMENT = "py3.11-0123456789ab"
PYTHON = """\
#!/bin/sh
# python -m venv FOLDER: creates one with a slow pip.
mkdir -p "$3/bin"
printf '%s\\n' '#!/bin/sh' '[ "$2" = pip ] || exit 0' \
    'echo installed >>"$HOME/log"; while [ ! -e "$HOME/go" ]; do sleep 0.02; done' \
    >"$3/bin/python"
chmod +x "$3/bin/python"
"""


class Board:
    """A home with its own programs first on the PATH."""

    def __init__(self, home: Path) -> None:
        self.home, self.root, self.bin = home, home / "edge-toolkit", home / "bin"
        self.bin.mkdir()

    def stand_in(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def start(
        self, script: str, stdin_bytes: bytes = b"", **variables: str
    ) -> "subprocess.Popen[str]":
        """Start a script with environment variables."""
        environment = {"ROOT": str(self.root), **variables}
        path = self.home / f"stdin-{time.monotonic_ns()}"
        path.write_bytes(stdin_bytes)
        with path.open("rb") as stdin:
            return subprocess.Popen(
                ["sh", "-c", ssh.command(script, environment)], text=True, stdin=stdin,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env={"HOME": str(self.home), "PATH": f"{self.bin}:{os.environ['PATH']}"},
            )  # fmt: skip

    def log(self) -> list[str]:
        path = self.home / "log"
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def board(tmp_path: Path) -> Board:
    if shutil.which("flock") is None:
        pytest.skip("no flock")
    return Board(tmp_path)


def test_a_script_left_by_a_lost_connection_is_waited_for(board: Board) -> None:
    board.stand_in("python3", PYTHON)
    files = {WHEEL: b"wheel", "click-8.0-py3-none-any.whl": b"wheel"}
    tar = package.tar({SUMS: checksum_lines(files), **files})
    variables = {
        "ENVIRONMENT": ENVIRONMENT, "PYTHON": str(board.bin / "python3"), "VENV": "", "PIP": "",
        "REQUIREMENTS": f"./{WHEEL}",
    }  # fmt: skip
    first = board.start("environment.sh", tar, **variables)
    wait_until(lambda: board.log() == ["installed"])
    second = board.start("environment.sh", tar, **variables)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0.3)
    (board.home / "go").touch()
    for process in (first, second):
        assert process.wait(20) == 0, process.communicate()[1]
    assert board.log() == ["installed"], "the second one uses the environment of the first one"
    environment = board.root / "envs" / ENVIRONMENT
    assert (environment / "ready").exists()
    kept = [path.name for path in (environment / "wheels").iterdir()]
    assert kept == [WHEEL], "the toolkit's wheel, from where pip installs its extras"


def test_the_service_may_use_cameras_and_accelerators(board: Board) -> None:
    board.stand_in("id", "#!/bin/sh\nexit 0\n")
    board.stand_in("chown", "#!/bin/sh\nexit 0\n")
    board.stand_in("getent", '#!/bin/sh\n[ "$2" != render ]\n')
    board.stand_in("usermod", '#!/bin/sh\necho "$2" >>"$HOME/log"\n')
    (board.root / "releases/abc").mkdir(parents=True)
    variables = {"RELEASE": "abc", "ENVIRONMENT": ENVIRONMENT, "OWNER": "edge-toolkit"}
    done = board.start("release.sh", UPLOAD="no", **variables)
    assert done.wait(20) == 0, done.communicate()[1]
    assert board.log() == ["video", "audio", "plugdev", "apex"]


def test_a_release_with_an_extra_file_is_incomplete(board: Board) -> None:
    board.stand_in("sudo", "#!/bin/sh\nexit 1\n")
    board.stand_in("id", "#!/bin/sh\necho 1000\n")
    files = {"model.tflite": b"a model", "run": b"#!/bin/sh\n"}
    folder = board.root / "releases/abc"
    folder.mkdir(parents=True)
    for name, content in {SUMS: checksum_lines(files), **files}.items():
        (folder / name).write_bytes(content)
    (folder / "env").symlink_to("../../envs/some")

    def complete() -> bool:
        out, _ = board.start("probe.sh", RELEASE="abc").communicate(timeout=20)
        return "\ncomplete_release=" in out

    assert complete()
    (folder / "notes.txt").touch()
    assert not complete()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
