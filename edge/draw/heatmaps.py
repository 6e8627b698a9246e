"""Heatmaps over an image."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.frame import BgrImage

_COLD, _HOT = 0.25, 0.7
"""Opacity of the colors where the map is 0 and where it is 1."""


def heatmap(image: BgrImage, values: NDArray[np.float32]) -> None:
    """Draw a map, float32 [rows, columns] from 0 to 1, over the whole image, in place.

    The colors (Inferno) are even to the eye, and the image shows where the map is low.
    """
    height, width = image.shape[:2]
    # Cubic overshoots a little; linear would leave the grid of a 7 × 7 map visible.
    smooth = cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC)
    levels = np.clip(smooth * 255, 0, 255).astype(np.uint8)
    colors = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)
    opacity = (_COLD + (_HOT - _COLD) / 255 * np.arange(256)).astype(np.float32)
    weight = cv2.LUT(levels, opacity)
    image[:] = cv2.blendLinear(colors, image, weight, 1 - weight)
