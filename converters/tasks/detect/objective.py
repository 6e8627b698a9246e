"""What a detector learns of boxes, and its average precision on the validation images."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from converters import tf
from converters.metrics.average_precision import average_precisions, mean_precision
from converters.metrics.box_matching import match_classes
from converters.metrics.boxes import DetectedBoxes
from converters.pyramid.objective import Outputs, Targets, ValidationScore
from converters.tasks.detect.assignment import assign, cells
from converters.tasks.detect.augmentation import BoxedImage, DetectionAugmentation
from converters.tasks.detect.box_objective import BoxObjective
from converters.tasks.detect.losses import BoxTargets, detection_loss
from converters.tasks.detect.network import DetectorNetwork
from converters.tasks.detect.predictions import LOWEST_SCORE
from edge.interpreter import TensorSpec
from edge.tasks.detect.detector import IOU
from edge.tasks.detect.heads import levels
from edge.tasks.detect.heads.yolo import nms


class DetectionObjective(BoxObjective):
    """Boxes of objects.

    Args:
        network: to be trained; of it the levels and the number of classes count.
        images: of the training split, of any size.
        validation: of the validation split, at the input size.
        augmentation: how training images are changed.
    """

    def __init__(
        self,
        network: DetectorNetwork,
        images: Sequence[BoxedImage],
        validation: Sequence[BoxedImage],
        augmentation: DetectionAugmentation,
    ) -> None:
        super().__init__(network.size, images, validation, augmentation)
        self._strides, self._classes = network.strides, network.classes
        self._grid = cells(network.size, network.strides)

    def targets(self, image: BoxedImage) -> Targets:
        """Return the label and the box of each cell."""
        return assign(image.boxes, image.labels, image.ignored, self._grid)

    def loss(self, outputs: Mapping[str, Any], targets: Sequence[Any]) -> Any:
        """Return the loss of boxes and scores."""
        labels, boxes = targets
        codes = self._joined(outputs, "boxes", 4)
        logits = self._joined(outputs, "classes", self._classes)
        return detection_loss(codes, logits, BoxTargets(labels, boxes), self._grid)

    def judge(self, specs: Sequence[TensorSpec], outputs: Iterable[Outputs]) -> ValidationScore:
        """Compute mAP50 and mAP50-95; their mean decides, as each alone is noisy."""
        head = levels.match(tuple(specs), (self._size, self._size))
        assert head is not None, "the outputs are named so"
        selected = [nms(head(each, LOWEST_SCORE), IOU) for each in outputs]
        side = np.float32(self._size)
        boxes = [
            DetectedBoxes(np.clip(each.boxes, 0, 1) * side, each.scores, each.classes)
            for each in selected
        ]
        precisions = average_precisions(match_classes(self._true, boxes, self._classes))
        map50, mean = (
            float(np.nan_to_num(mean_precision(part)[0]))
            for part in (precisions[..., :1], precisions)
        )
        words = f"mAP50 {map50:.1%}, mAP {mean:.1%}"
        return ValidationScore((map50 + mean) / 2, {"map50": map50, "map": mean}, words)

    def _joined(self, outputs: Mapping[str, Any], kind: str, channels: int) -> Any:
        tensorflow = tf.tensorflow()
        levels_of_kind = [outputs[f"{kind}/{stride}"] for stride in self._strides]
        rows = [
            tensorflow.reshape(level, (-1, level.shape[1] * level.shape[2], channels))
            for level in levels_of_kind
        ]
        return tensorflow.concat(rows, axis=1)
