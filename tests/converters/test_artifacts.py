"""An output folder is replaced only where that loses nothing."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from errors import raises_code

from converters import artifacts
from edge import known_models


def earlier_result(folder: Path) -> Path:
    folder.mkdir()
    (folder / artifacts.REPORT_FILE).write_text("{}")
    (folder / "model.tflite").write_text("old")
    return folder


def test_an_earlier_result_needs_force(tmp_path: Path) -> None:
    out, photos = earlier_result(tmp_path / "out"), tmp_path / "photos"
    with raises_code("output-exists", fix="--force"):
        artifacts.check_output(out, photos, force=False)
    artifacts.check_output(out, photos, force=True)


def test_force_never_replaces_what_is_no_result(tmp_path: Path) -> None:
    precious = tmp_path / "holiday"
    precious.mkdir()
    (precious / "beach.jpg").write_text("precious")
    with raises_code("output-folder-not-empty", found=str(precious)):
        artifacts.check_output(precious, tmp_path / "photos", force=True)


@pytest.mark.parametrize("out", ["photos", "photos/out", "."])
def test_the_data_set_is_never_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    with raises_code("output-overlaps-input", found=str(Path(out))):
        artifacts.check_output(Path(out), Path("photos"), force=True)


def test_a_file_in_the_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with raises_code("output-is-file", found=str(tmp_path / "out")):
        artifacts.check_output(tmp_path / "out", tmp_path / "photos", force=True)


def test_models_of_a_result_need_no_trial(tmp_path: Path, none_known: Path) -> None:
    class Network:
        def save(self, path: Path, **_: object) -> None:
            path.touch()

    def variant(name: str) -> Any:
        content = f"the {name} model".encode()
        return SimpleNamespace(variant=SimpleNamespace(name=name, content=content, model=None))

    variants = [variant("float32"), variant("int8")]
    artifacts.save(tmp_path, ("cat", "dog"), variants, variants[1], Network())
    files = [tmp_path / "model.tflite", *(tmp_path / "variants").iterdir()]
    assert len(files) == 3
    for file in files:
        digest = known_models.digest(file.read_bytes())
        assert known_models.is_known(digest, "ai-edge-litert 2.3.0")
