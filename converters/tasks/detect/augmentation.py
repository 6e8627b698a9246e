"""Changed images for training: cut, moved, mirrored, in other colors, and four in one.

Each is a function of its random generator alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from converters.pyramid.augmentation import BORDER, Move, Pixels, recolored

Boxes = NDArray[np.float32]

_VISIBLE = 0.35
"""Share of a box that has to be visible for it to count; of less nothing is known."""

_SMALLEST = 2.0
"""Side in pixels below which a box is no example."""


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

    def calm(self) -> "DetectionAugmentation":
        """Return the changes that leave an image alone on its canvas."""
        return replace(self, mosaic=0.0)

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
        if self.color <= 0:
            return joined
        return replace(joined, pixels=recolored(joined.pixels, self.color, rng))

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
        move = Move.draw(
            (width, height), canvas.shape[0], area, zoom=zoom, aspect=self.aspect,
            flips=(self.flip, self.vertical_flip), rng=rng,
        )  # fmt: skip
        canvas[top:bottom, left:right] = move.apply(source.pixels, area, cv2.INTER_LINEAR, BORDER)
        return _moved(source, canvas, move.scale, move.offset, np.array(area, np.float32))


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
