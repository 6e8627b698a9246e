"""Data sets of boxes whose middles are learned: what is the same as for boxes, and their sizes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.dataset.annotations import BoxedFile, BoxListing
from converters.dataset.audit import Dataset, LabelFindings, audit_images
from converters.dataset.box_audit import LARGEST_INPUT
from converters.dataset.decoding import UndecodableFile
from converters.metrics.points import middles
from converters.progress import Progress
from converters.tasks.detect.centers.network import STRIDE
from converters.tasks.detect.dataset import BoxedImageAudit
from edge.errors import DatasetError
from edge.preprocessing import Preprocessing
from edge.quantities import counted

_LARGE = 0.5
"""Share of the image's width or height above which an object is no small one."""

_ALIKE = 4.0
"""Ratio of large to small sides, without the outer tenths, from which objects are not alike."""


class CenteredImageAudit(BoxedImageAudit):
    """Objects are to be small and alike, and their middles apart."""

    def __init__(self, listing: BoxListing, size: tuple[int, int]) -> None:
        super().__init__(listing, size)
        self._sentences = tuple(_sentences(self.listing.images, size))

    def examine(
        self,
        files: Sequence[BoxedFile],
        broken: Sequence[UndecodableFile],
        conflicts: Sequence[Sequence[str]],
    ) -> LabelFindings:
        """Return boxes in pixels of the input, with warnings about their sizes."""
        findings = super().examine(files, broken, conflicts)
        return replace(findings, warnings=(*findings.warnings, *self._sentences))


def audit(
    listing: BoxListing, preprocessing: Preprocessing, workdir: Path, progress: Progress
) -> Dataset:
    """Decode every image; see :func:`converters.dataset.audit.audit_images`.

    Raises:
        DatasetError: fewer than 5 images are usable, no box is, or most are large.
        OutputError: ``workdir`` has too little space.
    """
    labels = CenteredImageAudit(listing, (preprocessing.width, preprocessing.height))
    return audit_images(labels.listing, labels, preprocessing, workdir, progress)


def usual_sizes(dataset: Dataset, indices: NDArray[np.int64]) -> list[list[float]]:
    """Return the median width and height of the objects of each class in these images.

    They are in parts of the image; of a class without an object those of all.
    """
    shown = [dataset.annotations[index] for index in indices]
    boxes = np.concatenate([image.boxes[~image.ignored] for image in shown])
    labels = np.concatenate([image.labels[~image.ignored] for image in shown])
    side = (dataset.preprocessing.width, dataset.preprocessing.height)
    sizes = (boxes[:, 2:] - boxes[:, :2]).astype(np.float64) / side
    medians = []
    for index in range(len(dataset.classes)):
        own = sizes[labels == index]
        medians.append(np.median(own if len(own) else sizes, axis=0))
    return [[round(float(value), 6) for value in pair] for pair in medians]


def _sentences(files: Sequence[BoxedFile], size: tuple[int, int]) -> Iterator[str]:
    """Yield what makes counting by points hard.

    Raises:
        DatasetError: most objects are large.
    """
    parts = np.concatenate([_parts(file) for file in files])
    large = int((parts.max(axis=1) > _LARGE).sum())
    words = f"{counted(large, 'object')} of {len(parts):,} larger than half the image"
    if large > len(parts) / 2:
        raise DatasetError(
            "small objects for --head centers",
            words,
            "leave out --head: boxes suit large objects",
            code="objects-too-large",
        )
    if large:
        yield f"{words}: boxes suit them better (leave out --head)."
    sides = np.sqrt(parts.prod(axis=1))
    low, high = np.quantile(sides, (0.1, 0.9))
    if high > _ALIKE * low:
        yield (
            f"Objects differ in size, the largest tenth by {high / low:.0f} times and more from "
            "the smallest: boxes suit such objects better (leave out --head)."
        )
    close = sum(_close(file, size) for file in files)
    if close:
        larger = min(LARGEST_INPUT, max(size) * 2)
        advice = f": --size {larger} tells more of them apart" if larger > max(size) else ""
        yield (
            f"{counted(close, 'object')} closer than {STRIDE} pixels to another one of the class "
            f"at an input of {size[0]} x {size[1]}, which will be counted as one{advice}."
        )


def _parts(file: BoxedFile) -> NDArray[np.float64]:
    """Return width and height of the objects in parts of the image, float64 [n, 2]."""
    boxes = file.boxes[~file.ignored].astype(np.float64)
    return np.asarray((boxes[:, 2:] - boxes[:, :2]) / file.size, np.float64)


def _close(file: BoxedFile, size: tuple[int, int]) -> int:
    """Count the objects with another one of their class less than a cell away."""
    kept = ~file.ignored
    points, labels = middles(file.boxes[kept]) * np.divide(size, file.size), file.labels[kept]
    apart = np.abs(points[:, None] - points).max(axis=2)
    near = (apart < STRIDE) & (labels[:, None] == labels)
    return int((near.sum(axis=1) > 1).sum())
