"""Settings of tasks that change while they run, and results that are no numbers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
from errors import raises_code

import edge
from edge.frame import Frame
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.tasks.classify.scores import best_classes
from edge.tasks.detect.detector import Detector
from edge.tasks.detect.heads.yolo import Candidates
from edge.tasks.task import TaskSettings, check_classes
from edge.tasks.track.tracker import Tracker

COLORS = ("red", "green", "blue")
RED = np.full((48, 64, 3), (0, 0, 255), np.uint8)
BLUE = RED[..., ::-1].copy()


@pytest.fixture
def classifier(tmp_path: Path) -> Any:
    model = tmp_path / "colors.tflite"
    about = ModelMetadata(labels=COLORS, mean=(127.5,), std=(127.5,))
    model.write_bytes(write_metadata(tiny_models.color_model("float32"), about))
    return edge.Classifier.open(model, smoothing=0, delegate="cpu", threads=1)


def classified(task: Any, image: Any = RED) -> Any:
    frame = Frame(0, 0.0, image)
    return task.postprocess(task.runtime.invoke(*task.preprocess(frame)), frame)


def test_a_classifier_begins_with_what_it_was_opened_with(classifier: Any) -> None:
    assert classifier.settings() == TaskSettings(0.0, None, COLORS)
    assert classifier.settings().to_dict() == {"score": 0.0, "classes": None, "boundaries": None}


def test_a_threshold_comes_and_goes(classifier: Any) -> None:
    strict = classifier.with_settings(replace(classifier.settings(), score=1.0))
    assert classified(strict).unknown
    assert classified(strict).threshold == 1.0
    free = strict.with_settings(replace(strict.settings(), score=0.0))
    assert not classified(free).unknown
    assert free.settings() == classifier.settings()


def test_a_classifier_looks_at_some_classes_alone(classifier: Any) -> None:
    fewer = classifier.with_settings(replace(classifier.settings(), classes=("blue", "green")))
    assert classified(classifier).best.label == "red"
    assert {actual.label for actual in classified(fewer).classes} == {"green", "blue"}
    assert classified(fewer, BLUE).best.label == "blue"
    assert fewer.settings().classes == ("green", "blue")
    assert fewer.selected.tolist() == [1, 2]  # looked up once, not for each frame


def test_equal_scores_of_some_classes_stay_in_the_order_of_their_index() -> None:
    scores = np.array([0.1, 0.3, 0.2, 0.3, 0.1], np.float32)
    actual = best_classes(scores, tuple("abcde"), 3, None, np.array([0, 1, 3, 4]))
    assert [item.label for item in actual.classes] == ["b", "d", "a"]


@pytest.mark.parametrize("labels", [(), ("background", "class 1", "class 2")])
def test_classes_of_a_model_without_labels_need_labels(labels: tuple[str, ...]) -> None:
    with raises_code("classes-without-labels", found="person", fix="--labels"):
        check_classes(("person",), labels)


@pytest.mark.parametrize(
    ("change", "code", "fields"),
    [
        ({"score": 1.01}, "invalid-option-value", {"found": "1.01"}),
        ({"score": -0.1}, "invalid-option-value", {"found": "-0.1"}),
        ({"score": float("nan")}, "invalid-option-value", {"found": "nan"}),
        ({"score": None}, "invalid-option-value", {"found": "None"}),
        ({"classes": ("rad",)}, "unknown-class", {"found": "'rad'", "fix": "'red'"}),
        ({"classes": ("red", "x")}, "unknown-class", {"found": "'x'", "fix": "red, green"}),
        ({"classes": ()}, "no-classes", {}),
    ],
)
def test_what_it_cannot_be(
    classifier: Any, change: dict[str, Any], code: str, fields: dict[str, str]
) -> None:
    for task in (classifier, detector([])):
        with raises_code(code, **fields):
            task.with_settings(replace(task.settings(), **change))


class Runtime:
    """Stands for one whose head gives what it is told."""

    class _Spec:
        shape = (1, 100, 100, 3)

    inputs = (_Spec,)


class Head:
    """Boxes in shares of the image, with classes and scores as given for the frame."""

    letterbox, suppresses, classes = False, True, 3

    def __init__(self, rows: Any) -> None:
        self.rows, self.least = rows, 0.0

    def __call__(self, outputs: Any, score: float) -> Candidates:
        self.least = score
        rows = [row for row in self.rows if row[1] >= score]
        boxes = [[0.3 * row[0], 0.1, 0.3 * row[0] + 0.2, 0.6] for row in rows]
        return Candidates(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array([row[1] for row in rows], np.float32),
            np.array([row[0] for row in rows], np.int64),
        )


def detector(rows: Any, score: float = 0.4, labels: Any = COLORS) -> Detector:
    """A detector that finds classes with scores: pairs."""
    runtime: Any = Runtime()
    return Detector(runtime, labels, (), score, 0.45, None, _head=Head(rows))


def actual(task: Any, frames: int = 1) -> dict[str, int | None]:
    """Return the results of the last of some frames: labels with ids."""
    result: Any = None
    for index in range(frames):
        result = task.postprocess((), Frame(index, index / 10, np.zeros((100, 100, 3), np.uint8)))
    return {item.label: item.track_id for item in result.detections}


def adjusted(task: Any, **change: Any) -> Any:
    return task.with_settings(replace(task.settings(), **change))


def test_a_detector_reports_from_another_score_on_and_other_classes() -> None:
    task = detector([(0, 0.9), (1, 0.5), (2, 0.3)])
    assert set(actual(task)) == {"red", "green"}
    assert set(actual(adjusted(task, score=0.2))) == set(COLORS)
    assert set(actual(adjusted(task, score=0.6))) == {"red"}
    assert set(actual(adjusted(task, classes=("green", "blue")))) == {"green"}
    some = adjusted(task, classes=("green", "blue"))
    assert some.settings() == TaskSettings(0.4, ("green", "blue"), COLORS)
    assert adjusted(some, classes=None).settings() == task.settings()


def test_a_score_of_none_is_the_least_that_makes_sense() -> None:
    assert adjusted(detector([]), score=0.0).settings().score == 0.01


def test_a_detector_without_labels_has_nothing_to_choose() -> None:
    assert detector([], labels=None).settings() == TaskSettings(0.4, None, ())


def test_lines_that_are_no_names_cannot_be_chosen() -> None:
    assert detector([], labels=("cat", "n/a", "dog", "cat")).settings().labels == ("cat", "dog")


def test_a_tracker_reports_what_was_once_found_with_the_score() -> None:
    pytest.importorskip("lap")
    head: Any = Head([(0, 0.9), (1, 0.5), (2, 0.3)])
    task = Tracker.from_detector(replace(detector([]), _head=head))
    first = actual(task, 30)
    assert set(first) == {"red", "green"}
    assert head.least == 0.1
    higher = adjusted(task, score=0.7)
    assert actual(higher) == {"red": first["red"]}
    head.rows = [(0, 0.3), (1, 0.5), (2, 0.3)]  # doubtful for a moment
    assert actual(higher, 5) == {"red": first["red"]}
    assert actual(adjusted(higher, score=0.4), 5) == first
    assert set(actual(adjusted(higher, score=0.25), 30)) == set(COLORS)


def test_a_tracker_begins_with_the_score_of_its_detector() -> None:
    pytest.importorskip("lap")
    rows = [(0, 0.9), (1, 0.5)]
    assert set(actual(Tracker.from_detector(detector(rows, 0.6)), 30)) == {"red"}
    assert Tracker.from_detector(detector(rows, 0.6)).settings().score == 0.6


def test_what_a_tracker_cannot_be() -> None:
    pytest.importorskip("lap")
    for change, code in (
        ({"score": 2.0}, "invalid-option-value"),
        ({"classes": ("rad",)}, "unknown-class"),
    ):
        with raises_code(code):
            adjusted(Tracker.from_detector(detector([])), **change)


def test_a_tracker_follows_some_classes_alone() -> None:
    pytest.importorskip("lap")
    task = adjusted(Tracker.from_detector(detector([(0, 0.9), (1, 0.9)])), classes=("green",))
    assert set(actual(task, 10)) == {"green"}
    assert task.settings().classes == ("green",)


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        (("cat", "domestic"), ("cat, domestic",)),
        (("dog", "cat", "domestic", "crane", "bird"), ("dog", "cat, domestic", "crane, bird")),
        (("crane", "dog"), ("crane", "dog")),
        (("a", "b", "c"), ("a,b, c",)),
        (("cat, domestic", "dog"), ("cat, domestic", "dog")),
    ],
)
def test_classes_with_commas_come_in_parts(parts: Any, names: Any) -> None:
    labels = ("cat, domestic", "dog", "crane", "crane, bird", "a,b, c", "a,b")
    assert check_classes(parts, labels) == names
    with raises_code("unknown-class", found="'domestic'"):
        check_classes(("domestic", "dog"), labels)


def broken(values: np.ndarray, at: tuple[int, ...], value: float) -> np.ndarray:
    values = values.astype(np.float32)
    values[at] = value
    return values


ROWS = np.zeros((1, 2100, 85), np.float32)
ROWS[0, 5, :6] = 0.5, 0.5, 0.2, 0.2, 0.9, 0.9
BODY = np.full((1, 1, 17, 3), 0.5)
BOXES = np.array([[[0, 0, 1, 0.5], [0, 0.5, 1, 1], [0, 0, 0, 0]]])
SSD = (np.array([[2.0, 0, 0]], np.float32), np.array([[0.9, 0.6, 0]], np.float32))
FINITE_MODELS = {
    "SSD, a box": (edge.Detector, 32, (broken(BOXES, (0, 0, 1), np.nan), *SSD)),
    "SSD, a score": (edge.Detector, 32, (BOXES.astype(np.float32), SSD[0],
                                         broken(SSD[1], (0, 1), np.nan))),
    "YOLO, a box": (edge.Detector, 320, (broken(ROWS.transpose(0, 2, 1)[:, :84], (0, 2, 5),
                                                np.inf),)),
    "YOLO, a score": (edge.Detector, 320, (broken(ROWS.transpose(0, 2, 1)[:, :84], (0, 40, 9),
                                                  np.nan),)),
    "a keypoint": (edge.PoseEstimator, 32, (broken(BODY, (0, 0, 3, 1), np.nan),)),
    "the score of a keypoint": (edge.PoseEstimator, 32, (broken(BODY, (0, 0, 3, 2), np.nan),)),
    "the classes of a pixel": (edge.Segmenter, 8, (broken(np.zeros((1, 8, 8, 3)), (0, 1, 1, 1),
                                                          np.nan),)),
    "foreground": (edge.Segmenter, 8, (broken(np.zeros((1, 8, 8, 1)), (0, 1, 1, 0), np.nan),)),
}  # fmt: skip


@pytest.mark.parametrize("case", FINITE_MODELS)
def test_a_result_of_nan_is_an_error(tmp_path: Path, case: str) -> None:
    kind, side, outputs = FINITE_MODELS[case]
    path = tmp_path / "m.tflite"
    path.write_bytes(tiny_models.constant_model(side, *outputs))
    task = kind.open(path, threads=1)
    with raises_code("output-not-finite"):
        task.predict(np.zeros((48, 64, 3), np.uint8))
