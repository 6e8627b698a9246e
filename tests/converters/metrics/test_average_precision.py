import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from box_sets import box_set, coco_results, coco_truth

from converters.metrics.average_precision import (
    average_precisions,
    mean_precision,
    precision_recall,
)
from converters.metrics.box_matching import SIZES, match_classes
from converters.metrics.boxes import DetectedBoxes, TrueBoxes
from converters.metrics.resampling import interval, resample

FIXTURE = Path(__file__).parent / "data" / "coco_boxes.json"


def of_coco(data: dict[str, Any]) -> tuple[list[TrueBoxes], list[DetectedBoxes]]:
    """Read a COCO dictionary with results, as :mod:`box_sets` numbers its images."""
    true, detected = [], []
    for image in data["images"]:
        own = [a for a in data["annotations"] if a["image_id"] == image["id"]]
        detections = [r for r in data["results"] if r["image_id"] == image["id"]]
        true.append(
            TrueBoxes(
                _corners(own),
                np.array([a["category_id"] - 1 for a in own], np.int64),
                np.array([a["iscrowd"] for a in own], np.bool_),
                np.array([a["area"] for a in own]),
            )
        )
        detected.append(
            DetectedBoxes(
                _corners(detections),
                np.array([r["score"] for r in detections]),
                np.array([r["category_id"] - 1 for r in detections], np.int64),
            )
        )
    return true, detected


def _corners(rows: list[dict[str, Any]]) -> Any:
    boxes = np.array([row["bbox"] for row in rows], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def by_size(true: list[TrueBoxes], detected: list[DetectedBoxes], classes: int) -> list[Any]:
    matches = match_classes(true, detected, classes)
    return [average_precisions(matches, size=size)[0] for size in range(len(SIZES))]


def test_equals_what_pycocotools_computed() -> None:
    data = json.loads(FIXTURE.read_text())
    expected = data["expected"]

    whole, *sizes = by_size(*of_coco(data), classes=len(data["categories"]))

    assert np.nanmean(whole) == pytest.approx(expected["map"], abs=1e-6)
    assert np.nanmean(whole[:, 0]) == pytest.approx(expected["map50"], abs=1e-6)
    assert np.nanmean(whole[:, 5]) == pytest.approx(expected["map75"], abs=1e-6)
    assert whole.mean(axis=1) == pytest.approx(expected["per_class"], abs=1e-6)
    for name, precisions in zip(SIZES[1:], sizes, strict=True):
        assert np.nanmean(precisions) == pytest.approx(expected[f"map_{name}"], abs=1e-6)


@pytest.mark.parametrize("options", [{}, {"images": 60, "classes": 5}, {"detections": 250}])
def test_equals_pycocotools(options: dict[str, int]) -> None:
    coco, cocoeval = (pytest.importorskip(f"pycocotools.{name}") for name in ("coco", "cocoeval"))
    classes = options.get("classes", 3)
    true, detected = box_set(seed=3, **options)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO()
        truth.dataset = coco_truth(true, classes)
        truth.createIndex()
        other = cocoeval.COCOeval(truth, truth.loadRes(coco_results(detected)), "bbox")
        other.evaluate()
        other.accumulate()

    for size, precisions in enumerate(by_size(true, detected, classes)):
        theirs = other.eval["precision"][:, :, :, size, 2]
        theirs = np.where(theirs[:, 0] < 0, np.nan, theirs.mean(axis=1)).T
        np.testing.assert_allclose(precisions, theirs, atol=1e-6)


def test_perfect_detections_have_a_precision_of_one() -> None:
    true, _ = box_set(seed=1)
    detected = [DetectedBoxes(t.boxes, np.full(len(t.boxes), 0.9), t.classes) for t in true]

    precisions = average_precisions(match_classes(true, detected, 3))

    assert mean_precision(precisions)[0] == pytest.approx(1)


def test_class_without_a_true_box_has_no_precision() -> None:
    true, detected = box_set(seed=1)

    precisions = average_precisions(match_classes(true, detected, 4))

    assert np.isnan(precisions[0, 3]).all()
    assert mean_precision(precisions)[0] == pytest.approx(np.nanmean(precisions[0, :3]))


def test_resampled_images_are_as_images_listed_that_often() -> None:
    true, detected = box_set(seed=5)
    random = np.random.default_rng(0)
    detected = [  # equal scores have no order
        DetectedBoxes(d.boxes, random.random(len(d.boxes)), d.classes) for d in detected
    ]
    weights = resample(len(true), seed=2, count=3)

    precisions = average_precisions(match_classes(true, detected, 3), weights)

    for row, of_resample in zip(weights.astype(int), precisions, strict=True):
        listed = [index for index, count in enumerate(row) for _ in range(count)]
        copies = match_classes([true[i] for i in listed], [detected[i] for i in listed], 3)
        np.testing.assert_allclose(of_resample, average_precisions(copies)[0], atol=1e-12)


def test_interval_contains_the_metric_and_is_the_same_for_a_seed() -> None:
    true, detected = box_set(seed=6)
    matches = match_classes(true, detected, 3)

    bounds = [
        interval(
            mean_precision(average_precisions(matches, resample(len(true), seed, 200))), len(true)
        )
        for seed in (0, 0, 1)
    ]

    low, high = bounds[0]
    assert low < mean_precision(average_precisions(matches))[0] < high
    assert bounds[0] == bounds[1] != bounds[2]


def test_curve_of_a_class() -> None:
    true = [
        TrueBoxes(
            np.array([[0, 0, 10, 10], [20, 0, 30, 10.0]]), np.zeros(2, int), np.zeros(2, bool)
        )
    ]
    detected = [
        DetectedBoxes(
            np.array([[0, 0, 10, 10], [50, 50, 60, 60], [20, 0, 30, 10.0]]),
            np.array([0.9, 0.8, 0.7]),
            np.zeros(3, int),
        )
    ]

    curve = precision_recall(match_classes(true, detected, 1)[0])

    assert curve.recall.tolist() == [0.5, 0.5, 1]
    assert curve.precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3])
    assert curve.envelope.tolist() == pytest.approx([1, 2 / 3, 2 / 3])
    assert curve.scores.tolist() == [0.9, 0.8, 0.7]
