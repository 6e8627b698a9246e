"""Changes of images for training that do not depend on what is learned of them.

Colors change by look-up tables, which take a tenth of the time of arithmetic on floats.
"""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Area = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""

BORDER = 114
"""Value of pixels outside of the image."""

_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """Where an image is drawn: its point p at ``scale`` × p + ``offset``, float64 [2] each.

    A negative scale mirrors.
    """

    scale: NDArray[np.float64]
    offset: NDArray[np.float64]

    @classmethod
    def draw(
        cls,
        source: tuple[int, int],
        size: int,
        area: Area,
        *,
        zoom: tuple[float, float],
        aspect: float,
        flips: tuple[bool, bool],
        rng: np.random.Generator,
    ) -> Self:
        """Draw a random one.

        Args:
            source: width and height of the image.
            size: side in pixels of what it covers without any zoom.
            area: that it is drawn into, and may reach beyond.
            zoom: range of the magnification.
            aspect: largest relative change of width to height.
            flips: whether half of the images are mirrored, and half turned upside down.
            rng: decides.
        """
        left, top, right, bottom = area
        magnified = np.exp(rng.uniform(*np.log(zoom)))
        stretch = np.exp(rng.uniform(-0.5, 0.5) * np.log1p(aspect))
        extent = size * magnified * np.array([stretch, 1 / stretch])
        spare = np.array([right - left, bottom - top]) - extent
        offset = np.array([left, top]) + spare * rng.random(2)
        scale = extent / np.array(source)
        mirrored = np.array(flips) & (rng.random(2) < 0.5)
        return cls(
            np.where(mirrored, -scale, scale), np.where(mirrored, offset + extent, offset)
        )  # fmt: skip

    def apply(self, pixels: Pixels, area: Area, interpolation: int, border: int) -> Pixels:
        """Return the area, uint8 [h, w] or [h, w, 3], with the moved image and a border."""
        left, top, right, bottom = area
        # OpenCV counts from the middle of the first pixel, boxes from its edge.
        x, y = self.offset + self.scale / 2 - 0.5 - np.array([left, top])
        matrix = np.array([[self.scale[0], 0, x], [0, self.scale[1], y]])
        return np.asarray(
            cv2.warpAffine(
                pixels,
                matrix,
                (right - left, bottom - top),
                flags=interpolation,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=(border, border, border),
            ),
            np.uint8,
        )


def recolored(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Return an image, uint8 RGB [h, w, 3], in other brightness, contrast and color."""
    saturation = 1 + 0.4 * strength * rng.uniform(-1, 1)
    mix = saturation * np.eye(3) + (1 - saturation) * _LUMA
    mixed = cv2.transform(pixels, mix)
    light, contrast = 0.15 * strength * rng.uniform(-1, 1), 1 + 0.25 * strength * rng.uniform(-1, 1)
    gains = 1 + 0.08 * strength * rng.uniform(-1, 1, 3)
    gamma = np.exp(0.3 * strength * rng.uniform(-1, 1))
    levels = (np.arange(256) / 255) ** gamma
    table = ((levels[:, None] - 0.5) * contrast + 0.5 + light) * gains
    codes = np.clip(np.rint(table * 255), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(mixed, codes[None]), np.uint8)
