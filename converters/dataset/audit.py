"""Audit of a data set: decode every image once, report problems, keep the usable images."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from converters.dataset import duplicates
from converters.dataset.decoding import DecodedImage, UndecodableFile, decode_all
from converters.dataset.listing import ImageFile, ImageListing
from converters.progress import Progress
from edge.preprocessing import Preprocessing
from edge.quantities import counted


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """A usable image: name, class index, given split (or None) and sha256 of the file."""

    name: str
    label: int
    split: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class Audit:
    """Findings of an audit; every list holds names relative to the data set.

    ``counts``: usable images per class, in class order, or what else a task counts.
    ``broken``: (name, reason).
    ``duplicates``: groups of two or more images of a class that show the same thing.
    ``across_split``: groups of ``duplicates`` in more than one subset of the given split.
    ``conflicts``: groups of identical images with different labels (all excluded).
    ``near_conflicts``: pairs of near-identical images with different labels (both kept, as only a
    person can tell which label is wrong, if any).
    ``converted``: kind ("rotated", "greyscale", "alpha", "16-bit") → names of converted images.
    ``warnings``: sentences (small classes, imbalance, …). ``summary``: a sentence that counts what
    there is, "" for images of classes.
    """

    counts: dict[str, int]
    broken: tuple[tuple[str, str], ...]
    duplicates: tuple[tuple[str, ...], ...]
    across_split: tuple[tuple[str, ...], ...]
    conflicts: tuple[tuple[str, ...], ...]
    converted: dict[str, tuple[str, ...]]
    ignored: tuple[str, ...]
    warnings: tuple[str, ...]
    near_conflicts: tuple[tuple[str, str], ...] = field(default=())
    summary: str = ""

    def findings(self) -> tuple[str, ...]:
        """Describe the audit in sentences; the first counts the images."""
        images = counted(sum(self.counts.values()), "image")
        classes = ", ".join(f"{name} {count}" for name, count in self.counts.items())
        in_classes = f"{images} in {counted(len(self.counts), 'class')}: {classes}."
        sentences = [self.summary or in_classes]
        if self.broken:
            name, reason = self.broken[0]
            sentences.append(
                f"Skipped {_number(self.broken, 'broken file')}, for example {name} ({reason})."
            )
        if self.conflicts:
            sentences.append(
                f"Excluded {_number(self.conflicts, 'image')} found under more than one label: "
                f"{named(' = '.join(group) for group in self.conflicts)}."
            )
        if self.near_conflicts:
            sentences.append(
                f"Kept {_number(self.near_conflicts, 'pair')} of near-identical images with "
                "different labels, please check: "
                f"{named(' ~ '.join(pair) for pair in self.near_conflicts)}."
            )
        if self.duplicates:
            copies = counted(sum(map(len, self.duplicates)), "image")
            sentences.append(
                f"{_number(self.duplicates, 'group')} of duplicates ({copies}), each kept within "
                "one subset."
            )
        if self.across_split:
            sentences.append(
                f"{_number(self.across_split, 'group')} of duplicates spanned the given split; "
                "only the copies in the test subset (or else validation) are used."
            )
        if self.converted:
            kinds = ", ".join(f"{kind} {len(names)}" for kind, names in self.converted.items())
            # The key keeps its spelling, as it is part of the report's format.
            sentences.append(f"Converted when loading: {kinds.replace('greyscale', 'grayscale')}.")
        if self.ignored:
            sentences.append(
                f"Ignored {_number(self.ignored, 'other file')}: {named(self.ignored)}."
            )
        return (*sentences, *self.warnings)


@dataclass(frozen=True, slots=True)
class Dataset:
    """The usable images, resized to the model's input.

    ``pixels``: uint8 RGB [n, height, width, 3] (a memory map where it is large); ``labels``:
    int64 [n], the class of each image, by which the split is stratified; ``groups``: int64 [n],
    equal for duplicates of each other (they stay in one subset); ``annotations``: what a task
    learns of each image beside its class, such as boxes. All are aligned with ``images``.
    ``every_class``: whether each class has to be in every subset of the split.
    """

    name: str
    classes: tuple[str, ...]
    images: tuple[ImageRecord, ...]
    preprocessing: Preprocessing
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    audit: Audit
    annotations: tuple[Any, ...] = ()
    every_class: bool = True


@dataclass(frozen=True, slots=True)
class LabelFindings:
    """Findings of a task in the labels of the usable images; see :class:`Audit`.

    ``annotations``: see :class:`Dataset`.
    """

    counts: dict[str, int]
    summary: str = ""
    warnings: tuple[str, ...] = ()
    annotations: tuple[Any, ...] = ()


class LabelAudit(ABC):
    """What a task makes of its labels; what images are alike is the same for all tasks.

    ``every_class``: whether each class has to be in every subset of the split.
    """

    every_class: ClassVar[bool] = False

    @abstractmethod
    def class_of(self, file: Any) -> int:
        """Return the class of an image file, by which the split is stratified.

        An index of the listing's classes, or their number for an image with none of them.
        """

    def differ(self, first: int, second: int) -> bool:
        """Return whether images that are alike contradict each other if these are their classes."""
        return False

    @abstractmethod
    def examine(
        self,
        files: Sequence[Any],
        broken: Sequence[UndecodableFile],
        conflicts: Sequence[Sequence[str]],
    ) -> LabelFindings:
        """Examine the labels of the usable ``files``.

        Raises:
            DatasetError: there are too few.
        """


def audit_images(
    listing: ImageListing,
    labels: LabelAudit,
    preprocessing: Preprocessing,
    workdir: Path,
    progress: Progress,
) -> Dataset:
    """Decode every image and build the data set of the usable ones.

    Broken files are skipped. Images that are identical to the model (equal pixels at its input
    size) but contradict each other are all excluded. Duplicates (see
    :mod:`converters.dataset.duplicates`) share a group; near-identical images that contradict each
    other are reported and kept, and never grouped.

    Args:
        listing: the images.
        labels: what the task makes of theirs.
        preprocessing: resizes the images.
        workdir: for the pixels of large data sets; it must outlive the result.
        progress: reports the progress.

    Raises:
        DatasetError: there are too few usable images.
        OutputError: ``workdir`` has too little space.
    """
    decoded = decode_all(listing.images, preprocessing, workdir, progress)
    conflicts = _conflicts(decoded.images, labels)
    excluded = {index for group in conflicts for index in group}
    conflict_names = tuple(
        tuple(decoded.images[index].source.name for index in group) for group in conflicts
    )
    usable = decoded.keep([i for i in range(len(decoded.images)) if i not in excluded])
    pixels, opened, broken = usable.pixels, usable.images, usable.broken
    pixels.flags.writeable = False
    classes = np.array([labels.class_of(o.source) for o in opened], np.int64)
    findings = labels.examine([o.source for o in opened], broken, conflict_names)

    progress.say("Looking for duplicate images.")
    digests = [o.digest for o in opened]
    equals = duplicates.first_of_equals([o.content for o in opened], digests)
    confirmed = duplicates.confirmed_pairs(usable.thumbnails, equals)
    differ = np.array([labels.differ(*classes[pair].tolist()) for pair in confirmed], bool)
    groups = duplicates.star_groups(confirmed[~differ], equals, digests)
    classes = classes[groups]  # the split draws whole groups of a class
    together = _named_groups(groups, opened)
    return Dataset(
        name=listing.name,
        classes=listing.classes,
        images=tuple(
            ImageRecord(o.source.name, label, o.source.split, o.digest)
            for o, label in zip(opened, classes.tolist(), strict=True)
        ),
        preprocessing=preprocessing,
        pixels=pixels,
        labels=classes,
        groups=groups,
        audit=Audit(
            counts=findings.counts,
            broken=tuple((b.source.name, b.reason) for b in broken),
            duplicates=_names(together),
            across_split=_names(g for g in together if len({s.split for s in g}) > 1),
            conflicts=conflict_names,
            near_conflicts=tuple(
                (opened[i].source.name, opened[j].source.name)
                for i, j in confirmed[differ].tolist()
            ),
            converted=_converted(opened),
            ignored=listing.ignored,
            warnings=findings.warnings,
            summary=findings.summary,
        ),
        annotations=findings.annotations,
        every_class=labels.every_class,
    )


def _conflicts(opened: list[DecodedImage], labels: LabelAudit) -> list[list[int]]:
    """Group indices with equal pixels of which some contradict each other."""
    same: defaultdict[bytes, list[int]] = defaultdict(list)
    for index, image in enumerate(opened):
        same[image.content].append(index)

    def contradict(group: list[int]) -> bool:
        classes = sorted({labels.class_of(opened[index].source) for index in group})
        return any(labels.differ(*pair) for pair in combinations(classes, 2))

    return [group for group in same.values() if contradict(group)]


def _named_groups(groups: NDArray[np.int64], opened: list[DecodedImage]) -> list[list[ImageFile]]:
    """Return the files of every group of two or more."""
    members: defaultdict[int, list[ImageFile]] = defaultdict(list)
    for group, image in zip(groups.tolist(), opened, strict=True):
        members[group].append(image.source)
    return [sources for sources in members.values() if len(sources) > 1]


def _names(groups: Iterable[list[ImageFile]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(source.name for source in group) for group in groups)


def _converted(opened: list[DecodedImage]) -> dict[str, tuple[str, ...]]:
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for image in opened:
        for kind in image.converted:
            kinds[kind].append(image.source.name)
    return {kind: tuple(names) for kind, names in sorted(kinds.items())}


def _number(items: Sized, noun: str) -> str:
    return counted(len(items), noun)


def named(names: Iterable[str], max_names: int = 3) -> str:
    """List the first names, and say how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - max_names} more" if len(listed) > max_names else ""
    return ", ".join(listed[:max_names]) + more
