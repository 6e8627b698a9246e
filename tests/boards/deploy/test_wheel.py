"""The wheel of this toolkit."""

import subprocess
import sys
from pathlib import Path

from boards.deploy import wheel


def test_the_wheel_installs_and_runs(tmp_path: Path) -> None:
    own = wheel.build_own_wheel()
    path = tmp_path / own.name
    path.write_bytes(own.content)
    site = tmp_path / "site"
    command_line = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index",
                    "--no-compile", "--target", site, path]  # fmt: skip
    subprocess.run(command_line, check=True, capture_output=True)
    program = (
        "import edge.cli, boards.deploy.systemd_unit as unit; "
        "print(unit.__file__, edge.__version__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout.startswith(str(site)), done.stderr
    assert (site / "boards/deploy/scripts/switch.sh").is_file()
    assert (site / "bin/edge").is_file()
    assert wheel.build_own_wheel.__wrapped__() == wheel.build_own_wheel.__wrapped__()
