"""Detectors as exporters make them: outputs in any order, packed metadata, labels that fit."""

import io
import itertools
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
from errors import raises_code

import edge
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.tasks.detect.heads.ssd import classes_and_scores

IMAGE = np.zeros((100, 200, 3), np.uint8)
NAMES = ("cat", "dog", "cow")
LEFT, RIGHT = (0.0, 0.0, 100.0, 100.0), (100.0, 0.0, 200.0, 100.0)


def save(folder: Path, content: bytes, labels: tuple[str, ...] | None = NAMES) -> Path:
    path = folder / "m.tflite"
    path.write_bytes(content)
    if labels is not None:
        (folder / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    return path


def with_zip(content: bytes, name: str, text: str) -> bytes:
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(name, text)
    return file.getvalue()


def detections(path: Path, **options: Any) -> list[tuple[str, float, tuple[float, ...]]]:
    task = edge.Detector.open(path, threads=1, **options)
    return [
        (item.label, round(item.score, 3), tuple(round(side, 3) for side in item.box))
        for item in task.predict(IMAGE).detections
    ]


ORDERS = [*itertools.permutations(range(4)), *itertools.permutations(range(3))]


@pytest.mark.parametrize("order", ORDERS[::2])
def test_the_outputs_of_ssd_may_come_in_any_order_and_without_their_number(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    path = save(tmp_path, tiny_models.ssd_model(order))
    # The rows behind the last detection keep what was in memory, which a low threshold would show.
    assert detections(path, threshold=0.02) == [("cow", 0.9, LEFT), ("cat", 0.6, RIGHT)]


def test_another_order_counts_after_a_delegate_failed(tmp_path: Path) -> None:
    save(tmp_path, tiny_models.ssd_model((3, 2, 1, 0)))
    compiled = tmp_path / "m_edgetpu.tflite"
    compiled.write_bytes(tiny_models.ssd_model((1, 0, 2)))
    task = edge.Detector.open(compiled).fallback_to_cpu()
    assert [item.label for item in task.predict(IMAGE).detections] == ["cow", "cat"]


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_an_ssd_without_boxes_classes_or_scores_is_refused(tmp_path: Path, missing: int) -> None:
    order = tuple(i for i in range(4) if i != missing)
    path = save(tmp_path, tiny_models.ssd_model(order))
    with raises_code("model-wrong-task", fix="boxes, classes, scores"):
        edge.Detector.open(path)


BOXES = np.array([[[0, 0, 1, 0.5], [0, 0.5, 1, 1], [0, 0, 0, 0]]], np.float32)
CLASSES, SCORES = np.array([[2, 0, 0]], np.float32), np.array([[0.9, 0.6, 0]], np.float32)
OUTPUTS = (BOXES, CLASSES, SCORES, np.array([2], np.float32))


@pytest.mark.parametrize("order", ORDERS[1::4])
def test_without_the_operation_shapes_and_values_tell_the_outputs(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    content = tiny_models.constant_model(32, *(OUTPUTS[i] for i in order))
    assert detections(save(tmp_path, content)) == [("cow", 0.9, LEFT), ("cat", 0.6, RIGHT)]


def test_names_and_data_types_tell_the_outputs_where_values_do_not(tmp_path: Path) -> None:
    sure = np.array([[1, 1, 0]], np.float32)
    for classes, scores, names in (
        (sure.astype(np.int32), sure, ("a", "b", "c")),
        (sure, sure, ("detection_scores", "detection_boxes", "detection_classes")),
    ):
        content = tiny_models.constant_model(32, scores, BOXES, classes, names=names)
        task = edge.Detector.open(save(tmp_path, content))
        assert not any("values" in note for note in task.notes)
        assert [item.label for item in task.predict(IMAGE).detections] == ["dog", "dog"]


@pytest.mark.parametrize(
    ("classes", "scores"),
    [
        ([2, 0, 7], [0.9, 0.5, 0.1]),
        ([0, 0, 0], [0.9, 0.5, 0.1]),
        ([5, 3, 0], [1, 1, 0]),
        ([0, 0, 0], [1, 1, 0]),
        ([0, 1, 0], [1, 1, 0]),
    ],
)
def test_values_tell_classes_from_scores(classes: list[float], scores: list[float]) -> None:
    pair = np.array(classes, np.float32), np.array(scores, np.float32)
    for given in (pair, pair[::-1]):
        got = classes_and_scores(*given)
        assert (got[0].tolist(), got[1].tolist()) == (pair[0].tolist(), pair[1].tolist())


@pytest.mark.parametrize("count", [float("nan"), float("inf"), -1.0])
def test_an_impossible_number_of_detections_ends_nothing(tmp_path: Path, count: float) -> None:
    content = tiny_models.constant_model(32, *OUTPUTS[:3], np.array([count], np.float32))
    assert len(detections(save(tmp_path, content))) in (0, 2)


@pytest.mark.parametrize(
    ("labels", "fits"),
    [
        (NAMES, True),
        (("???", *NAMES), True),
        (("background", *NAMES), True),
        (NAMES[:2], False),
        (("???", *NAMES[:2]), False),
        ((*NAMES, "sheep"), False),
        (("???", *NAMES, "sheep"), False),
    ],
)
def test_ssd_wants_a_label_for_each_class(
    tmp_path: Path, labels: tuple[str, ...], fits: bool
) -> None:
    path = save(tmp_path, tiny_models.ssd_model(), labels)
    if fits:
        assert [label for label, *_ in detections(path)] == ["cow", "cat"]
    else:
        with raises_code("labels-count-mismatch", expected="3", found="labels.txt"):
            edge.Detector.open(path)


def test_a_class_is_chosen_by_a_name_with_a_comma(tmp_path: Path) -> None:
    path = save(tmp_path, tiny_models.ssd_model(), ("cat, domestic", "dog", "cow"))
    assert [label for label, *_ in detections(path, classes=("cat", "domestic"))] == [
        "cat, domestic"
    ]


def yolo(values: int) -> bytes:
    """An export of YOLOv8 that finds class 0 in the left half; [1, values, cells]."""
    rows = np.zeros((1, values, 189), np.float32)
    rows[0, :5, 3] = 0.25, 0.5, 0.5, 1, 0.9
    return tiny_models.constant_model(96, rows)


JSON = json.dumps({"task": "detect", "stride": 32, "names": {"0": "cat", "1": "dog"}})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metadata.json", JSON),
        ("metadata.yaml", "task: detect\nstride: 32\nimgsz:\n- 32\nnames:\n  0: cat\n  1: dog\n"),
        ("temp_meta.txt", "{'description': \"x's\", 'task': 'detect', 'stride': 32, "
                          "'args': {'half': False, 'fraction': None}, "
                          "'names': {0: 'cat', 1: 'dog'}}"),
        ("meta.txt", "{'stride': 32, 'names': ['cat', 'dog']}"),
    ],
)  # fmt: skip
def test_names_that_an_exporter_packs_are_read(tmp_path: Path, name: str, text: str) -> None:
    path = save(tmp_path, with_zip(yolo(6), name, text), labels=None)
    assert detections(path) == [("cat", 0.9, LEFT)]


@pytest.mark.parametrize("task", ["pose", "segment", "classify", "obb"])
def test_a_model_for_another_task_is_refused_by_its_metadata(tmp_path: Path, task: str) -> None:
    packed = with_zip(yolo(6), "metadata.json", JSON.replace("detect", task))
    path = save(tmp_path, packed, labels=None)
    with raises_code("model-wrong-task", found=task):
        edge.Detector.open(path)
    with raises_code("model-wrong-task"):
        edge.Tracker.open(path)


def test_a_detector_is_refused_by_other_tasks(tmp_path: Path) -> None:
    path = save(tmp_path, with_zip(yolo(6), "metadata.json", JSON), labels=None)
    for opener in (edge.Classifier.open, edge.Segmenter.open, edge.PoseEstimator.open):
        with raises_code("model-wrong-task", found="detect", fix="edge demo detect"):
            opener(path)


def test_poses_without_metadata_are_no_detector_of_52_classes(tmp_path: Path) -> None:
    path = save(tmp_path, yolo(56), labels=None)
    with raises_code("model-wrong-task", fix="poses"):
        edge.Detector.open(path)
    save(tmp_path, yolo(56), labels=("person",))
    with raises_code("labels-count-mismatch"):
        edge.Detector.open(path)
    path = save(tmp_path, yolo(56), labels=tuple(f"card {i}" for i in range(52)))
    assert detections(path) == [("card 0", 0.9, LEFT)]


@pytest.mark.parametrize(
    ("shapes", "advice"),
    [
        (((1, 300, 6),), "nms=False"),
        (((1, 2, 4), (1, 2, 91)), "post-processing"),
        (((1, 38, 21), (1, 8, 8, 32)), "instance masks"),
        (((1, 10),), "classifier"),
        (((1, 7, 9, 5),), "TOML"),
    ],
)
def test_other_exports_are_told_from_a_detector(
    tmp_path: Path, shapes: tuple[tuple[int, ...], ...], advice: str
) -> None:
    outputs = [np.zeros(shape, np.float32) for shape in shapes]
    path = save(tmp_path, tiny_models.constant_model(32, *outputs), labels=None)
    with raises_code("model-wrong-task", fix=advice):
        edge.Detector.open(path)


MODEL = tiny_models.centers_model([(16, 16, 0), (44, 44, 0)], classes=1)
"""A detector of points of an input of 64 × 64 pixels."""


def test_points_lie_in_the_frame_and_have_the_stored_size(tmp_path: Path) -> None:
    about = ModelMetadata(
        labels=("cell",), task="detect", threshold=0.8, head={"object_sizes": [[0.5, 0.25]]}
    )
    path = tmp_path / "m.tflite"
    path.write_bytes(write_metadata(MODEL, about))
    task = edge.Detector.open(path, threads=1)
    assert (task.finds_points, task.threshold, task.notes) == (True, pytest.approx(0.8), ())
    result = task.predict(IMAGE)
    assert [item.point for item in result.detections] == [(50.0, 25.0), (137.5, 68.75)]
    assert result.detections[0].box == (0.0, 12.5, 100.0, 37.5)
    assert result.to_dict()["detections"][0]["point"] == [50.0, 25.0]
    assert result.summary() == "cell × 2"


def test_a_model_of_points_without_sizes_is_told(tmp_path: Path) -> None:
    task = edge.Detector.open(save(tmp_path, MODEL, labels=("cell",)), threads=1)
    assert any("32 pixels" in note for note in task.notes)
    assert len(task.predict(IMAGE).detections) == 2
