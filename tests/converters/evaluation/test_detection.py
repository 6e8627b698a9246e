from pathlib import Path

import numpy as np
import pytest
import tiny_models

from converters.dataset.annotations import BoxedFile
from converters.evaluation.detection import BoxOutcome, DetectionEvaluation
from converters.evaluation.evaluation_task import EvaluationImage, ModelOptions
from converters.evaluation.label_matching import match_labels
from edge.results import Detection, Detections

TASK = DetectionEvaluation()
MATCH = match_labels(["dog", "cat", "cow"], ["cat", "dog", "horse"])
LEFT, RIGHT, BELOW = (0, 0, 20, 20), (30, 0, 60, 30), (0, 40, 20, 60)
SIZE = (60, 60)


def labeled(*rows: tuple[int, tuple[int, ...]], ignored: tuple[bool, ...] = ()) -> EvaluationImage:
    file = BoxedFile(
        path=Path("1.png"),
        name="1.png",
        split=None,
        boxes=np.array([box for _, box in rows], np.float32).reshape(-1, 4),
        labels=np.array([label for label, _ in rows], np.int64),
        ignored=np.array(ignored or (False,) * len(rows), np.bool_),
        size=SIZE,
    )
    return EvaluationImage(file.path, file.name, None, file)


def result(*rows: tuple[int, float, tuple[int, ...]]) -> Detections:
    names = ("dog", "cat", "cow")
    return Detections(
        tuple(Detection(names[i], i, score, tuple(map(float, box))) for i, score, box in rows)  # type: ignore[arg-type]
    )


def outcome(image: EvaluationImage, detected: Detections) -> BoxOutcome:
    return TASK.outcome(image, detected, MATCH)


PERFECT = outcome(
    labeled((0, LEFT), (1, RIGHT), (2, BELOW)), result((1, 0.9, LEFT), (0, 0.8, RIGHT))
)
WRONG = outcome(labeled((0, LEFT), (1, RIGHT)), result((0, 0.7, LEFT), (2, 0.9, RIGHT)))
EMPTY = outcome(labeled(), result((1, 0.6, BELOW), (0, 0.1, LEFT)))


def test_boxes_of_other_classes_are_left_out_and_others_clipped() -> None:
    both = outcome(labeled((0, (-10, 0, 20, 20)), (0, (70, 0, 90, 20))), result((2, 0.9, LEFT)))

    assert PERFECT.true.classes.tolist() == [0, 1]
    assert both.true.boxes.tolist() == [[0, 0, 20, 20]]
    assert len(both.detected.scores) == 0


def test_metrics_of_perfect_and_of_wrong_detections() -> None:
    perfect, wrong = (TASK.measure([one], MATCH.classes, 0) for one in (PERFECT, WRONG))

    assert perfect.metrics["map50"] == perfect.metrics["map"] == pytest.approx(1)
    assert perfect.faults.tolist() == [0]
    assert wrong.metrics["map50"] == 0
    assert wrong.metrics["precision"] == 0
    assert np.isnan(wrong.metrics["map_large"])
    assert perfect.per_class["cat"]["objects"] == 1


def test_false_alarms_are_those_on_images_without_objects() -> None:
    measured = TASK.measure([PERFECT, EMPTY, EMPTY], MATCH.classes, 0)

    assert measured.details["false_alarms_per_100"] == 100
    assert measured.details["best_f1"]["score"] == pytest.approx(0.8)
    assert measured.metrics["recall"] == 1


def test_mistakes_in_words_the_most_first() -> None:
    measured = TASK.measure([EMPTY, PERFECT, WRONG], MATCH.classes, 0)

    assert np.argsort(-measured.faults).tolist() == [2, 0, 1]
    assert TASK.describe(WRONG, MATCH.classes) == "1 cat, 1 dog missed; 1 dog wrongly detected"
    assert TASK.describe(EMPTY, MATCH.classes) == "1 cat wrongly detected"


def test_an_ignored_object_is_neither_missed_nor_wrong() -> None:
    image = labeled((0, LEFT), (1, RIGHT), ignored=(True, False))
    missed = outcome(image, result((0, 0.9, RIGHT)))
    detected = outcome(image, result((0, 0.9, RIGHT), (1, 0.95, LEFT)))

    for one in (missed, detected):
        assert TASK.describe(one, MATCH.classes) == ""
        assert TASK.measure([one], MATCH.classes, 0).metrics["map50"] == pytest.approx(1)


def test_two_models_are_compared_on_the_same_resamples() -> None:
    better = TASK.measure([PERFECT] * 20 + [EMPTY], MATCH.classes, 0)
    worse = TASK.measure([PERFECT] * 8 + [WRONG] * 12 + [EMPTY], MATCH.classes, 0)

    drop = TASK.drops(better, worse)[0]

    assert drop.metric == "map50"
    assert drop.drop == pytest.approx(better.metrics["map50"] - worse.metrics["map50"])
    assert drop.interval[0] < drop.drop < drop.interval[1]
    assert drop.proven
    assert not any(same.proven for same in TASK.drops(better, better))
    objects, alarms = TASK.effects(better, worse)
    assert objects.replace("\N{NO-BREAK SPACE}", " ") == (
        "of 40 objects 16 are detected by both above 40 %, 0 by this model alone, 24 by the "
        "other alone"
    )
    assert alarms == "false detections: 13 by this model, 1 by the other"


def test_pictures_show_the_matched_classes_above_the_threshold() -> None:
    truth, shown = TASK.shown(
        labeled((0, LEFT), (2, BELOW)),
        result((1, 0.9, LEFT), (1, 0.2, RIGHT), (2, 0.9, BELOW)),
        MATCH,
    )

    assert [(d.label, d.box) for d in truth.detections] == [("cat", LEFT)]
    assert [(d.label, d.box) for d in shown.detections] == [("cat", LEFT)]


def test_a_model_that_returns_too_few_objects_is_pointed_out(tmp_path: Path) -> None:
    model = tmp_path / "ssd.tflite"
    model.write_bytes(tiny_models.ssd_model())  # at most 3
    opened = TASK.open(model, ModelOptions())
    full = outcome(labeled(*[(0, LEFT)] * 4), result())

    (note,) = TASK.notes(opened, [full, PERFECT, full])

    assert "at most 3 objects" in note
    assert "2 images" in note
    assert not list(TASK.notes(opened, [PERFECT]))
