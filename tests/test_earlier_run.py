"""``make test`` does not run again in one environment what passed in another."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = """\
def test_that_passes():
    pass

def test_that_fails():
    raise AssertionError
"""


def run_pytest(folder: Path, *options: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "."]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    ).stdout


def test_what_passed_is_left_out_and_what_failed_runs_again(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(Path(__file__).with_name("conftest.py").read_text())
    (tmp_path / "test_two.py").write_text(TESTS)

    assert "1 failed, 1 passed" in run_pytest(tmp_path, "--record-passed", "passed")
    assert (tmp_path / "passed").read_text().splitlines() == ["test_two.py::test_that_passes"]
    again = run_pytest(tmp_path, "--leave-out", "passed")
    assert "1 failed, 1 deselected" in again
