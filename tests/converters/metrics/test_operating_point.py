import math

import numpy as np
import pytest

from converters.metrics.box_matching import match_classes
from converters.metrics.boxes import DetectedBoxes, TrueBoxes
from converters.metrics.calibration import calibration_error
from converters.metrics.operating_point import (
    at_score,
    best_f1,
    false_alarms,
    for_precision,
    operating_points,
    score_bins,
)

BOX, ELSEWHERE = [0, 0, 10, 10.0], [50, 50, 60, 60.0]


def true_box(*boxes: list[float], ignored: bool = False) -> TrueBoxes:
    count = len(boxes)
    return TrueBoxes(
        np.array(boxes).reshape(-1, 4), np.zeros(count, np.int64), np.full(count, ignored)
    )


def detections(*rows: tuple[list[float], float]) -> DetectedBoxes:
    boxes = np.array([box for box, _ in rows]).reshape(-1, 4)
    return DetectedBoxes(
        boxes, np.array([score for _, score in rows]), np.zeros(len(rows), np.int64)
    )


TRUE = [true_box(BOX), true_box(BOX), true_box(), true_box(BOX, ignored=True)]
FOUND = [
    detections((BOX, 0.9), (ELSEWHERE, 0.6)),
    detections((BOX, 0.5)),
    detections((ELSEWHERE, 0.3), (BOX, 0.7)),
    detections((BOX, 0.95)),
]
MATCHES = match_classes(TRUE, FOUND, 1)


def test_points_of_every_score_without_what_is_ignored() -> None:
    points = operating_points(MATCHES)

    assert [point.score for point in points] == [0.3, 0.5, 0.6, 0.7, 0.9]
    assert at_score(points, 0.55).precision == pytest.approx(1 / 3)
    assert at_score(points, 0.55).recall == 0.5
    assert at_score(points, 0.92).recall == 0


def test_threshold_for_a_precision_is_the_lowest() -> None:
    points = operating_points(MATCHES)

    half = for_precision(points, 0.5)
    assert half is not None
    assert half.score == 0.5
    assert half.recall == 1
    assert for_precision(points[:1], 0.9) is None


def test_best_f1() -> None:
    best = best_f1(operating_points(MATCHES))

    assert best is not None
    assert best.f1 == pytest.approx(2 / 3)


def test_false_alarms_on_images_without_objects() -> None:
    assert false_alarms(TRUE, FOUND, 0.5) == 100
    assert false_alarms(TRUE, FOUND, 0.1) == 200
    assert false_alarms(TRUE[:1], FOUND[:1], 0.1) is None


def test_scores_are_compared_with_the_share_that_is_correct() -> None:
    bins = score_bins(MATCHES, bins=2)

    assert [(entry.count, entry.correct) for entry in bins] == [(2, 0.5), (3, pytest.approx(1 / 3))]
    error = (2 * abs(0.4 - 0.5) + 3 * abs(2.2 / 3 - 1 / 3)) / 5
    assert calibration_error(bins) == pytest.approx(error)


def test_nothing_detected() -> None:
    nothing = match_classes(TRUE, [detections()] * len(TRUE), 1)

    assert operating_points(nothing) == ()
    assert math.isnan(calibration_error(score_bins(nothing)))
