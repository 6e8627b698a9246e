"""What is put behind the foreground: the picture itself out of focus, a color, or a picture."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError, did_you_mean
from edge.frame import BgrImage
from edge.image import SUFFIXES, read_picture

COLOURS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "red": (0, 0, 255),
    "green": (64, 177, 0),
    "blue": (187, 71, 0),
    "yellow": (0, 220, 255),
}
"""Blue, green, red; green and blue are those of studios' screens."""

_FOCUS = 0.035
"""Radius of the blur as a share of the picture's shorter side."""

_COARSE = 8
"""The blur is made in a picture so many times smaller: nobody sees it, and it is quick."""


class Background(Protocol):
    """What is behind the foreground of a picture."""

    def __call__(self, picture: BgrImage, cover: NDArray[np.uint8]) -> BgrImage:
        """The background in the picture's size; ``alpha``: of its foreground, 0 to 255."""


@dataclass(frozen=True, slots=True)
class BlurredBackground:
    """The picture's own background, out of focus."""

    def __call__(self, picture: BgrImage, cover: NDArray[np.uint8]) -> BgrImage:
        """Only background is averaged: the foreground would shine around itself."""
        height, width = picture.shape[:2]
        size = (max(1, width // _COARSE), max(1, height // _COARSE))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        free = 1 - cv2.resize(cover, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        weight = np.maximum(free, 1e-3)  # where there is nothing else, the foreground it is
        sigma = max(1.0, _FOCUS * min(size))
        colours = cv2.GaussianBlur(small * weight[..., None], (0, 0), sigma)
        weights = cv2.GaussianBlur(weight, (0, 0), sigma)
        mixed = np.clip(colours / weights[..., None], 0, 255).astype(np.uint8)
        return np.asarray(cv2.resize(mixed, (width, height)), np.uint8)


@dataclass(frozen=True, slots=True)
class SolidBackground:
    """One color: blue, green, red."""

    colour: tuple[int, int, int]

    def __call__(self, picture: BgrImage, cover: NDArray[np.uint8]) -> BgrImage:
        """The color everywhere."""
        return np.full_like(picture, self.colour)


@dataclass(frozen=True, slots=True)
class PhotoBackground:
    """A picture, uint8 BGR, cut to the proportions of the frame around its middle."""

    picture: BgrImage
    _fitted: dict[tuple[int, int], BgrImage] = field(default_factory=dict, repr=False)

    def __call__(self, picture: BgrImage, cover: NDArray[np.uint8]) -> BgrImage:
        """The same for all pictures of a size, so kept."""
        size = (picture.shape[1], picture.shape[0])
        if size not in self._fitted:
            self._fitted.clear()
            self._fitted[size] = _filling(self.picture, *size)
        return self._fitted[size]


def parse(text: str) -> Background:
    """What ``--background`` asks for: "blur", a color by name or as #RRGGBB, or a picture's path.

    Raises:
        UsageError: it is none of them.
        PictureError: the picture cannot be read.
    """
    word = text.lower()
    if word == "blur":
        return BlurredBackground()
    if word in COLOURS:
        return SolidBackground(COLOURS[word])
    if found := re.fullmatch(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", word):
        red, green, blue = (int(part, 16) for part in found.groups())
        return SolidBackground((blue, green, red))
    path = Path(text)
    if path.suffix.lower() not in SUFFIXES and not path.exists():
        fix = did_you_mean(word, ["blur", *COLOURS], f"the colors are {', '.join(COLOURS)}")
        raise UsageError(
            "blur, a color (green, #00b140) or an image",
            f"'{text}'",
            fix,
            code="unknown-background",
        )
    rgb = read_picture(path)
    return PhotoBackground(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8))


def compose(picture: BgrImage, cover: NDArray[np.uint8], background: Background) -> BgrImage:
    """The picture's foreground before a background: a new picture of the same size."""
    behind = background(picture, cover)
    front = cv2.merge([cover] * 3)
    shares = (
        cv2.multiply(picture, front, scale=1 / 255),
        cv2.multiply(behind, cv2.bitwise_not(front), scale=1 / 255),
    )
    return np.asarray(cv2.add(*shares), np.uint8)


def _filling(picture: BgrImage, width: int, height: int) -> BgrImage:
    """The middle of a picture in this size, in its proportions."""
    scale = max(width / picture.shape[1], height / picture.shape[0])
    wide = min(picture.shape[1], max(1, round(width / scale)))
    high = min(picture.shape[0], max(1, round(height / scale)))
    left, top = (picture.shape[1] - wide) // 2, (picture.shape[0] - high) // 2
    inner = picture[top : top + high, left : left + wide]
    smaller = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(inner, (width, height), interpolation=smaller), np.uint8)
