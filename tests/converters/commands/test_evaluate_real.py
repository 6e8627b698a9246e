"""The command ``edge evaluate`` on real models and photos."""

from pathlib import Path

import pytest
from errors import raises_code

import converters

pytestmark = pytest.mark.realdata


@pytest.fixture
def models(test_data: Path) -> Path:
    return test_data / "models"


def some(folder: Path, out: Path, *parts: str, count: int = 8) -> Path:
    """Link the first images of folders of a data set."""
    for part in parts:
        (out / part).mkdir(parents=True)
        for file in sorted((folder / part).iterdir())[:count]:
            (out / part / file.name).symlink_to(file)
    return out


def test_fruit_that_a_coco_detector_knows(test_data: Path, models: Path) -> None:
    evaluation = converters.evaluate(
        models / "coco_ssd_mobilenet_v1_1.0_quant.tflite",
        test_data / "datasets" / "det_fruit3",
        labels=models / "coco_ssd_labels.txt",
    )

    assert set(evaluation.per_class) == {"apple", "banana", "orange"}
    assert (evaluation.metrics["map50"] or 0) > 0.98
    assert (evaluation.metrics["map"] or 0) > 0.75


def test_cells_that_it_does_not_know(test_data: Path, models: Path) -> None:
    with raises_code("no-common-label"):
        converters.evaluate(
            models / "coco_ssd_mobilenet_v1_1.0_quant.tflite",
            test_data / "datasets" / "det_bccd",
            labels=models / "coco_ssd_labels.txt",
        )


def test_groceries_by_imagenet_names(test_data: Path, models: Path, tmp_path: Path) -> None:
    dataset = some(test_data / "datasets" / "grocery6", tmp_path / "set", "banana", "lemon")

    evaluation = converters.evaluate(
        models / "mobilenet_v2_1.0_224_quant.tflite", dataset,
        labels=models / "imagenet_labels.txt",
        against=models / "mobilenet_v1_0.25_128_quant.tflite",
    )  # fmt: skip

    assert evaluation.images == 16
    assert (evaluation.metrics["accuracy"] or 0) > 0.7
    assert evaluation.against is not None
    assert evaluation.against.drops[0].drop < 0


def test_people(test_data: Path, models: Path, tmp_path: Path) -> None:
    people = test_data / "datasets" / "seg_people"
    dataset = some(people, tmp_path / "set", "images", "masks")

    evaluation = converters.evaluate(
        models / "deeplabv3_mnv2_dm05_pascal_quant.tflite",
        dataset,
        labels=models / "pascal_voc_segmentation_labels.txt",
        renames={"foreground": "person"},
    )

    assert evaluation.images == 8
    iou = evaluation.per_class["person"]["iou"]
    assert isinstance(iou, float)
    assert iou > 0.75
