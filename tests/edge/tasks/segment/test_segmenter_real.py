"""Real segmentation models on photographs with reference masks."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from errors import raises_code

from edge import interpreter
from edge.frame import Frame
from edge.installation import install_command
from edge.results import Segmentation
from edge.tasks.segment.segmenter import SELFIE, Segmenter, default_model

pytestmark = pytest.mark.realdata


def seen(task: Segmenter, path: Path) -> Segmentation:
    frame = Frame(0, 0.0, cv2.imread(str(path)), path.name)
    return task.postprocess(task.runtime.invoke(*task.preprocess(frame)), frame)


def iou(actual: Any, reference: Any) -> float:
    return float((actual & reference).sum() / (actual | reference).sum())


def deeplab(test_data: Path) -> Segmenter:
    models = test_data / "models"
    labels = models / "pascal_voc_segmentation_labels.txt"
    return Segmenter.open(
        models / "deeplabv3_mnv2_dm05_pascal_quant.tflite", labels=labels, threads=1
    )


def people() -> Segmenter:
    model = default_model()
    if model == SELFIE:
        pytest.skip(f"no mediapipe with models: {install_command('pose')}")
    return Segmenter.open(model, threads=1)


def test_deeplab_finds_the_bird(test_data: Path) -> None:
    values = seen(deeplab(test_data), test_data / "images/bird_segmentation.bmp")
    mask = cv2.imread(str(test_data / "images/bird_segmentation_mask.bmp"), cv2.IMREAD_UNCHANGED)
    assert values.segments[0].label == "bird"
    assert (values.mask == mask).mean() >= 0.95
    rows, columns = np.nonzero(mask == 3)
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert values.segments[0].box == pytest.approx(box, abs=40)


def test_deeplab_names_a_person_in_an_image_of_other_proportions(test_data: Path) -> None:
    values = seen(deeplab(test_data), test_data / "images/pose.jpg")
    reference = cv2.imread(str(test_data / "images/pose_segmentation.png"))[..., 0] == 255
    assert [item.label for item in values.segments] == ["person"]
    assert iou(values.mask == 15, reference) >= 0.8


def test_the_selfie_model_cuts_out_a_portrait(test_data: Path) -> None:
    values = seen(people(), test_data / "images/portrait.jpg")
    reference = cv2.imread(str(test_data / "images/portrait_segmentation.png"))[..., 0] == 255
    (person,) = values.segments
    assert person.label == "person"
    assert iou(values.mask == 1, reference) >= 0.97
    assert person.share == pytest.approx(reference.mean(), abs=0.02)
    assert values.alpha is not None
    assert iou(values.alpha >= 128, reference) >= 0.97


def test_an_interpreter_without_the_operation_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    if not interpreter.installed("tflite-runtime"):
        pytest.skip("no tflite-runtime")
    only = {"tflite-runtime": interpreter.INTERPRETERS["tflite-runtime"]}
    monkeypatch.setattr(interpreter, "INTERPRETERS", only)
    with raises_code("operation-not-supported", fix="pip install ai-edge-litert"):
        people()


def test_smoothing_calms_the_edge_in_a_video(test_data: Path) -> None:
    restless = []
    for seconds in (0.0, 0.3):
        task = Segmenter.open(people().path, threads=1, smoothing=seconds)
        capture = cv2.VideoCapture(str(test_data / "video/pose_squats.mp4"))
        masks = []
        for index in range(25):
            frame = Frame(index, index / 25, np.asarray(capture.read()[1], np.uint8))
            outputs = task.runtime.invoke(*task.preprocess(frame))
            masks.append(task.postprocess(outputs, frame).mask)
        back = [(a == c) & (a != b) for a, b, c in zip(masks, masks[1:], masks[2:], strict=False)]
        restless.append(np.mean(back))
    assert restless[1] < 0.85 * restless[0]
