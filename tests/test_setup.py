"""The set-up finds a Python that holds what is asked for, and says so where there is none."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
NEEDED = ("sh", "cat", "cksum", "dirname", "rm", "tail")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the set-up script and a PATH folder ``bin`` without any Python."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(REPOSITORY / ".ci" / "setup", tmp_path / ".ci")
    (tmp_path / "pyproject.toml").touch()
    for name in ("3.11", "3.12", "convert"):
        (tmp_path / f"requirements-{name}.lock").touch()
    for name in NEEDED:
        program = shutil.which(name)
        assert program
        (tmp_path / "bin" / name).symlink_to(program)
    return tmp_path


def add_python(project: Path, name: str, version: str) -> None:
    """A program that answers as a Python of ``version`` does, and notes what else it is asked."""
    path = project / "bin" / name
    path.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        f'*version_info*) echo "{version}" ;;\n'
        f'*) echo "{name} $*" >>"{project}/calls"\n'
        f'   [ "$2" != venv ] || {{ mkdir -p .venv/bin; cp "$0" .venv/bin/python; }} ;;\n'
        "esac\n"
    )
    path.chmod(0o755)


def add_shim(project: Path, name: str) -> None:
    """A shim of a version manager for a version that is not installed."""
    path = project / "bin" / name
    path.write_text(f"#!/bin/sh\necho '{name}: command not found' >&2\nexit 127\n")
    path.chmod(0o755)


def set_up(
    project: Path, level: str = "all", python: str = ""
) -> "subprocess.CompletedProcess[str]":
    for name in ("mkdir", "cp"):
        target = project / "bin" / name
        if not target.exists():
            target.symlink_to(str(shutil.which(name)))
    return subprocess.run(
        ["sh", ".ci/setup", level],
        cwd=project,
        env={**os.environ, "PATH": str(project / "bin"), "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def installed_locks(project: Path) -> list[str]:
    """The lock files that pip was called with, in order."""
    calls = (project / "calls").read_text().split()
    return [word for word in calls if word.endswith(".lock")]


@pytest.mark.parametrize(
    ("level", "version", "expected"),
    [("all", "3.13", "3.11 or 3.12"), ("convert", "3.10", "3.11, 3.12, 3.13 or 3.14")],
)
def test_an_unsuited_python_is_answered_with_one_line(
    project: Path, level: str, version: str, expected: str
) -> None:
    add_python(project, "python3", version)
    done = set_up(project, level)
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert expected in done.stderr
    assert f"found {version}" in done.stderr
    assert not (project / ".venv").exists()


def test_a_python_that_was_named_is_not_replaced_by_another(project: Path) -> None:
    add_python(project, "python3", "3.11")
    add_python(project, "mine", "3.13")
    done = set_up(project, "all", python="mine")
    assert done.returncode != 0
    assert "found 3.13 as PYTHON=mine" in done.stderr


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_the_light_level_installs_its_own_lock_on_any_python(project: Path, version: str) -> None:
    add_python(project, "python3", version)
    done = set_up(project, "convert")
    assert done.returncode == 0, done.stderr
    assert installed_locks(project) == ["requirements-convert.lock"]
    assert set_up(project, "convert").stdout == ""


def test_a_light_environment_is_completed_and_then_stays_whole(project: Path) -> None:
    add_python(project, "python3", "3.12")
    assert set_up(project, "convert").returncode == 0
    completed = set_up(project, "all")
    assert "Making" not in completed.stdout
    assert installed_locks(project) == ["requirements-convert.lock", "requirements-3.12.lock"]
    assert set_up(project, "convert").stdout == ""


def test_a_light_environment_on_a_newer_python_is_made_anew_for_everything(project: Path) -> None:
    add_python(project, "python3.13", "3.13")
    assert set_up(project, "convert", python="python3.13").returncode == 0
    add_python(project, "python3.11", "3.11")
    assert "Making .venv" in set_up(project, "all").stdout
    assert installed_locks(project) == ["requirements-convert.lock", "requirements-3.11.lock"]


def test_an_environment_of_an_earlier_version_keeps_everything(project: Path) -> None:
    add_python(project, "python3", "3.11")
    assert set_up(project, "all").returncode == 0
    (project / ".venv" / "packages").write_text("1234 56\n")
    assert set_up(project, "convert").returncode == 0
    assert set(installed_locks(project)) == {"requirements-3.11.lock"}


def test_no_python_at_all_is_answered_with_one_line(project: Path) -> None:
    done = set_up(project)
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert "found no Python" in done.stderr


def test_a_shim_without_its_python_is_passed_over(project: Path) -> None:
    add_shim(project, "python3.11")
    add_python(project, "python3.12", "3.12")
    done = set_up(project)
    assert done.returncode == 0, done.stderr
    assert "--require-hashes -r requirements-3.12.lock" in (project / "calls").read_text()


def test_a_second_set_up_does_nothing_until_a_lock_changes(project: Path) -> None:
    add_python(project, "python3", "3.11")
    assert set_up(project).returncode == 0
    before = (project / "calls").read_text()
    again = set_up(project)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert (project / "calls").read_text() == before
    (project / "requirements-3.11.lock").write_text("numpy==1.26.4\n")
    assert "requirements-3.11.lock" in set_up(project).stdout
    assert (project / "calls").read_text() != before


def test_missing_system_libraries_of_opencv_are_answered_with_the_apt_line(project: Path) -> None:
    add_python(project, "python3", "3.11")
    path = project / "bin" / "python3"
    trouble = "ImportError: libGL.so.1: cannot open shared object file"
    refuse = f'"-c import cv2") echo "{trouble}" >&2; exit 1 ;;'
    path.write_text(path.read_text().replace("*version_info*)", f"{refuse}\n*version_info*)"))
    done = set_up(project)
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert "sudo apt-get install -y libgl1" in done.stderr
