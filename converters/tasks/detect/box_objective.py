"""What trainings on boxes share: images with boxes, changed as they are shown."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from converters.metrics.boxes import TrueBoxes
from converters.pyramid.objective import Objective, Pixels, Targets
from converters.pyramid.training import MAX_VALIDATION
from converters.tasks.detect.augmentation import BoxedImage, DetectionAugmentation


class BoxObjective(Objective):
    """Images with boxes, of which subclasses make what their network learns.

    Args:
        size: side of the input.
        images: of the training split, of any size.
        validation: of the validation split, at the input size.
        augmentation: how training images are changed.
    """

    def __init__(
        self,
        size: int,
        images: Sequence[BoxedImage],
        validation: Sequence[BoxedImage],
        augmentation: DetectionAugmentation,
    ) -> None:
        self._size, self._images, self._augmentation = size, images, augmentation
        shown = list(validation[:MAX_VALIDATION])
        self._true = [true_boxes(image) for image in shown]
        self.images = len(images)
        self.validation = [image.pixels for image in shown]

    @abstractmethod
    def targets(self, image: BoxedImage) -> Targets:
        """Return what is learned of an image of the input size."""

    def view(self, number: int, rng: np.random.Generator) -> tuple[Pixels, Targets]:
        """Return a changed image, and what is learned of it."""
        return self._view(number, rng, self._augmentation)

    def calm_view(self, number: int, rng: np.random.Generator) -> tuple[Pixels, Targets]:
        """Return a view without a mosaic."""
        return self._view(number, rng, self._augmentation.calm())

    def _view(
        self, number: int, rng: np.random.Generator, augmentation: DetectionAugmentation
    ) -> tuple[Pixels, Targets]:
        changed = augmentation.view(self._size, number, self.images, self._images.__getitem__, rng)
        return changed.pixels, self.targets(changed)


def true_boxes(image: BoxedImage) -> TrueBoxes:
    """Return the boxes of an image; areas where nothing is known count for no class."""
    return TrueBoxes(image.boxes, image.labels, np.zeros(len(image.labels), np.bool_))
