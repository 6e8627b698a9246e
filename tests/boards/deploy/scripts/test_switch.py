"""scripts/switch.sh on a folder, with stand-ins for systemd."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from boards.deploy import ssh

OLD = "[Service]\nExecStart=old"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with two releases, ``old`` is current; ``bin`` is first on the PATH."""
    if shutil.which("flock") is None:
        pytest.skip("no flock")
    for name in ("old", "new"):
        run = tmp_path / "releases" / name / "run"
        run.parent.mkdir(parents=True)
        run.write_text("#!/bin/sh\n")
        run.chmod(0o755)
    (tmp_path / "current").symlink_to("releases/old")
    (tmp_path / "units").mkdir()
    (tmp_path / "units/edge-toolkit.service").write_text(f"{OLD}\n")
    (tmp_path / "bin").mkdir()
    return tmp_path


def stand_in(root: Path, name: str, script: str) -> None:
    path = root / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def switch(root: Path, unit: str) -> "subprocess.CompletedProcess[str]":
    variables = {
        "ROOT": str(root), "RELEASE": "new", "UNITS": str(root / "units"), "UNIT": unit,
        "SYSTEMCTL": "systemctl", "JOURNAL": "echo", "LINGER": ":",
    }  # fmt: skip
    return subprocess.run(
        ["sh", "-c", ssh.command("switch.sh", variables)], capture_output=True, text=True,
        check=False, env={"PATH": f"{root / 'bin'}:{os.environ['PATH']}"},
    )  # fmt: skip


@pytest.mark.parametrize("program", ["ln", "mv"])
def test_a_full_disk_leaves_the_running_release_untouched(root: Path, program: str) -> None:
    stand_in(root, "systemctl", f'echo "$1" >>{root}/log')
    stand_in(root, program, "echo No space left on device >&2\nexit 1")
    done = switch(root, f"{OLD} --other")
    assert (done.returncode, done.stdout) == (74, "")
    assert "No space left on device" in done.stderr
    assert (root / "current").readlink() == Path("releases/old")
    assert (root / "units/edge-toolkit.service").read_text() == f"{OLD}\n"
    assert {path.name for path in (root / "releases").iterdir()} == {"old", "new"}
    assert {path.name for path in (root / "units").iterdir()} == {"edge-toolkit.service"}
    log = (root / "log").read_text() if (root / "log").exists() else ""
    assert "restart" not in log


def test_a_release_that_starts_becomes_current(root: Path) -> None:
    stand_in(root, "systemctl", "exit 0")
    for name in ("older", ".older.part"):
        (root / "releases" / name).mkdir()
    done = switch(root, f"{OLD} --other")
    assert (done.returncode, done.stdout) == (0, "release=new\n")
    assert {path.name for path in (root / "releases").iterdir()} == {"old", "new"}
    links = [(root / name).readlink().name for name in ("current", "previous")]
    assert links == ["new", "old"]
