"""Generated sets of true and detected boxes, with everything that COCO's metric treats apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from converters.metrics.boxes import DetectedBoxes, TrueBoxes


def box_set(
    seed: int, images: int = 40, classes: int = 3, detections: int = 12
) -> tuple[list[TrueBoxes], list[DetectedBoxes]]:
    """Make images with boxes of all sizes, crowds and areas of outlines, and detections of them.

    Detections are moved, doubled, of a wrong class or made up; scores repeat, and some images have
    no true box, or no detection.
    """
    random = np.random.default_rng(seed)
    true, detected = [], []
    for _ in range(images):
        count = int(random.integers(0, 9))
        corner = random.uniform(0, 300, (count, 2))
        sides = 10 ** random.uniform(0.8, 2.3, (count, 2))
        boxes = np.concatenate([corner, corner + sides], axis=1)
        labels = random.integers(0, classes, count)
        ignored = random.random(count) < 0.15
        areas = sides.prod(axis=1) * random.uniform(0.5, 1, count)
        true.append(TrueBoxes(boxes, labels.astype(np.int64), ignored, areas))
        detected.append(_detections(random, boxes, labels, classes, detections))
    return true, detected


def _detections(
    random: np.random.Generator, boxes: Any, labels: Any, classes: int, most: int
) -> DetectedBoxes:
    count = int(random.integers(0, most))
    chosen = random.integers(0, max(1, len(boxes)), count) if len(boxes) else np.zeros(0, int)
    sides = np.tile(boxes[chosen, 2:] - boxes[chosen, :2], 2)
    moved = boxes[chosen] + random.normal(0, 0.08, (len(chosen), 4)) * sides
    moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
    kinds = np.where(
        random.random(len(chosen)) < 0.2, random.integers(0, classes, len(chosen)), labels[chosen]
    )
    corner = random.uniform(0, 400, (int(random.integers(0, 3)), 2))
    made_up = np.concatenate([corner, corner + random.uniform(5, 150, corner.shape)], axis=1)
    every = np.concatenate([moved, made_up])
    extra = random.integers(0, classes, len(made_up))
    scores = np.round(random.random(len(every)), 2)
    return DetectedBoxes(every, scores, np.concatenate([kinds, extra]).astype(np.int64))


def coco_truth(true: Sequence[TrueBoxes], classes: int) -> dict[str, Any]:
    """Return true boxes as a COCO dictionary; images and classes are numbered from 1."""
    annotations = []
    for image, truth in enumerate(true, 1):
        areas = truth.areas if truth.areas is not None else [None] * len(truth.boxes)
        rows = zip(truth.boxes, truth.classes, truth.ignored, areas, strict=True)
        for box, label, ignored, area in rows:
            x1, y1, x2, y2 = map(float, box)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(label) + 1,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1) if area is None else float(area),
                    "iscrowd": int(ignored),
                }
            )
    return {
        "info": {},
        "images": [{"id": image} for image in range(1, len(true) + 1)],
        "annotations": annotations,
        "categories": [{"id": index + 1, "name": str(index)} for index in range(classes)],
    }


def coco_results(detected: Sequence[DetectedBoxes]) -> list[dict[str, Any]]:
    """Return detections as COCO results."""
    return [
        {
            "image_id": image,
            "category_id": int(label) + 1,
            "bbox": [float(box[0]), float(box[1]), *(float(v) for v in box[2:] - box[:2])],
            "score": float(score),
        }
        for image, detections in enumerate(detected, 1)
        for box, score, label in zip(
            detections.boxes, detections.scores, detections.classes, strict=True
        )
    ]
