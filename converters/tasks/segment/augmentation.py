"""Changed images with their masks for training: moved, cut, mirrored, in other colors."""

from dataclasses import dataclass

import cv2
import numpy as np

from converters.dataset.annotations import VOID
from converters.pyramid.augmentation import BORDER, Move, recolored
from converters.tasks.segment.masks import MaskedImage


@dataclass(frozen=True, slots=True)
class SegmentationAugmentation:
    """Limits of random changes.

    ``flip``: half of the images are mirrored; ``zoom``: range of the magnification, of which above
    1 a random part is cut out; ``aspect``: largest relative change of width to height; ``color``:
    strength of changes in brightness, contrast and color, 0 for none.
    """

    flip: bool = True
    zoom: tuple[float, float] = (0.7, 1.6)
    aspect: float = 0.25
    color: float = 1.0

    def view(self, size: int, image: MaskedImage, rng: np.random.Generator) -> MaskedImage:
        """Return a changed image of ``size`` × ``size`` pixels; around it its mask is void."""
        height, width = image.mask.shape
        area = (0, 0, size, size)
        move = Move.draw(
            (width, height), size, area, zoom=self.zoom, aspect=self.aspect,
            flips=(self.flip, False), rng=rng,
        )  # fmt: skip
        pixels = move.apply(image.pixels, area, cv2.INTER_LINEAR, BORDER)
        mask = move.apply(image.mask, area, cv2.INTER_NEAREST, VOID)
        return MaskedImage(recolored(pixels, self.color, rng) if self.color > 0 else pixels, mask)
