"""Data sets of masks: decoded, audited, and split by what the masks show."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from converters.dataset.annotations import MaskedFile, MaskListing
from converters.dataset.audit import Dataset, LabelAudit, LabelFindings, audit_images
from converters.dataset.decoding import UndecodableFile
from converters.dataset.mask_audit import audit_masks
from converters.dataset.strata import check_enough, rarest_classes
from converters.progress import Progress
from converters.tasks.segment.masks import Mask, PackedMask
from edge.modelfile.labels import is_background
from edge.preprocessing import Preprocessing


class MaskedImageAudit(LabelAudit):
    """The class of an image is the rarest one in it, so that the split shares out rare classes.

    The background is that of images with nothing else.
    """

    def __init__(self, listing: MaskListing, size: tuple[int, int], progress: Progress) -> None:
        self._audited, self._size = audit_masks(listing, progress), size
        self.listing = self._audited.listing
        shown = np.zeros((len(self.listing.images), len(listing.classes)), np.bool_)
        behind = [index for index, label in enumerate(listing.classes) if is_background(label)]
        for row, classes in enumerate(self._audited.shown):
            shown[row, [each for each in classes if each not in behind] or list(classes)] = True
        names = (image.name for image in self.listing.images)
        self._strata = dict(zip(names, rarest_classes(shown), strict=True))

    def class_of(self, file: MaskedFile) -> int:
        """Return the rarest class of an image."""
        return self._strata[file.name]

    def examine(
        self,
        files: Sequence[MaskedFile],
        broken: Sequence[UndecodableFile],
        conflicts: Sequence[Sequence[str]],
    ) -> LabelFindings:
        """Return masks at the size of the input.

        Raises:
            DatasetError: fewer than 5 images are usable.
        """
        check_enough(self.listing.name, files, broken)
        summary, *warnings = self._audited.sentences()
        return LabelFindings(
            self._audited.images,
            summary,
            tuple(warnings),
            tuple(PackedMask.pack(_at_input(file, self._size)) for file in files),
        )


def audit(
    listing: MaskListing, preprocessing: Preprocessing, workdir: Path, progress: Progress
) -> Dataset:
    """Decode every image; see :func:`converters.dataset.audit.audit_images`.

    Masks are checked by :mod:`converters.dataset.mask_audit`.

    Raises:
        DatasetError: fewer than 5 images are usable, or all pixels are of one class.
        OutputError: ``workdir`` has too little space.
    """
    size = (preprocessing.width, preprocessing.height)
    labels = MaskedImageAudit(listing, size, progress)
    return audit_images(labels.listing, labels, preprocessing, workdir, progress)


def _at_input(file: MaskedFile, size: tuple[int, int]) -> Mask:
    resized = cv2.resize(file.read_mask(), size, interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(resized, np.uint8)
