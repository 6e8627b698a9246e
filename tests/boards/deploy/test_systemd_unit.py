"""The systemd unit."""

import shutil
import subprocess
from pathlib import Path

import pytest

from boards.deploy import systemd_unit


@pytest.mark.parametrize("owner", ["edge-toolkit", ""])
def test_systemd_accepts_the_unit_without_warnings(tmp_path: Path, owner: str) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze: apt-get install systemd")
    (tmp_path / "current").mkdir()
    (tmp_path / "current/run").write_text("#!/bin/sh\n")
    (tmp_path / "current/run").chmod(0o755)
    path = tmp_path / "edge-toolkit.service"
    path.write_text(systemd_unit.render_unit(root=str(tmp_path), owner=owner, wait=20))
    words = [program, *([] if owner else ["--user"]), "verify", path]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={"XDG_RUNTIME_DIR": str(tmp_path)}
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
