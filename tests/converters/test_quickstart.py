"""The quickstart's images: handwritten digits, some of them kept apart."""

import hashlib
from pathlib import Path

import pytest

from converters import quickstart
from edge.image import read_image


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("quickstart")
    quickstart.write_images(place / "digits", place / "unseen", per_class=20, seed=0)
    return place


def digests(folder: Path) -> set[str]:
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.png")}


def test_every_digit_is_written_once_and_unseen_ones_are_apart(folder: Path) -> None:
    learned, unseen = digests(folder / "digits"), digests(folder / "unseen")
    assert len(learned) + len(unseen) == 1797
    assert not learned & unseen
    assert {len(list(place.iterdir())) for place in (folder / "unseen").iterdir()} == {20}


def test_the_images_show_ink_on_white_paper(folder: Path) -> None:
    image = read_image(next((folder / "digits" / "0").iterdir()))
    assert image.shape == (64, 64, 3)
    assert image[:, 0].mean() > 200
    assert image.min() < 60


def test_another_run_keeps_the_same_images_apart(folder: Path, tmp_path: Path) -> None:
    counts = quickstart.write_images(tmp_path / "a", tmp_path / "b", per_class=20, seed=0)
    assert counts == (1597, 200)
    assert digests(tmp_path / "b") == digests(folder / "unseen")


def test_the_table_counts_right_answers_by_class(folder: Path) -> None:
    answers = [
        {"file": str(path), "classes": [{"label": "1" if path.parent.name == "7" else "3"}]}
        for path in (folder / "unseen").rglob("*.png")
    ]
    counts = quickstart.count_right(answers, folder / "unseen")
    assert counts["3"] == (20, 20)
    assert counts["7"] == (0, 20)


def test_missing_answers_end_the_quickstart_with_an_error(folder: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        quickstart.count_right([], folder / "unseen")
    assert ended.value.code == 2


def test_a_command_that_fails_ends_the_quickstart_with_its_code(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(quickstart, "SETTINGS", ("--weights", "no-such-weights"))
    with pytest.raises(SystemExit) as ended:
        quickstart.main(tmp_path)
    assert ended.value.code == 2
    assert "[unknown-weights]" in capfd.readouterr().err
