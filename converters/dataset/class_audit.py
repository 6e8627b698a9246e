"""Audit of classes: too few images of one, and classes of very different sizes."""

from collections.abc import Sequence
from pathlib import Path

from converters.dataset.audit import Dataset, LabelAudit, LabelFindings, audit_images, named
from converters.dataset.decoding import UndecodableFile
from converters.dataset.listing import LabeledFile, Listing
from converters.progress import Progress
from edge.errors import DatasetError
from edge.preprocessing import Preprocessing
from edge.quantities import counted

MIN_IMAGES = 5
FEW_IMAGES = 20
IMBALANCE = 5


class ClassAudit(LabelAudit):
    """Images have one class each, so that images of two classes that are alike contradict."""

    every_class = True

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._indices = {label: index for index, label in enumerate(listing.classes)}

    def class_of(self, file: LabeledFile) -> int:
        """Return the class of the file."""
        return self._indices[file.label]

    def differ(self, first: int, second: int) -> bool:
        """Return whether the classes are two."""
        return first != second

    def examine(
        self,
        files: Sequence[LabeledFile],
        broken: Sequence[UndecodableFile],
        conflicts: Sequence[Sequence[str]],
    ) -> LabelFindings:
        """Count the images of each class.

        Raises:
            DatasetError: a class has fewer than 5 usable images.
        """
        counts = dict.fromkeys(self._listing.classes, 0)
        for file in files:
            counts[file.label] += 1
        self._check(counts, broken, conflicts)
        return LabelFindings(counts, warnings=_warnings(counts))

    def _check(
        self,
        counts: dict[str, int],
        broken: Sequence[UndecodableFile],
        conflicts: Sequence[Sequence[str]],
    ) -> None:
        name, count = min(counts.items(), key=lambda item: item[1])
        if count >= MIN_IMAGES:
            return
        lost = [b for b in broken if b.source.label == name]
        why = (
            f" ({len(lost)} broken, for example {lost[0].source.name}: {lost[0].reason})"
            if lost
            else ""
        )
        if not lost and conflicts:
            why = f" ({len(conflicts)} excluded because they have more than one label)"
        raise DatasetError(
            f"at least {MIN_IMAGES} usable images per class",
            f"{count} for {name!r} in {self._listing.name}{why}",
            f"add images of {name!r}, or remove the class",
            code="class-too-small",
        )


def audit_classes(
    listing: Listing, preprocessing: Preprocessing, workdir: Path, progress: Progress
) -> Dataset:
    """Decode every image of a listing; see :func:`converters.dataset.audit.audit_images`.

    Raises:
        DatasetError: a class has fewer than 5 usable images.
        OutputError: ``workdir`` has too little space.
    """
    return audit_images(listing, ClassAudit(listing), preprocessing, workdir, progress)


def _warnings(counts: dict[str, int]) -> tuple[str, ...]:
    warnings = []
    few = [f"{name} ({count})" for name, count in counts.items() if count < FEW_IMAGES]
    if few:
        warnings.append(
            f"Few images: {named(few)}. With fewer than {FEW_IMAGES} per class, the measured "
            "accuracy is only a rough estimate; add images from other days, places and angles."
        )
    largest, smallest = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    if counts[largest] > IMBALANCE * counts[smallest]:
        warnings.append(
            f"Class imbalance: {counted(counts[largest], 'image')} of {largest} but "
            f"{counts[smallest]} of {smallest}. The model will be biased toward "
            f"{largest}; add images of {smallest} or remove some of {largest}."
        )
    return tuple(warnings)
