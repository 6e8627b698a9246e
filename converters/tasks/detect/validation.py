"""Average precision on the validation split while training goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from converters.metrics.average_precision import average_precisions, mean_precision
from converters.metrics.box_matching import match_classes
from converters.metrics.boxes import DetectedBoxes, TrueBoxes
from converters.tasks.detect.augmentation import BoxedImage
from edge.tasks.detect.heads.yolo import Candidates


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """``map50``: at an IoU of 0.5; ``map``: mean over IoUs of 0.5 to 0.95, both 0 to 1."""

    map50: float
    map: float

    @property
    def score(self) -> float:
        """What decides between networks: the mean of both, as each alone is noisy."""
        return (self.map50 + self.map) / 2


def average_precision(
    images: Sequence[BoxedImage], detected: Sequence[Candidates], classes: int, size: int
) -> AveragePrecision:
    """Return the average precision of detections in images of ``size`` × ``size`` pixels."""
    true = [_true_boxes(image) for image in images]
    boxes = [
        DetectedBoxes(np.clip(each.boxes, 0, 1) * np.float32(size), each.scores, each.classes)
        for each in detected
    ]
    precisions = average_precisions(match_classes(true, boxes, classes))
    fifty, every = (float(mean_precision(part)[0]) for part in (precisions[..., :1], precisions))
    return AveragePrecision(float(np.nan_to_num(fifty)), float(np.nan_to_num(every)))


def _true_boxes(image: BoxedImage) -> TrueBoxes:
    """Return the boxes of an image; areas where nothing is known count for no class."""
    return TrueBoxes(image.boxes, image.labels, np.zeros(len(image.labels), np.bool_))
