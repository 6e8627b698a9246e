from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.dataset.annotations import MaskedFile, Size
from converters.evaluation.evaluation_task import EvaluationImage
from converters.evaluation.label_matching import LabelMatch, match_labels
from converters.evaluation.segmentation import MaskOutcome, SegmentationEvaluation
from edge.results import Segmentation

TASK = SegmentationEvaluation()
MATCH = match_labels(["background", "dog", "person"], ["background", "person", "tree"])
PERSON = np.zeros((40, 60), np.uint8)
PERSON[10:30, 20:40] = 1


class FixedMask:
    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def read(self, size: Size) -> Any:
        assert self.mask.shape == size[::-1]
        return self.mask


def outcome(true: Any, predicted: Any, match: LabelMatch = MATCH) -> MaskOutcome:
    file = MaskedFile(Path("1.png"), "1.png", None, FixedMask(true), (60, 40))
    image = EvaluationImage(file.path, file.name, None, file)
    return TASK.outcome(image, Segmentation((), predicted), match)


RIGHT = outcome(PERSON, 2 * PERSON)
MISSED = outcome(PERSON, 0 * PERSON)


def test_classes_of_the_model_that_the_dataset_lacks_are_background() -> None:
    seen = outcome(PERSON, np.where(PERSON == 1, 2, 1).astype(np.uint8))

    assert TASK.measure([seen], MATCH.classes, 0).metrics["miou"] == 1


def test_without_a_background_they_are_wrong() -> None:
    match = match_labels(["sky", "road", "dog"], ["sky", "road"])
    mask = outcome(PERSON, np.where(PERSON == 1, 2, 0).astype(np.uint8), match)

    measured = TASK.measure([mask], match.classes, 0)

    assert measured.per_class["sky"]["iou"] == 1
    assert measured.per_class["road"]["iou"] == 0
    assert measured.details["confusion"][1] == [0, 0, 400]


def test_classes_of_the_dataset_that_the_model_lacks_do_not_count() -> None:
    tree = PERSON.copy()
    tree[:5] = 2

    measured = TASK.measure([outcome(tree, 2 * PERSON)], MATCH.classes, 0)

    assert measured.metrics["pixel_accuracy"] == 1
    assert sum(map(sum, measured.details["confusion"])) == PERSON.size - 5 * 60


def test_metrics_with_intervals_over_the_images() -> None:
    measured = TASK.measure([RIGHT] * 6 + [MISSED] * 2, MATCH.classes, 0)

    assert measured.per_class["person"]["iou"] == pytest.approx(6 / 8)
    low, high = measured.intervals["miou"]
    assert low < measured.metrics["miou"] < high
    assert measured.metrics["boundary_f1"] == pytest.approx(6 / 8)
    assert np.argsort(-measured.faults, kind="stable")[:2].tolist() == [6, 7]
    assert TASK.describe(MISSED, MATCH.classes) == "IoU background 83 %, person 0 %"


def test_two_models_are_compared() -> None:
    better = TASK.measure([RIGHT] * 20, MATCH.classes, 0)
    worse = TASK.measure([RIGHT] * 10 + [MISSED] * 10, MATCH.classes, 0)

    (drop,) = TASK.drops(better, worse)

    assert drop.proven
    assert drop.drop > 0.2
    assert "worse than the other on 10, and better on 0" in TASK.effects(better, worse)[0]
