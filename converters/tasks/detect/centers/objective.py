"""What a detector of points learns, and its F1 on the validation images."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from converters import tf
from converters.metrics.operating_point import best_f1, operating_points
from converters.metrics.points import count_errors, counts_above, match_points
from converters.pyramid.objective import Outputs, Targets, ValidationScore
from converters.tasks.detect.augmentation import BoxedImage, DetectionAugmentation
from converters.tasks.detect.box_objective import BoxObjective
from converters.tasks.detect.centers.network import CENTERS, OFFSETS, CentersNetwork
from converters.tasks.detect.centers.predictions import LOWEST_SCORE, points_of
from converters.tasks.detect.centers.targets import IGNORED, targets_of
from edge.interpreter import TensorSpec
from edge.tasks.detect.heads import centers

_REDUCTION = 4.0
"""How much less cells near a middle count: the power of 1 minus what they are to be."""

_OFFSET_WEIGHT = 1.0
"""Of the offsets' loss beside that of the map."""


class CentersObjective(BoxObjective):
    """Middles of objects.

    Args:
        network: to be trained; of it the size and the number of classes count.
        images: of the training split, of any size.
        validation: of the validation split, at the input size.
        augmentation: how training images are changed.
        head: what the metadata of the file says of its head.
    """

    def __init__(
        self,
        network: CentersNetwork,
        images: Sequence[BoxedImage],
        validation: Sequence[BoxedImage],
        augmentation: DetectionAugmentation,
        head: Mapping[str, Any],
    ) -> None:
        super().__init__(network.size, images, validation, augmentation)
        self._classes, self._head = network.classes, head

    def targets(self, image: BoxedImage) -> Targets:
        """Return the map of middles and the offsets."""
        return targets_of(image, self._classes)

    def loss(self, outputs: Mapping[str, Any], targets: Sequence[Any]) -> Any:
        """Return the loss of map and offsets, for each object."""
        heat, offsets = targets
        return heat_loss(outputs[CENTERS], heat) + _OFFSET_WEIGHT * offset_loss(
            outputs[OFFSETS], offsets
        )

    def judge(self, specs: Sequence[TensorSpec], outputs: Iterable[Outputs]) -> ValidationScore:
        """Compute F1 at the threshold that is best for it."""
        head = centers.match(tuple(specs), (self._size, self._size), self._head)
        assert head is not None, "the outputs are named so"
        detected = [points_of(head, each, LOWEST_SCORE) for each in outputs]
        matches = match_points(self._true, detected, self._classes)
        best = best_f1(operating_points(matches))
        f1, threshold = (0.0, 1.0) if best is None else (best.f1, best.score)
        error = float(np.nan_to_num(count_errors(counts_above(matches, threshold)).relative[0]))
        figures = {"f1": f1, "threshold": threshold, "count_error": error}
        return ValidationScore(f1, figures, f"F1 {f1:.1%}, count off by {error:.1%}")


def heat_loss(logits: Any, heat: Any) -> Any:
    """Return the focal loss of maps, float32 [b, h, w, classes], over the number of objects.

    Cells near a middle count less as wrong; those that are :data:`IGNORED` do not count.
    """
    tensorflow = tf.tensorflow()
    score = tensorflow.sigmoid(logits)
    at_middle = tensorflow.cast(heat >= 1, tensorflow.float32)
    counts = tensorflow.cast(heat != IGNORED, tensorflow.float32)
    hit = tensorflow.square(1 - score) * tensorflow.nn.softplus(-logits)
    miss = tensorflow.square(score) * tensorflow.nn.softplus(logits)
    reduced = tensorflow.pow(1 - heat * counts, _REDUCTION) * counts
    losses = at_middle * hit + (1 - at_middle) * reduced * miss
    objects = tensorflow.maximum(tensorflow.reduce_sum(at_middle), 1.0)
    return tensorflow.reduce_sum(losses) / objects


def offset_loss(offsets: Any, targets: Any) -> Any:
    """Return the mean error of offsets, float32 [b, h, w, 2], by the weight of ``targets``."""
    tensorflow = tf.tensorflow()
    weight = targets[..., 2:]
    apart = tensorflow.abs(offsets - targets[..., :2]) * weight
    return tensorflow.reduce_sum(apart) / tensorflow.maximum(tensorflow.reduce_sum(weight), 1.0)
