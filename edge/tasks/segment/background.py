"""Backgrounds to put behind the foreground: the image out of focus, a color, or an image."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError, did_you_mean
from edge.frame import BgrImage
from edge.image import read_image
from edge.image_format import SUFFIXES

COLORS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "gray": (128, 128, 128),
    "red": (0, 0, 255),
    "green": (64, 177, 0),
    "blue": (187, 71, 0),
    "yellow": (0, 220, 255),
}
"""Blue, green, red; green and blue are those of studios' screens."""

_FOCUS = 0.035
"""Radius of the blur as a share of the image's shorter side."""

_COARSE = 8
"""Factor by which the image is reduced for the blur: fast, and with no visible difference."""


class Background(Protocol):
    """A background to put behind the foreground of an image."""

    def __call__(self, image: BgrImage, alpha: NDArray[np.uint8]) -> BgrImage:
        """Return the background, uint8 BGR in the image's size.

        Args:
            image: uint8 [height, width, 3], BGR.
            alpha: of its foreground, uint8 [height, width], 0 to 255.
        """


@dataclass(frozen=True, slots=True)
class BlurredBackground:
    """The image's own background, out of focus."""

    def __call__(self, image: BgrImage, alpha: NDArray[np.uint8]) -> BgrImage:
        """Return the blurred background, averaged without the foreground, which would bleed."""
        height, width = image.shape[:2]
        size = (max(1, width // _COARSE), max(1, height // _COARSE))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        free = 1 - cv2.resize(alpha, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        weight = np.maximum(free, 1e-3)  # where there is nothing else, the foreground it is
        sigma = max(1.0, _FOCUS * min(size))
        colors = cv2.GaussianBlur(small * weight[..., None], (0, 0), sigma)
        weights = cv2.GaussianBlur(weight, (0, 0), sigma)
        mixed = np.clip(colors / weights[..., None], 0, 255).astype(np.uint8)
        return np.asarray(cv2.resize(mixed, (width, height)), np.uint8)


@dataclass(frozen=True, slots=True)
class SolidBackground:
    """One color: blue, green, red."""

    color: tuple[int, int, int]

    def __call__(self, image: BgrImage, alpha: NDArray[np.uint8]) -> BgrImage:
        """Return the color everywhere."""
        return np.full_like(image, self.color)


@dataclass(frozen=True, slots=True)
class PhotoBackground:
    """An image, uint8 BGR, cut to the proportions of the frame around its middle."""

    image: BgrImage
    _fitted: dict[tuple[int, int], BgrImage] = field(default_factory=dict, repr=False)

    def __call__(self, image: BgrImage, alpha: NDArray[np.uint8]) -> BgrImage:
        """Return the image cropped to the size, which is kept for the next frame."""
        size = (image.shape[1], image.shape[0])
        if size not in self._fitted:
            self._fitted.clear()
            self._fitted[size] = _fill(self.image, *size)
        return self._fitted[size]


def parse_background(text: str) -> Background:
    """Return the background of "blur", a color by name or as #RRGGBB, or an image's path.

    Raises:
        UsageError: it is none of them.
        ImageError: the image cannot be read.
    """
    word = "gray" if text.lower() == "grey" else text.lower()
    if word == "blur":
        return BlurredBackground()
    if word in COLORS:
        return SolidBackground(COLORS[word])
    if match := re.fullmatch(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", word):
        red, green, blue = (int(part, 16) for part in match.groups())
        return SolidBackground((blue, green, red))
    path = Path(text)
    if path.suffix.lower() not in SUFFIXES and not path.exists():
        fix = did_you_mean(word, ["blur", *COLORS], f"the colors are {', '.join(COLORS)}")
        raise UsageError(
            "blur, a color (green, #00b140) or an image",
            f"'{text}'",
            fix,
            code="unknown-background",
        )
    return PhotoBackground(read_image(path))


def compose(image: BgrImage, alpha: NDArray[np.uint8], background: Background) -> BgrImage:
    """Return the image's foreground before a background: a new image of the same size."""
    behind = background(image, alpha)
    front = cv2.merge([alpha] * 3)
    parts = (
        cv2.multiply(image, front, scale=1 / 255),
        cv2.multiply(behind, cv2.bitwise_not(front), scale=1 / 255),
    )
    return np.asarray(cv2.add(*parts), np.uint8)


def _fill(image: BgrImage, width: int, height: int) -> BgrImage:
    """Return the middle of an image in this size, with its aspect ratio."""
    scale = max(width / image.shape[1], height / image.shape[0])
    wide = min(image.shape[1], max(1, round(width / scale)))
    high = min(image.shape[0], max(1, round(height / scale)))
    left, top = (image.shape[1] - wide) // 2, (image.shape[0] - high) // 2
    inner = image[top : top + high, left : left + wide]
    smaller = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(inner, (width, height), interpolation=smaller), np.uint8)
