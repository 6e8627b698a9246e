import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_models
from errors import error_code


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with an image that is red at the left, blue elsewhere, and a broken one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, :15, 2] = image[:, 15:, 0] = 255
    cv2.imwrite(str(folder / "sheet.png"), image)
    (folder / "broken.jpg").write_bytes(b"no image")
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tiny_models.pooled_classifier("int8"))
    return path


@pytest.mark.parametrize("method", ["cam", "occlusion"])
def test_a_folder_of_overlays_with_a_sheet_and_a_record(
    run_here, model: Path, photos: Path, tmp_path: Path, method: str
) -> None:
    out = tmp_path / "why"
    done = run_here("explain", model, photos, "-o", out, "--method", method, "--json")
    assert done.returncode == 1, done.stderr  # one image cannot be read
    broken, row = json.loads(done.stdout)
    assert "error" in broken
    assert row["file"] == str(photos / "sheet.png")
    assert row["class"] == "blue"
    assert row["method"] == method
    assert row["peak"][0] > 0.25
    picture = cv2.imread(row["overlay"])
    assert picture.shape[1] == 480  # enlarged, so that its text can be read
    assert picture.shape[0] > 320
    assert cv2.imread(str(out / "sheet.png")) is not None
    assert json.loads((out / "explanations.json").read_text()) == [broken, row]
    assert sorted(path.name for path in out.iterdir()) == [
        "explanations.json", "sheet-2.png", "sheet.png",
    ]  # fmt: skip


def test_a_class_can_be_named_and_an_earlier_result_replaced(
    run_here, model: Path, photos: Path, tmp_path: Path
) -> None:
    out, image = tmp_path / "why", photos / "sheet.png"
    assert run_here("explain", model, image, "-o", out).returncode == 0
    done = run_here("explain", model, image, "-o", out, "--class", "red", "--json")
    (row,) = json.loads(done.stdout)
    assert row["class"] == "red"
    assert row["peak"][0] < 0.3


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--class", "purple"], "unknown-class"),
        (["--method", "magic"], None),
        (["--method", "occlusion", "--class", "purple"], "unknown-class"),
    ],
)
def test_bad_arguments_write_nothing(
    run_here, model: Path, photos: Path, tmp_path: Path, arguments: list[str], code: str | None
) -> None:
    out = tmp_path / "why"
    done = run_here("explain", model, photos / "sheet.png", "-o", out, *arguments)
    assert done.returncode == 2
    assert code is None or error_code(done.stderr) == code
    assert not out.exists()


def test_images_that_cannot_be_read_at_all_leave_no_folder(
    run_here, model: Path, photos: Path, tmp_path: Path
) -> None:
    done = run_here("explain", model, photos / "broken.jpg", "-o", tmp_path / "why")
    assert done.returncode == 2
    assert error_code(done.stderr.splitlines()[-1]) == "no-readable-image"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "tiny.tflite"]


@pytest.mark.parametrize("place", ["photos", "."])
def test_other_files_are_never_replaced(
    run_here, model: Path, photos: Path, tmp_path: Path, place: str
) -> None:
    done = run_here("explain", model, photos / "sheet.png", "-o", tmp_path / place)
    assert done.returncode == 2
    assert (photos / "sheet.png").exists()


def test_a_model_without_a_map_names_the_other_method(
    run_here, photos: Path, tmp_path: Path
) -> None:
    flat = tmp_path / "flat.tflite"
    flat.write_bytes(tiny_models.color_classifier())
    done = run_here("explain", flat, photos / "sheet.png", "-o", tmp_path / "why")
    assert done.returncode == 2
    assert error_code(done.stderr) == "model-without-feature-map"
    assert "occlusion" in done.stderr
