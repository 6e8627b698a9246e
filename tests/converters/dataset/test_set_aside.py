import json
from pathlib import Path

import pytest
from errors import raises_code

from converters.dataset import set_aside
from converters.dataset.set_aside import MovedImage, bring_back, check_folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("cat/1.jpg", "cat/2.jpg", "dog/1.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "photos"


def files(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def move(photos: Path, folder: Path) -> None:
    images = [MovedImage(name, photos / name) for name in ("cat/2.jpg", "dog/1.jpg")]
    set_aside.set_aside(images, folder, photos)


def test_what_was_set_aside_comes_back(photos: Path, tmp_path: Path) -> None:
    before = files(photos)
    aside = tmp_path / "aside"
    move(photos, aside)
    assert files(photos) == {"cat/1.jpg": "cat/1.jpg"}
    moved = files(aside)
    record = json.loads(moved.pop(set_aside.RECORD))
    assert set(moved) == set(record["moved"]) == {"cat/2.jpg", "dog/1.jpg"}
    assert bring_back(aside) == 2
    assert files(photos) == before
    assert not aside.exists()


def test_an_interrupted_move_is_undone(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, aside = files(photos), tmp_path / "aside"

    def stop(source: Path, target: Path, move=set_aside._move) -> None:  # type: ignore[no-untyped-def]
        if source.parent.name == "dog":
            raise KeyboardInterrupt
        move(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(set_aside, "_move", stop)
        with pytest.raises(KeyboardInterrupt):
            move(photos, aside)
    assert bring_back(aside) == 1
    assert files(photos) == before


def test_nothing_is_overwritten(photos: Path, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    move(photos, aside)
    (photos / "cat" / "2.jpg").write_text("another")
    with raises_code("output-exists", found="2.jpg"):
        bring_back(aside)
    assert (photos / "cat" / "2.jpg").read_text() == "another"
    assert (aside / "dog" / "1.jpg").exists()


@pytest.mark.parametrize("where", ["photos/aside", "photos", "."])
def test_a_folder_that_overlaps_with_the_photos_is_refused(photos: Path, where: str) -> None:
    with raises_code("output-overlaps-input"):
        check_folder(photos.parent / where, photos)


def test_a_folder_with_files_is_refused(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "aside").mkdir()
    check_folder(tmp_path / "aside", photos)
    (tmp_path / "aside" / "notes.txt").touch()
    with raises_code("output-not-empty", fix="--move"):
        check_folder(tmp_path / "aside", photos)


def test_images_of_an_archive_cannot_be_moved(tmp_path: Path) -> None:
    (tmp_path / "photos.zip").touch()
    with raises_code("dataset-not-a-folder", found="photos.zip"):
        check_folder(tmp_path / "aside", tmp_path / "photos.zip")


@pytest.mark.parametrize("record", [None, "{}", "[1]", '{"moved": {"../1.jpg": "/x"}}', "no json"])
def test_a_folder_without_a_usable_record_is_refused(tmp_path: Path, record: str | None) -> None:
    if record is not None:
        (tmp_path / set_aside.RECORD).write_text(record)
    with raises_code("moved-record-missing"):
        bring_back(tmp_path)
