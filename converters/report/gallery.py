"""The images of the page: small JPEGs inside it, few enough to keep it light."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import SPLITS, Split

MAX_BYTES = 8192
"""Of one JPEG."""

_SAMPLES = 150
_SAMPLES_PER_CLASS = 6
_MANY_CLASSES = 30
"""Above so many classes one image stands for each."""

_MISTAKES = 18
_GROUPS = 6
_PER_GROUP = 4


@dataclass(frozen=True, slots=True)
class GalleryImage:
    """An image on the page: ``uri`` holds it, ``side`` is where the split put it (or None)."""

    uri: str
    name: str
    label: str
    side: str | None


@dataclass(frozen=True, slots=True)
class GalleryMistake:
    """A test image that the chosen variant named wrong, with its scores (0–1) for both names."""

    image: GalleryImage
    said: str
    score: float
    true_score: float


@dataclass(frozen=True, slots=True)
class GalleryMistakes:
    """The most confident mistakes first, as far as they are shown; ``total``: how many in all."""

    shown: tuple[GalleryMistake, ...]
    total: int
    tested: int


class Gallery:
    """Turns images of a data set into what the page shows."""

    def __init__(self, dataset: Dataset, split: Split) -> None:
        self._dataset = dataset
        self._sides = {
            int(index): side for side in SPLITS for index in np.asarray(getattr(split, side))
        }
        self._places = {p.name: i for i, p in enumerate(dataset.images)}

    def show(self, index: int, side: int = 96) -> GalleryImage:
        """The image at ``index``, with ``side`` pixels a side."""
        image = self._dataset.images[index]
        return GalleryImage(
            uri=data_uri(np.asarray(self._dataset.pixels[index]), side),
            name=image.name,
            label=self._dataset.classes[image.label],
            side=self._sides.get(index),
        )

    def samples(self) -> list[tuple[str, list[GalleryImage]]]:
        """Per class some images, evenly spaced; one where there are many classes.

        Of more than 150 classes only the first 150 are shown.
        """
        classes = self._dataset.classes
        many = len(classes) > _MANY_CLASSES
        each = 1 if many else min(_SAMPLES_PER_CLASS, _SAMPLES // len(classes))
        return [
            (name, [self.show(i) for i in self._spaced(label, each)])
            for label, name in enumerate(classes[:_SAMPLES])
        ]

    def _spaced(self, label: int, count: int) -> list[int]:
        members = np.flatnonzero(self._dataset.labels == label)
        places = np.linspace(0, len(members) - 1, min(count, len(members))).round().astype(int)
        return [int(members[place]) for place in places]

    def groups(self, groups: Iterable[Sequence[str]]) -> list[list[GalleryImage]]:
        """The first few groups of names as images, some of each."""
        return [
            [self.show(self._places[name], 80) for name in group[:_PER_GROUP]]
            for group in list(groups)[:_GROUPS]
            if all(name in self._places for name in group[:_PER_GROUP])
        ]

    def mistakes(self, scores: NDArray[np.float32], test: NDArray[np.int64]) -> GalleryMistakes:
        """The mistakes on the test side, given a variant's scores [n, classes] aligned with it."""
        truth, said = self._dataset.labels[test], scores.argmax(1)
        wrong = np.flatnonzero(said != truth)
        order = wrong[np.argsort(-scores[wrong, said[wrong]], kind="stable")]
        shown = tuple(
            GalleryMistake(
                image=self.show(int(test[row]), 128),
                said=self._dataset.classes[said[row]],
                score=float(scores[row, said[row]]),
                true_score=float(scores[row, truth[row]]),
            )
            for row in order[:_MISTAKES]
        )
        return GalleryMistakes(shown, len(wrong), len(test))


def data_uri(pixels: NDArray[np.uint8], side: int) -> str:
    """An image (uint8 RGB [h, w, 3]) as a JPEG of at most 8 kB, ``side`` pixels a side.

    Tiny images grow by whole pixels, so that they look as sharp as they are.
    """
    small = pixels.shape[0] < side and pixels.shape[1] < side
    method = cv2.INTER_NEAREST if small else cv2.INTER_AREA
    resized = cv2.resize(pixels, (side, side), interpolation=method)
    bgr = cv2.cvtColor(resized, cv2.COLOR_RGB2BGR)
    for quality in range(82, 0, -12):
        data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(data) <= MAX_BYTES:
            break
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")
