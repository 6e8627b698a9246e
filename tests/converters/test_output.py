"""Results appear whole, or not at all."""

import errno
import os
from pathlib import Path

import pytest
from errors import raises_code
from full_disk import full_disk

from converters import output_dir


def earlier_result(folder: Path) -> Path:
    folder.mkdir()
    (folder / output_dir.REPORT_FILE).write_text("{}")
    (folder / "model.tflite").write_text("old")
    return folder


def test_a_result_appears_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    with output_dir.atomic_directory(tmp_path / "out") as folder:
        (folder / "model.tflite").write_text("new")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out/model.tflite").read_text() == "new"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, SystemExit])
def test_what_fails_leaves_the_earlier_result(tmp_path: Path, failure: type[BaseException]) -> None:
    out = earlier_result(tmp_path / "out")
    with pytest.raises(failure), output_dir.atomic_directory(out) as folder:
        (folder / "model.tflite").write_text("half")
        raise failure
    assert (out / "model.tflite").read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_an_earlier_result_is_replaced_as_a_whole(tmp_path: Path) -> None:
    out = earlier_result(tmp_path / "out")
    with output_dir.atomic_directory(out) as folder:
        (folder / output_dir.REPORT_FILE).write_text("{}")
    assert os.listdir(out) == [output_dir.REPORT_FILE]
    assert os.listdir(tmp_path) == ["out"]


def test_a_full_disk_is_said_plainly(tmp_path: Path) -> None:
    with (
        raises_code("output-not-writable", expected="/out", found="no space left on device"),
        output_dir.atomic_directory(tmp_path / "out"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    with (
        raises_code("output-not-writable", expected="/out", found="file too large"),
        output_dir.atomic_directory(tmp_path / "out") as folder,
        full_disk(),
    ):
        (folder / "report.json").write_text("{}" * 100)
    assert os.listdir(tmp_path) == []


def test_a_place_that_cannot_be_written_is_said_plainly() -> None:
    # Nobody, not even root, can make a folder in /sys.
    with (
        raises_code("output-not-writable", expected="/sys/out"),
        output_dir.atomic_directory(Path("/sys/out")),
    ):
        pytest.fail("the work must not start")


def test_other_trouble_keeps_its_own_message(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), output_dir.atomic_directory(tmp_path / "out"):
        (tmp_path / "missing.jpg").read_bytes()
    with pytest.raises(FileNotFoundError), output_dir.atomic_directory(tmp_path / "out"):
        (tmp_path / "outside/missing.jpg").read_bytes()  # beside OUT, not in it
    with pytest.raises(OSError, match="elsewhere"), output_dir.atomic_directory(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "No space left on device", "/elsewhere/cache")


def test_a_folder_that_goes_away_meanwhile_is_told_of(tmp_path: Path) -> None:
    with (
        raises_code("output-not-writable", expected="/out", found="no such file"),
        output_dir.atomic_directory(tmp_path / "out") as folder,
    ):
        folder.rmdir()
        (folder / "report.json").write_text("{}")


def test_a_stop_between_the_two_renames_leaves_the_earlier_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = earlier_result(tmp_path / "out")
    rename = Path.rename

    def stopped(path: Path, target: Path) -> Path:
        if path.suffix == ".partial":  # the new result, when the earlier one has made way
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt), output_dir.atomic_directory(out):
        pass
    assert (out / "model.tflite").read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_a_link_to_a_folder_stays_one(tmp_path: Path) -> None:
    real, link = earlier_result(tmp_path / "real"), tmp_path / "out"
    link.symlink_to(real)
    with output_dir.atomic_directory(link) as folder:
        (folder / "model.tflite").write_text("new")
    assert link.is_symlink()
    assert (real / "model.tflite").read_text() == "new"
    assert sorted(os.listdir(tmp_path)) == ["out", "real"]


def test_an_earlier_result_needs_force(tmp_path: Path) -> None:
    out, photos = earlier_result(tmp_path / "out"), tmp_path / "photos"
    with raises_code("output-exists", fix="--force"):
        output_dir.check(out, photos, force=False)
    output_dir.check(out, photos, force=True)


def test_force_never_replaces_what_is_no_result(tmp_path: Path) -> None:
    precious = tmp_path / "holiday"
    precious.mkdir()
    (precious / "beach.jpg").write_text("precious")
    with raises_code("output-folder-not-empty", found=str(precious)):
        output_dir.check(precious, tmp_path / "photos", force=True)


@pytest.mark.parametrize("out", ["photos", "photos/out", "."])
def test_the_data_set_is_never_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    with raises_code("output-overlaps-input", found=str(Path(out))):
        output_dir.check(Path(out), Path("photos"), force=True)


def test_a_file_in_the_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with raises_code("output-is-file", found=str(tmp_path / "out")):
        output_dir.check(tmp_path / "out", tmp_path / "photos", force=True)
