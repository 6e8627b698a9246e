"""Real detectors on real photographs; boxes were read off the images by eye."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from errors import raises_code

from edge.frame import Frame
from edge.results import Detection
from edge.tasks.detect.detector import Detector

pytestmark = pytest.mark.realdata

SEEN = {
    "cat_720p.jpg": [("cat", (95, 75, 920, 715))],
    "pets.jpg": [("dog", (115, 40, 252, 300)), ("dog", (344, 165, 497, 372))],
    "grace_hopper.bmp": [("person", (5, 25, 508, 598)), ("tie", (228, 425, 290, 540))],
    "kite_and_cold.jpg": [("kite", (594, 76, 671, 150)), ("person", (216, 690, 274, 855))],
}
MODELS = {
    "coco_ssd_mobilenet_v1_1.0_quant": 0.5,
    "yolo_fastest_1.1_int8": 0.4,
}
# What the smaller model does not find: the people on the beach are birds to it.
MISSED = {("yolo_fastest_1.1_int8", "kite_and_cold.jpg", "person")}


def find(test_data: Path, model: str, image: str, **options: Any) -> tuple[Detection, ...]:
    task = Detector.open(
        test_data / "models" / f"{model}.tflite",
        labels=test_data / "models/coco_labels.txt",
        threads=1,
        **options,
    )
    pixels = cv2.imread(str(test_data / "images" / image))
    frame = Frame(0, 0.0, pixels)
    return task.postprocess(task.runtime.invoke(*task.preprocess(frame)), frame).detections


def iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    inner = float(np.prod(np.maximum(0, high - low)))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return inner / (sum(areas) - inner)


@pytest.mark.parametrize("image", SEEN)
@pytest.mark.parametrize("model", MODELS)
def test_what_a_person_sees_is_found(test_data: Path, model: str, image: str) -> None:
    actual = find(test_data, model, image)
    for label, box in SEEN[image]:
        if (model, image, label) in MISSED:
            continue
        best = max((iou(item.box, box) for item in actual if item.label == label), default=0.0)
        assert best >= MODELS[model], (label, actual)


@pytest.mark.parametrize(
    "model", ["yolov5n-int8", "yolov8n_full_integer_quant", "yolov8n_full_integer_quant_MRezqalla"]
)
def test_the_usual_exports_of_yolo_are_recognized(test_data: Path, model: str) -> None:
    actual = find(test_data, f"../edgetpu/models/{model}", "pets.jpg")
    assert [item.label for item in actual] == ["dog", "dog"]
    for _, box in SEEN["pets.jpg"]:
        assert max(iou(item.box, box) for item in actual) >= 0.75


def test_only_the_classes_asked_for(test_data: Path) -> None:
    model = "coco_ssd_mobilenet_v1_1.0_quant"
    assert {
        item.label for item in find(test_data, model, "kite_and_cold.jpg", classes=["kite"])
    } == {"kite"}
    with raises_code("unknown-class", fix="'kite'"):
        find(test_data, model, "kite_and_cold.jpg", classes=["kites"])


def test_both_ways_to_number_labels_give_the_same_names(test_data: Path) -> None:
    models = test_data / "models"
    names = [
        Detector.open(
            models / "coco_ssd_mobilenet_v1_1.0_quant.tflite", labels=models / labels
        ).labels
        for labels in ("coco_labels.txt", "coco_ssd_labels.txt")
    ]
    assert names[0] is not None
    assert names[1] is not None
    assert [name[16] for name in names] == ["cat", "cat"]


def test_labels_of_another_model_are_refused(test_data: Path) -> None:
    models = test_data / "models"
    with raises_code("labels-count-mismatch", expected="80"):
        Detector.open(
            models / "yolo_fastest_1.1_int8.tflite", labels=models / "imagenet_labels.txt"
        )


def test_a_classifier_is_refused_with_the_right_demo(test_data: Path) -> None:
    with raises_code("model-wrong-task", fix="edge demo classify"):
        Detector.open(test_data / "models/mobilenet_v2_1.0_224_quant.tflite")


def test_without_labels_classes_are_numbered_and_it_is_said(test_data: Path) -> None:
    task = Detector.open(test_data / "models/yolo_fastest_1.1_int8.tflite", threads=1)
    assert any("--labels" in note for note in task.notes)
    frame = Frame(0, 0.0, cv2.imread(str(test_data / "images/cat_720p.jpg")))
    outputs = task.runtime.invoke(*task.preprocess(frame))
    assert task.postprocess(outputs, frame).detections[0].label == "class 15"
