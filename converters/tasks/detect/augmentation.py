"""Changed images for training: cut, moved, mirrored, in other colors, and four in one.

Each is a function of its random generator alone. Colors change by look-up tables, which take a
tenth of the time of arithmetic on floats.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Boxes = NDArray[np.float32]

BORDER = 114
"""Value of pixels outside of the image."""

_VISIBLE = 0.35
"""Share of a box that has to be visible for it to count; of less nothing is known."""

_SMALLEST = 2.0
"""Side in pixels below which a box is no example."""

_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, slots=True, eq=False)
class BoxedImage:
    """An image with its boxes.

    ``pixels``: uint8 RGB [h, w, 3]; ``boxes``: float32 [n, 4] as left, top, right, bottom in its
    pixels; ``labels``: int64 [n]; ``ignored``: float32 [m, 4], areas where nothing is known.
    """

    pixels: Pixels
    boxes: Boxes
    labels: NDArray[np.int64]
    ignored: Boxes


@dataclass(frozen=True, slots=True)
class DetectionAugmentation:
    """Limits of random changes.

    ``flip``: half of the images are mirrored; ``vertical_flip``: half are turned upside down;
    ``mosaic``: share of images that are put together from four; ``zoom``: range of the
    magnification; ``aspect``: largest relative change of width to height; ``color``: strength of
    changes in brightness, contrast and color, 0 for none.
    """

    flip: bool = True
    vertical_flip: bool = False
    mosaic: float = 0.5
    zoom: tuple[float, float] = (0.6, 1.5)
    aspect: float = 0.2
    color: float = 1.0

    def view(
        self,
        size: int,
        first: int,
        count: int,
        image: Callable[[int], BoxedImage],
        rng: np.random.Generator,
    ) -> BoxedImage:
        """Return a changed image of ``size`` × ``size`` pixels.

        Args:
            size: side in pixels.
            first: number of the image that it shows.
            count: number of images, of which others may be shown beside it.
            image: returns one by its number.
            rng: decides.
        """
        if rng.random() >= self.mosaic:
            canvas = _blank(size)
            parts = [self._place(image(first), canvas, (0, 0, size, size), self.zoom, rng)]
        else:
            canvas, parts = self._mosaic(size, first, count, image, rng)
        joined = _joined(canvas, parts)
        return _colored(joined, self.color, rng) if self.color > 0 else joined

    def _mosaic(
        self,
        size: int,
        first: int,
        count: int,
        image: Callable[[int], BoxedImage],
        rng: np.random.Generator,
    ) -> tuple[Pixels, list[BoxedImage]]:
        canvas = _blank(size)
        x, y = (int(value) for value in size * rng.uniform(0.3, 0.7, 2))
        zoom = self.zoom[0] * 0.8, self.zoom[1] * 0.7
        corners = ((0, 0, x, y), (x, 0, size, y), (0, y, x, size), (x, y, size, size))
        shown = [first, *(int(number) for number in rng.integers(count, size=3))]
        order = rng.permutation(4)
        parts = [
            self._place(image(shown[number]), canvas, corners[position], zoom, rng)
            for number, position in enumerate(order)
        ]
        return canvas, parts

    def _place(
        self,
        source: BoxedImage,
        canvas: Pixels,
        area: tuple[int, int, int, int],
        zoom: tuple[float, float],
        rng: np.random.Generator,
    ) -> BoxedImage:
        """Draw an image into an area of the canvas; return its boxes there."""
        left, top, right, bottom = area
        height, width = source.pixels.shape[:2]
        size = canvas.shape[0]
        magnified = np.exp(rng.uniform(*np.log(zoom)))
        stretch = np.exp(rng.uniform(-0.5, 0.5) * np.log1p(self.aspect))
        extent = size * magnified * np.array([stretch, 1 / stretch])
        spare = np.array([right - left, bottom - top]) - extent
        offset = np.array([left, top]) + spare * rng.random(2)
        scale = extent / np.array([width, height])
        mirrored = np.array([self.flip, self.vertical_flip]) & (rng.random(2) < 0.5)
        offset = np.where(mirrored, offset + extent, offset)
        scale = np.where(mirrored, -scale, scale)
        # OpenCV counts from the middle of the first pixel, boxes from its edge.
        x, y = offset + scale / 2 - 0.5 - np.array([left, top])
        matrix = np.array([[scale[0], 0, x], [0, scale[1], y]])
        canvas[top:bottom, left:right] = cv2.warpAffine(
            source.pixels,
            matrix,
            (right - left, bottom - top),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(BORDER, BORDER, BORDER),
        )
        return _moved(source, canvas, scale, offset, np.array(area, np.float32))


def _blank(size: int) -> Pixels:
    return np.full((size, size, 3), BORDER, np.uint8)


def _moved(
    source: BoxedImage,
    canvas: Pixels,
    scale: NDArray[np.float64],
    offset: NDArray[np.float64],
    area: NDArray[np.float32],
) -> BoxedImage:
    """Return the boxes after the move, clipped to the area."""
    boxes = _transformed(source.boxes, scale, offset)
    clipped = np.clip(boxes, area[[0, 1, 0, 1]], area[[2, 3, 2, 3]])
    sides = clipped[:, 2:] - clipped[:, :2]
    whole = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6)
    kept = (sides.prod(axis=1) / whole >= _VISIBLE) & (sides.min(axis=1) >= _SMALLEST)
    ignored = _transformed(source.ignored, scale, offset)
    ignored = np.clip(ignored, area[[0, 1, 0, 1]], area[[2, 3, 2, 3]])
    unclear = np.concatenate([ignored, clipped[~kept]])
    unclear = unclear[(unclear[:, 2:] - unclear[:, :2]).min(axis=1) > 0]
    return BoxedImage(canvas, clipped[kept], source.labels[kept], unclear)


def _transformed(boxes: Boxes, scale: NDArray[np.float64], offset: NDArray[np.float64]) -> Boxes:
    ends = boxes.reshape(-1, 2, 2) * scale + offset
    corners = np.concatenate([ends.min(axis=1), ends.max(axis=1)], axis=1)
    return np.asarray(corners, np.float32)


def _joined(canvas: Pixels, parts: list[BoxedImage]) -> BoxedImage:
    return BoxedImage(
        canvas,
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.ignored for part in parts]),
    )


def _colored(image: BoxedImage, strength: float, rng: np.random.Generator) -> BoxedImage:
    saturation = 1 + 0.4 * strength * rng.uniform(-1, 1)
    mix = saturation * np.eye(3) + (1 - saturation) * _LUMA
    pixels = cv2.transform(image.pixels, mix)
    light, contrast = 0.15 * strength * rng.uniform(-1, 1), 1 + 0.25 * strength * rng.uniform(-1, 1)
    gains = 1 + 0.08 * strength * rng.uniform(-1, 1, 3)
    gamma = np.exp(0.3 * strength * rng.uniform(-1, 1))
    levels = (np.arange(256) / 255) ** gamma
    table = ((levels[:, None] - 0.5) * contrast + 0.5 + light) * gains
    codes = np.clip(np.rint(table * 255), 0, 255).astype(np.uint8)
    colored = np.asarray(cv2.LUT(pixels, codes[None]), np.uint8)
    return BoxedImage(colored, image.boxes, image.labels, image.ignored)
