"""Files and folders appear complete, or not at all."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from errors import raises_code
from full_disk import full_disk

from edge.cli import Terminated
from edge.files import atomic_directory, write_atomic


def test_a_file_is_written_completely_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("earlier")
    write_atomic(tmp_path / "out.txt", "é")
    assert (tmp_path / "out.txt").read_bytes() == "é".encode()
    assert os.listdir(tmp_path) == ["out.txt"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Terminated])
def test_an_interrupted_write_keeps_the_earlier_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    (tmp_path / "out.txt").write_text("earlier")

    def half(path: Path, _: bytes) -> int:
        path.touch()
        raise stop

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(stop):
        write_atomic(tmp_path / "out.txt", "new")
    assert os.listdir(tmp_path) == ["out.txt"]
    assert (tmp_path / "out.txt").read_text() == "earlier"


@pytest.mark.parametrize("name", ["file/out.txt", "none/out.txt", "x" * 250])
def test_an_unwritable_path_is_reported(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with raises_code("output-not-writable", expected=name):
        write_atomic(tmp_path / name, "new")


def earlier_result(folder: Path) -> Path:
    folder.mkdir()
    (folder / "report.json").write_text("{}")
    (folder / "model.tflite").write_text("old")
    return folder


def test_a_folder_is_written_completely_and_nothing_else(tmp_path: Path) -> None:
    with atomic_directory(tmp_path / "out") as folder:
        (folder / "model.tflite").write_text("new")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out/model.tflite").read_text() == "new"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, SystemExit])
def test_a_failure_keeps_the_earlier_folder(tmp_path: Path, failure: type[BaseException]) -> None:
    out = earlier_result(tmp_path / "out")
    with pytest.raises(failure), atomic_directory(out) as folder:
        (folder / "model.tflite").write_text("half")
        raise failure
    assert (out / "model.tflite").read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_an_earlier_folder_is_replaced_completely(tmp_path: Path) -> None:
    out = earlier_result(tmp_path / "out")
    with atomic_directory(out) as folder:
        (folder / "report.json").write_text("{}")
    assert os.listdir(out) == ["report.json"]
    assert os.listdir(tmp_path) == ["out"]


def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    with (
        raises_code("output-not-writable", expected="/out", found="no space left on device"),
        atomic_directory(tmp_path / "out"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    with (
        raises_code("output-not-writable", expected="/out", found="file too large"),
        atomic_directory(tmp_path / "out") as folder,
        full_disk(),
    ):
        (folder / "report.json").write_text("{}" * 100)
    assert os.listdir(tmp_path) == []


def test_an_unwritable_folder_is_reported() -> None:
    # Nobody, not even root, can make a folder in /sys.
    with (
        raises_code("output-not-writable", expected="/sys/out"),
        atomic_directory(Path("/sys/out")),
    ):
        pytest.fail("the work must not start")


def test_unrelated_errors_keep_their_own_message(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_directory(tmp_path / "out"):
        (tmp_path / "missing.jpg").read_bytes()
    with pytest.raises(FileNotFoundError), atomic_directory(tmp_path / "out"):
        (tmp_path / "outside/missing.jpg").read_bytes()  # beside OUT, not in it
    with pytest.raises(OSError, match="elsewhere"), atomic_directory(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "No space left on device", "/elsewhere/cache")


def test_a_staging_folder_that_vanishes_is_reported(tmp_path: Path) -> None:
    with (
        raises_code("output-not-writable", expected="/out", found="no such file"),
        atomic_directory(tmp_path / "out") as folder,
    ):
        folder.rmdir()
        (folder / "report.json").write_text("{}")


def test_an_interrupt_between_the_two_renames_restores_the_earlier_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = earlier_result(tmp_path / "out")
    rename = Path.rename

    def stopped(path: Path, target: Path) -> Path:
        if path.suffix == ".partial":  # the new result, when the earlier one has made way
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt), atomic_directory(out):
        pass
    assert (out / "model.tflite").read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_a_crash_between_the_two_renames_loses_neither_folder(tmp_path: Path) -> None:
    earlier_result(tmp_path / "out")
    crash = """
import os
from pathlib import Path
from edge.files import atomic_directory

rename = Path.rename
Path.rename = lambda path, to: os._exit(9) if path.suffix == ".partial" else rename(path, to)
with atomic_directory(Path("out")) as folder:
    (folder / "model.tflite").write_text("new")
"""
    done = subprocess.run([sys.executable, "-c", crash], cwd=tmp_path, check=False)
    assert done.returncode == 9
    models = tmp_path.glob(".out.*/model.tflite")
    assert {path.read_text() for path in models} == {"old", "new"}


def test_a_link_to_a_folder_stays_one(tmp_path: Path) -> None:
    real, link = earlier_result(tmp_path / "real"), tmp_path / "out"
    link.symlink_to(real)
    with atomic_directory(link) as folder:
        (folder / "model.tflite").write_text("new")
    assert link.is_symlink()
    assert (real / "model.tflite").read_text() == "new"
    assert sorted(os.listdir(tmp_path)) == ["out", "real"]
