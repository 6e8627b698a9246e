"""What a detector learns of boxes, and its average precision on the validation images."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from converters import tf
from converters.metrics.average_precision import average_precisions, mean_precision
from converters.metrics.box_matching import match_classes
from converters.metrics.boxes import DetectedBoxes, TrueBoxes
from converters.pyramid.objective import Objective, Outputs, Pixels, Targets, ValidationScore
from converters.pyramid.training import MAX_VALIDATION
from converters.tasks.detect.assignment import assign, cells
from converters.tasks.detect.augmentation import BoxedImage, DetectionAugmentation
from converters.tasks.detect.losses import BoxTargets, detection_loss
from converters.tasks.detect.network import DetectorNetwork
from converters.tasks.detect.predictions import LOWEST_SCORE
from edge.interpreter import TensorSpec
from edge.tasks.detect.detector import IOU
from edge.tasks.detect.heads import levels
from edge.tasks.detect.heads.yolo import nms


class DetectionObjective(Objective):
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
        self._size, self._strides, self._classes = network.size, network.strides, network.classes
        self._grid = cells(network.size, network.strides)
        self._images, self._augmentation = images, augmentation
        shown = list(validation[:MAX_VALIDATION])
        self._true = [_true_boxes(image) for image in shown]
        self.images = len(images)
        self.validation = [image.pixels for image in shown]

    def view(self, number: int, rng: np.random.Generator) -> tuple[Pixels, Targets]:
        """Return a changed image, and the label and the box of each cell."""
        return self._view(number, rng, self._augmentation)

    def calm_view(self, number: int, rng: np.random.Generator) -> tuple[Pixels, Targets]:
        """Return a view without a mosaic."""
        return self._view(number, rng, self._augmentation.calm())

    def _view(
        self, number: int, rng: np.random.Generator, augmentation: DetectionAugmentation
    ) -> tuple[Pixels, Targets]:
        changed = augmentation.view(self._size, number, self.images, self._images.__getitem__, rng)
        learned = assign(changed.boxes, changed.labels, changed.ignored, self._grid)
        return changed.pixels, learned

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


def _true_boxes(image: BoxedImage) -> TrueBoxes:
    """Return the boxes of an image; areas where nothing is known count for no class."""
    return TrueBoxes(image.boxes, image.labels, np.zeros(len(image.labels), np.bool_))
