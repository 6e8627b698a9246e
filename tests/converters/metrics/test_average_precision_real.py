"""Average precision of real detections of fruit, against pycocotools."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest

from converters.evaluation.detection import DetectionEvaluation
from converters.evaluation.evaluation_task import ModelOptions
from converters.evaluation.label_matching import match_labels
from converters.evaluation.runner import run
from converters.progress import SilentProgress

pytestmark = pytest.mark.realdata


def test_equals_pycocotools_on_photos(test_data: Path, tmp_path: Path) -> None:
    coco, cocoeval = (pytest.importorskip(f"pycocotools.{name}") for name in ("coco", "cocoeval"))
    folder, models = test_data / "datasets" / "det_fruit3", test_data / "models"
    task = DetectionEvaluation()
    detector = task.open(
        models / "yolo_fastest_1.1_int8.tflite", ModelOptions(labels=models / "coco_labels.txt")
    )
    listing = task.list_images(folder, tmp_path)
    match = match_labels(detector.labels or (), listing.classes)
    (finished,) = run(task, [(detector, match)], listing.images, SilentProgress())

    measured = task.measure(finished.outcomes, match.classes, 0)

    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(folder / "annotations.json"))
        ids = {Path(image["file_name"]).name: image["id"] for image in truth.dataset["images"]}
        results = [
            {
                "image_id": ids[Path(image.name).name],
                "category_id": int(label) + 1,
                "bbox": [float(v) for v in (*box[:2], *(box[2:] - box[:2]))],
                "score": float(score),
            }
            for image, outcome in zip(finished.images, finished.outcomes, strict=True)
            for box, score, label in zip(
                outcome.detected.boxes,
                outcome.detected.scores,
                outcome.detected.classes,
                strict=True,
            )
        ]
        theirs = cocoeval.COCOeval(truth, truth.loadRes(results), "bbox")
        theirs.evaluate()
        theirs.accumulate()
        theirs.summarize()
    names = ("map", "map50", "map75", "map_small", "map_medium", "map_large")
    for name, value in zip(names, theirs.stats, strict=False):
        expected = np.nan if value < 0 else value
        assert measured.metrics[name] == pytest.approx(expected, abs=1e-6, nan_ok=True)
