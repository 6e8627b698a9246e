"""`edge convert` on real images: the figures that the toolkit promises."""

import csv
import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import edge

pytestmark = pytest.mark.realdata

RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]
Convert = Callable[..., dict[str, Any]]

IMAGENET = "models/keras/mobilenet_v2_1.0_224_no_top.weights.h5"
GROCERIES = ["avocado", "banana", "carrots", "kiwi", "lemon", "onion"]


@pytest.fixture(scope="module")
def convert(run_edge: RunEdge) -> Convert:
    """Run ``edge convert … --json`` and return its report; the verdict must not be an error."""

    def run(*arguments: object) -> dict[str, Any]:
        done = run_edge("convert", *arguments, "--json", timeout=1500)
        assert done.returncode in (0, 3), done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    return run


def test_groceries_keep_their_accuracy_in_int8(
    test_data: Path, convert: Convert, tmp_path: Path
) -> None:
    reports = [
        convert(
            test_data / "datasets/grocery6", "-o", tmp_path / f"{seed}", "--seed", seed,
            "--weights", test_data / IMAGENET, "--fine-tune", "never",
        )["variants"]["int8"]
        for seed in range(5)
    ]  # fmt: skip
    assert np.mean([report["accuracy"] for report in reports]) >= 0.95
    assert np.mean([report["agreement"] for report in reports]) >= 0.97


def test_fashion_in_split_folders(test_data: Path, convert: Convert, tmp_path: Path) -> None:
    photos = tmp_path / "fashion"
    write_fashion(test_data / "datasets/fashion_mnist/train_10000_part0.npz", photos / "train", 100)
    write_fashion(test_data / "datasets/fashion_mnist/test_10000_part0.npz", photos / "test", 40)
    report = convert(photos, "-o", tmp_path / "out", "--weights", "builtin", "--fine-tune", "never")
    assert report["split"]["given"]
    assert len(report["dataset"]["classes"]) == 10
    assert len(report["split"]["test"]) >= 0.98 * 400
    assert report["variants"]["int8"]["accuracy"] >= 0.7


def test_a_zip_gives_what_its_folder_gives(
    test_data: Path, convert: Convert, tmp_path: Path
) -> None:
    archive = tmp_path / "groceries.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in few_groceries(test_data):
            packed.write(path, f"groceries/{path.parent.name}/{path.name}")
    report = convert(
        archive, "-o", tmp_path / "out", "--weights", "builtin", "--fine-tune", "never"
    )
    assert report["dataset"]["classes"] == GROCERIES
    assert report["dataset"]["pictures"] == 120


def test_a_table_names_images_labels_and_sides(
    test_data: Path, convert: Convert, tmp_path: Path
) -> None:
    table = tmp_path / "groceries.csv"
    with table.open("w", newline="") as lines:
        rows = csv.writer(lines)
        rows.writerow(["path", "label", "split"])
        for count, path in enumerate(few_groceries(test_data)):
            side = {0: "test", 1: "val"}.get(count % 5, "train")
            rows.writerow([path, f"a {path.parent.name}", side])
    report = convert(table, "-o", tmp_path / "out", "--weights", "builtin", "--fine-tune", "never")
    assert report["dataset"]["classes"] == [f"a {name}" for name in GROCERIES]
    assert report["split"]["given"]
    assert len(report["split"]["test"]) <= 24


def test_fine_tuning_that_does_not_start_says_why(
    test_data: Path, convert: Convert, tmp_path: Path
) -> None:
    report = convert(
        test_data / "datasets/grocery6", "-o", tmp_path / "out", "--weights", test_data / IMAGENET
    )
    assert report["training"]["method"] == "frozen"
    assert any("95" in note for note in report["training"]["notes"])


def test_the_builtin_weights_learn_groceries(
    test_data: Path, convert: Convert, tmp_path: Path
) -> None:
    report = convert(
        test_data / "datasets/grocery6", "-o", tmp_path / "out", "--weights", "builtin",
        "--fine-tune", "auto",
    )  # fmt: skip
    assert report["weights"]["name"] == "builtin"
    assert report["variants"]["int8"]["accuracy"] >= 0.88
    model = edge.Classifier.open(tmp_path / "out/model.tflite")
    assert list(model.labels) == GROCERIES


def few_groceries(test_data: Path) -> Iterator[Path]:
    """20 images of each class."""
    for name in GROCERIES:
        yield from sorted((test_data / "datasets/grocery6" / name).glob("*.jpg"))[:20]


def write_fashion(part: Path, folder: Path, each: int) -> None:
    """Write ``each`` images of every class of ``part`` as PNG into class folders."""
    with np.load(part) as arrays:
        images, labels = arrays["x"], arrays["y"]
    for label in range(10):
        place = folder / f"class {label}"
        place.mkdir(parents=True)
        for count, image in enumerate(images[labels == label][:each]):
            cv2.imwrite(str(place / f"{count:04d}.png"), image)
