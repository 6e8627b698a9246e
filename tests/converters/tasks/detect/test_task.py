"""``edge convert`` on boxes: recognized, trained, measured, and written for several readers."""

import json
from pathlib import Path

import cv2
import micro_detector
import numpy as np
import pytest
from errors import raises_code

import converters
import edge
from converters.edgetpu.prediction import check
from converters.report.model import Report
from edge.modelfile import metadata

COUNT = 30


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn squares with boxes in COCO's format."""
    folder = tmp_path_factory.mktemp("squares")
    images, annotations = [], []
    for number, image in enumerate(micro_detector.images(COUNT)):
        name = f"{number:02}.png"
        cv2.imwrite(str(folder / name), image.pixels[..., ::-1])
        side = micro_detector.SIZE
        images.append({"id": number, "file_name": name, "width": side, "height": side})
        for box, label in zip(image.boxes.tolist(), image.labels.tolist(), strict=True):
            left, top, right, bottom = box
            annotations.append({
                "id": len(annotations), "image_id": number, "category_id": label, "iscrowd": 0,
                "bbox": [left, top, right - left, bottom - top],
                "area": (right - left) * (bottom - top),
            })  # fmt: skip
    categories = [{"id": 0, "name": "red"}, {"id": 1, "name": "blue"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "labels.json").write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def converted_boxes(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    out = tmp_path_factory.mktemp("result") / "out"
    report = converters.convert(
        dataset, out, weights="builtin", size=64, budget=0.0, precision=0.01,
        recipes=["channels-50"],
    )  # fmt: skip
    return out, report


def test_the_report_measures_average_precision(converted_boxes: tuple[Path, Report]) -> None:
    _, report = converted_boxes
    assert (report.task, report.metric.key) == ("detect", "map50")
    assert set(report.variants) == {"float32", "float16", "int8", "channels-50"}
    for variant in report.variants.values():
        low, high = variant.quality.interval
        assert 0 <= low <= variant.quality.value <= high <= 1
        assert [row.label for row in variant.quality.per_class] == ["red", "blue"]
        assert {"map", "calibration_error", "map_small"} <= variant.quality.figures.keys()
    assert report.dataset.counts["red"] + report.dataset.counts["blue"] > COUNT
    assert any("Trained" in note and "mAP50" in note for note in report.training.notes)


def test_the_threshold_for_a_precision_is_in_both_files(
    converted_boxes: tuple[Path, Report],
) -> None:
    out, report = converted_boxes
    threshold = report.chosen_variant.threshold
    assert threshold is not None and threshold.reached >= 0.01
    for name in ("model.tflite", "model_nms.tflite"):
        assert edge.Detector.open(out / name).threshold == pytest.approx(threshold.score, abs=1e-4)


def test_our_demo_opens_the_model_with_its_labels(
    converted_boxes: tuple[Path, Report], dataset: Path
) -> None:
    out, _ = converted_boxes
    detector = edge.Detector.open(out, threshold=0.01)
    assert detector.labels == ("red", "blue")
    detections = detector.predict(dataset / "00.png").detections
    assert detections
    assert {detection.label for detection in detections} <= {"red", "blue"}


def test_the_model_is_whole_on_the_edge_tpu(converted_boxes: tuple[Path, Report]) -> None:
    out, _ = converted_boxes
    content = (out / "model.tflite").read_bytes()
    assert check(content, "model.tflite").to_dict()["cpu"] == {}


def test_the_file_with_post_processing_finds_the_same(
    converted_boxes: tuple[Path, Report], dataset: Path
) -> None:
    out, _ = converted_boxes
    about = metadata.read((out / "model_nms.tflite").read_bytes())
    assert about is not None and about.labels == ("red", "blue")
    # Post-processing knows scores in steps of 1/256, and may keep another of two boxes that overlap
    # and are as good to it: all boxes of the raw file are looked at, before any is dropped.
    detector = edge.Detector.open(out / "model.tflite", threshold=0.02, iou=0.99)
    raw = detector.predict(dataset / "03.png").detections
    finished = edge.Detector.open(out / "model_nms.tflite", threshold=0.02)
    selected = finished.predict(dataset / "03.png").detections
    assert selected
    for best in selected[:3]:
        same = [
            other for other in raw
            if other.label == best.label and np.abs(np.subtract(other.box, best.box)).max() < 0.5
        ]  # fmt: skip
        assert same and same[0].score == pytest.approx(best.score, abs=0.01)


def test_the_page_shows_classes_and_mistakes(converted_boxes: tuple[Path, Report]) -> None:
    out, _ = converted_boxes
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Average precision by class" in page
    assert "mAP50" in page
    assert "missed" in page
    assert "Precision by recall at an IoU of 0.5" in page  # the curves, in words
    assert "by the size of objects" in page
    assert "False alarms in images without any object are not known" in page
    assert "suppressing overlapping boxes takes" in page
    assert "The stored score threshold is" in page


def test_a_recipe_narrows_the_trunk(converted_boxes: tuple[Path, Report]) -> None:
    _, report = converted_boxes
    narrower, whole = report.variants["channels-50"], report.variants["int8"]
    assert narrower.bytes < whole.bytes
    assert any("least squares" in note for note in narrower.notes)


def test_recipes_that_train_and_random_weights_are_refused(dataset: Path, tmp_path: Path) -> None:
    with raises_code("recipe-not-for-task"):
        converters.convert(dataset, tmp_path / "out", weights="builtin", recipes=["qat"])
    with raises_code("weights-unavailable"):
        converters.convert(dataset, tmp_path / "out", weights="none", size=64)
    with raises_code("unsupported-input-size"):
        converters.convert(dataset, tmp_path / "out", weights="builtin", size=640)


def test_labels_of_classes_are_no_boxes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(3):
            pixels = np.full((8, 8, 3), number, np.uint8)
            cv2.imwrite(str(tmp_path / "photos" / name / f"{number}.png"), pixels)
    with raises_code("dataset-for-another-task"):
        converters.convert(tmp_path / "photos", tmp_path / "out", task="detect")
