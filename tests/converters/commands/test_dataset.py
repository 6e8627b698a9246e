import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def photos(micro_dataset: Path, tmp_path: Path) -> Path:
    """Generated photos of which one is in the folder of another class."""
    folder = tmp_path / "photos"
    shutil.copytree(micro_dataset, folder)
    first, second, *_ = sorted(path for path in folder.iterdir() if path.is_dir())
    odd = sorted(first.iterdir())[0]
    odd.rename(second / f"odd{odd.suffix}")
    return folder


def test_a_photo_in_the_wrong_folder_is_listed_moved_and_brought_back(
    photos: Path, tmp_path: Path, run_here: RunEdge
) -> None:
    before = sorted(photos.rglob("*"))
    listing = ("dataset", "suspects", photos, "--weights", "builtin", "--json")
    listed = run_here(*listing)
    assert listed.returncode == 0, listed.stderr
    rows = json.loads(listed.stdout)
    assert set(rows[0]) == {"file", "given", "likely", "score"}
    names = sorted(path.name for path in photos.iterdir())
    assert Path(rows[0]["file"]).stem == "odd"
    assert (rows[0]["given"], rows[0]["likely"]) == (names[1], names[0])
    aside = tmp_path / "aside"
    moved = run_here(*listing[:-1], "--worst", "1", "--move", aside)
    assert moved.returncode == 0, moved.stderr
    assert f"edge dataset restore {aside}" in moved.stdout
    assert (aside / rows[0]["file"]).is_file()
    assert len(sorted(photos.rglob("*"))) == len(before) - 1
    restored = run_here("dataset", "restore", aside)
    assert restored.returncode == 0 and "1 image" in restored.stdout
    assert sorted(photos.rglob("*")) == before


def test_a_folder_that_cannot_be_used_is_refused_before_the_work(
    photos: Path, run_here: RunEdge
) -> None:
    refused = run_here("dataset", "suspects", photos, "--move", photos / "aside")
    assert refused.returncode == 2
    assert "outside the dataset" in refused.stderr
    assert not (photos / "aside").exists()
