"""What a segmenter learns of masks, and its mIoU on the validation images."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from converters.metrics.masks import VOID, class_ious, mask_confusion, mean_iou
from converters.pyramid.objective import Objective, Outputs, Pixels, Targets, ValidationScore
from converters.pyramid.training import MAX_VALIDATION
from converters.tasks.segment.augmentation import SegmentationAugmentation
from converters.tasks.segment.losses import class_weights, segmentation_loss
from converters.tasks.segment.masks import MaskedImage
from converters.tasks.segment.network import LOGITS, SegmenterNetwork
from edge.interpreter import TensorSpec
from edge.tasks.segment.masks import enlarged_classes


class SegmentationObjective(Objective):
    """The class of each pixel.

    Args:
        network: to be trained; of it the input size and the number of classes count.
        images: of the training split.
        validation: of the validation split, at the input size.
        augmentation: how training images are changed.
    """

    def __init__(
        self,
        network: SegmenterNetwork,
        images: Sequence[MaskedImage],
        validation: Sequence[MaskedImage],
        augmentation: SegmentationAugmentation,
    ) -> None:
        self._size, self._classes = network.size, network.classes
        self._images, self._augmentation = images, augmentation
        shown = list(validation[:MAX_VALIDATION])
        self._true = [image.mask for image in shown]
        self.images = len(images)
        self.validation = [image.pixels for image in shown]
        counts = sum(
            np.bincount(image.mask.ravel(), minlength=VOID + 1)[: self._classes]
            for image in images
        )  # fmt: skip
        self._weights = class_weights(np.asarray(counts, np.int64))

    def view(self, number: int, rng: np.random.Generator) -> tuple[Pixels, Targets]:
        """Return a changed image, and its mask."""
        changed = self._augmentation.view(self._size, self._images[number], rng)
        return changed.pixels, (changed.mask,)

    def loss(self, outputs: Mapping[str, Any], targets: Sequence[Any]) -> Any:
        """Return the loss of the logits."""
        return segmentation_loss(outputs[LOGITS], targets[0], self._weights)

    def judge(self, specs: Sequence[TensorSpec], outputs: Iterable[Outputs]) -> ValidationScore:
        """Compute mIoU over all pixels of the validation images."""
        confusions = [
            mask_confusion(
                true, enlarged_classes(logits[0], (self._size, self._size)), self._classes
            )
            for true, (logits,) in zip(self._true, outputs, strict=True)
        ]
        miou = float(np.nan_to_num(mean_iou(class_ious(np.stack(confusions)))[0]))
        return ValidationScore(miou, {"miou": miou}, f"mIoU {miou:.1%}")
