"""Data sets of boxes: decoded, audited, and as training and evaluation need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from converters.dataset.annotations import BoxedFile, BoxListing
from converters.dataset.audit import Dataset, LabelAudit, LabelFindings, audit_images
from converters.dataset.box_audit import audit_boxes
from converters.dataset.decoding import UndecodableFile
from converters.dataset.split import Indices
from converters.dataset.strata import check_enough, rarest_classes
from converters.metrics.boxes import TrueBoxes
from converters.progress import Progress
from converters.tasks.detect.augmentation import BoxedImage
from edge.preprocessing import Preprocessing


@dataclass(frozen=True, slots=True, eq=False)
class ImageBoxes:
    """Boxes of an image in pixels of the model's input; fields as those of ``BoxedFile``."""

    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    ignored: NDArray[np.bool_]

    def true_boxes(self) -> TrueBoxes:
        """Return them for metrics."""
        return TrueBoxes(self.boxes, self.labels, self.ignored)


class BoxedImages(Sequence[BoxedImage]):
    """Some images of a data set with their boxes, read when they are asked for."""

    def __init__(self, dataset: Dataset, indices: Indices) -> None:
        self._dataset, self._indices = dataset, indices

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._indices)

    @overload
    def __getitem__(self, at: int) -> BoxedImage: ...
    @overload
    def __getitem__(self, at: slice) -> "BoxedImages": ...
    def __getitem__(self, at: int | slice) -> "BoxedImage | BoxedImages":
        """Return an image, or some."""
        if isinstance(at, slice):
            return BoxedImages(self._dataset, self._indices[at])
        index = int(self._indices[at])
        truth: ImageBoxes = self._dataset.annotations[index]
        counts = ~truth.ignored
        return BoxedImage(
            np.asarray(self._dataset.pixels[index]),
            truth.boxes[counts],
            truth.labels[counts],
            truth.boxes[truth.ignored],
        )


class BoxedImageAudit(LabelAudit):
    """The class of an image is its rarest one, so that the split shares out rare classes."""

    def __init__(self, listing: BoxListing, size: tuple[int, int]) -> None:
        self._audited, self._size = audit_boxes(listing, size), size
        self.listing = self._audited.listing
        strata = rarest_classes(_shown(self.listing.images, len(listing.classes)))
        names = (image.name for image in self.listing.images)
        self._strata = dict(zip(names, strata, strict=True))

    def class_of(self, file: BoxedFile) -> int:
        """Return the rarest class of an image."""
        return self._strata[file.name]

    def examine(
        self,
        files: Sequence[BoxedFile],
        broken: Sequence[UndecodableFile],
        conflicts: Sequence[Sequence[str]],
    ) -> LabelFindings:
        """Return boxes in pixels of the input.

        Raises:
            DatasetError: fewer than 5 images are usable.
        """
        check_enough(self.listing.name, files, broken)
        summary, *warnings = self._audited.sentences()
        return LabelFindings(
            self._audited.counts,
            summary,
            tuple(warnings),
            tuple(_at_input(file, self._size) for file in files),
        )


def audit(
    listing: BoxListing, preprocessing: Preprocessing, workdir: Path, progress: Progress
) -> Dataset:
    """Decode every image; see :func:`converters.dataset.audit.audit_images`.

    Boxes are clipped and cleaned by :mod:`converters.dataset.box_audit`.

    Raises:
        DatasetError: fewer than 5 images are usable, or no box is.
        OutputError: ``workdir`` has too little space.
    """
    labels = BoxedImageAudit(listing, (preprocessing.width, preprocessing.height))
    return audit_images(labels.listing, labels, preprocessing, workdir, progress)


def _at_input(file: BoxedFile, size: tuple[int, int]) -> ImageBoxes:
    scale = np.divide(size, file.size).astype(np.float32)
    return ImageBoxes(file.boxes * np.tile(scale, 2), file.labels, file.ignored)


def _shown(files: Sequence[BoxedFile], classes: int) -> NDArray[np.bool_]:
    """Return which classes each image shows, bool [images, classes]."""
    shown = np.zeros((len(files), classes), np.bool_)
    for row, file in enumerate(files):
        shown[row, file.labels[~file.ignored]] = True
    return shown
