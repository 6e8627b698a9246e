"""Images of the page as small inline JPEGs, few enough to keep the file small."""

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import SPLITS, Split

MAX_BYTES = 8192
"""Maximum size of one JPEG."""

_SAMPLES = 150
_SAMPLES_PER_CLASS = 6
_MANY_CLASSES = 30
"""Number of classes above which each is represented by one image."""

_GROUPS = 6
_PER_GROUP = 4


@dataclass(frozen=True, slots=True)
class GalleryImage:
    """An image on the page: ``uri`` holds its data, ``subset`` is its part of the split or None."""

    uri: str
    name: str
    label: str
    subset: str | None


DrawLabels = Callable[[int, NDArray[np.uint8]], NDArray[np.uint8]]
"""Draws the labels of the image at an index on its pixels, uint8 RGB [h, w, 3], a copy."""


class Gallery:
    """Inline images of a data set; ``draw``: draws their labels, None where there is no need."""

    def __init__(self, dataset: Dataset, split: Split, draw: DrawLabels | None = None) -> None:
        self._dataset, self._draw = dataset, draw
        self._subsets = {
            int(index): subset for subset in SPLITS for index in np.asarray(getattr(split, subset))
        }
        self._indices = {p.name: i for i, p in enumerate(dataset.images)}

    def show(self, index: int, side: int = 96) -> GalleryImage:
        """Return the image at ``index``, with ``side`` pixels a side."""
        image, classes = self._dataset.images[index], self._dataset.classes
        pixels = np.array(self._dataset.pixels[index])
        return GalleryImage(
            uri=data_uri(pixels if self._draw is None else self._draw(index, pixels), side),
            name=image.name,
            label=classes[image.label] if image.label < len(classes) else "no class",
            subset=self._subsets.get(index),
        )

    def samples(self) -> list[tuple[str, list[GalleryImage]]]:
        """Return (class, images) for some images of each class; one each where classes are many.

        Of more than 150 classes only the first 150 are shown, and none without images of its own:
        where an image shows several, it is of only one of them here.
        """
        classes = self._dataset.classes
        many = len(classes) > _MANY_CLASSES
        each = 1 if many else min(_SAMPLES_PER_CLASS, _SAMPLES // len(classes))
        rows = [
            (name, [self.show(i) for i in self._spaced(label, each)])
            for label, name in enumerate(classes[:_SAMPLES])
        ]
        return [(name, images) for name, images in rows if images]

    def _spaced(self, label: int, count: int) -> list[int]:
        members = np.flatnonzero(self._dataset.labels == label)
        positions = np.linspace(0, len(members) - 1, min(count, len(members))).round().astype(int)
        return [int(members[position]) for position in positions]

    def groups(self, groups: Iterable[Sequence[str]]) -> list[list[GalleryImage]]:
        """Return the images of the first few groups of names, some of each."""
        return [
            [self.show(self._indices[name], 80) for name in group[:_PER_GROUP]]
            for group in list(groups)[:_GROUPS]
            if all(name in self._indices for name in group[:_PER_GROUP])
        ]


def data_uri(pixels: NDArray[np.uint8], side: int) -> str:
    """Encode an image (uint8 RGB [h, w, 3]) as a JPEG of at most 8 kB, ``side`` pixels high.

    Smaller images are enlarged without interpolation, so that they stay sharp.
    """
    height, width = pixels.shape[:2]
    method = cv2.INTER_NEAREST if height < side else cv2.INTER_AREA
    resized = cv2.resize(pixels, (round(side * width / height), side), interpolation=method)
    bgr = cv2.cvtColor(resized, cv2.COLOR_RGB2BGR)
    for quality in range(82, 0, -12):
        data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(data) <= MAX_BYTES:
            break
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")
