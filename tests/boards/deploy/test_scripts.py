"""The scripts that run on a board, on a folder, with programs that stand in for the system's."""

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
# python -m venv FOLDER: one whose pip takes its time.
mkdir -p "$3/bin"
printf '%s\\n' '#!/bin/sh' '[ "$2" = pip ] || exit 0' \
    'echo installed >>"$HOME/told"; while [ ! -e "$HOME/go" ]; do sleep 0.02; done' \
    >"$3/bin/python"
chmod +x "$3/bin/python"
"""


class Board:
    """A home with programs of its own before the system's."""

    def __init__(self, home: Path) -> None:
        self.home, self.root, self.bin = home, home / "edge-toolkit", home / "bin"
        self.bin.mkdir()

    def stand_in(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def start(self, script: str, brings: bytes = b"", **variables: str) -> "subprocess.Popen[str]":
        """Start a script; ``brings`` is its stdin."""
        given = {"ROOT": str(self.root), **variables}
        path = self.home / f"stdin-{time.monotonic_ns()}"
        path.write_bytes(brings)
        with path.open("rb") as stdin:
            return subprocess.Popen(
                ["sh", "-c", ssh.command(script, given)], text=True, stdin=stdin,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env={"HOME": str(self.home), "PATH": f"{self.bin}:{os.environ['PATH']}"},
            )  # fmt: skip

    def told(self) -> list[str]:
        path = self.home / "told"
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def board(tmp_path: Path) -> Board:
    if shutil.which("flock") is None:
        pytest.skip("no flock")
    return Board(tmp_path)


def test_what_a_cut_line_left_at_work_is_waited_for(board: Board) -> None:
    board.stand_in("python3", PYTHON)
    files = {WHEEL: b"wheel", "click-8.0-py3-none-any.whl": b"wheel"}
    tar = package.tar({SUMS: checksum_lines(files), **files})
    wanted = {
        "ENVIRONMENT": ENVIRONMENT, "PYTHON": str(board.bin / "python3"), "VENV": "", "PIP": "",
        "REQUIREMENTS": f"./{WHEEL}",
    }  # fmt: skip
    first = board.start("environment.sh", tar, **wanted)
    until(lambda: board.told() == ["installed"])
    second = board.start("environment.sh", tar, **wanted)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0.3)
    (board.home / "go").touch()
    for one in (first, second):
        assert one.wait(20) == 0, one.communicate()[1]
    assert board.told() == ["installed"], "the second one takes what the first one made"
    environment = board.root / "envs" / ENVIRONMENT
    assert (environment / "ready").exists()
    kept = [path.name for path in (environment / "wheels").iterdir()]
    assert kept == [WHEEL], "the toolkit's wheel, from where pip installs its extras"


def test_the_service_may_use_cameras_and_accelerators(board: Board) -> None:
    board.stand_in("id", "#!/bin/sh\nexit 0\n")
    board.stand_in("chown", "#!/bin/sh\nexit 0\n")
    board.stand_in("getent", '#!/bin/sh\n[ "$2" != render ]\n')
    board.stand_in("usermod", '#!/bin/sh\necho "$2" >>"$HOME/told"\n')
    (board.root / "releases/abc").mkdir(parents=True)
    variables = {"RELEASE": "abc", "ENVIRONMENT": ENVIRONMENT, "OWNER": "edge-toolkit"}
    done = board.start("release.sh", UPLOAD="no", **variables)
    assert done.wait(20) == 0, done.communicate()[1]
    assert board.told() == ["video", "audio", "plugdev", "apex"]


def test_a_release_with_a_file_too_many_is_not_whole(board: Board) -> None:
    board.stand_in("sudo", "#!/bin/sh\nexit 1\n")
    board.stand_in("id", "#!/bin/sh\necho 1000\n")
    files = {"model.tflite": b"a model", "run": b"#!/bin/sh\n"}
    folder = board.root / "releases/abc"
    folder.mkdir(parents=True)
    for name, content in {SUMS: checksum_lines(files), **files}.items():
        (folder / name).write_bytes(content)
    (folder / "env").symlink_to("../../envs/some")

    def whole() -> bool:
        out, _ = board.start("probe.sh", RELEASE="abc").communicate(timeout=20)
        return "\nwhole=" in out

    assert whole()
    (folder / "notes.txt").touch()
    assert not whole()


def until(happens: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.01)
