"""Audit of a data set: decode every image once, report problems, keep the usable images."""

from collections import defaultdict
from collections.abc import Iterable, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.dataset import duplicates
from converters.dataset.decoding import DecodedImage, UndecodableFile, decode_all
from converters.dataset.listing import LabeledFile, Listing
from converters.progress import Progress
from edge.errors import DatasetError
from edge.preprocessing import Preprocessing
from edge.quantities import counted

MIN_IMAGES = 5
FEW_IMAGES = 20
IMBALANCE = 5


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

    ``counts``: usable images per class, in class order. ``broken``: (name, reason).
    ``duplicates``: groups of two or more images of a class that show the same thing.
    ``across_split``: groups of ``duplicates`` in more than one subset of the given split.
    ``conflicts``: groups of identical images with different labels (all excluded).
    ``near_conflicts``: pairs of near-identical images with different labels (both kept, as only a
    person can tell which label is wrong, if any).
    ``converted``: kind ("rotated", "greyscale", "alpha", "16-bit") → names of converted images.
    ``warnings``: sentences (small classes, imbalance, …).
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

    def findings(self) -> tuple[str, ...]:
        """Describe the audit in sentences; the first counts the images."""
        images = counted(sum(self.counts.values()), "image")
        sentences = [
            f"{images} in {counted(len(self.counts), 'class')}: "
            + ", ".join(f"{name} {count}" for name, count in self.counts.items())
            + "."
        ]
        if self.broken:
            name, reason = self.broken[0]
            sentences.append(
                f"Skipped {_number(self.broken, 'broken file')}, for example {name} ({reason})."
            )
        if self.conflicts:
            sentences.append(
                f"Excluded {_number(self.conflicts, 'image')} found under more than one label: "
                f"{_some(' = '.join(group) for group in self.conflicts)}."
            )
        if self.near_conflicts:
            sentences.append(
                f"Kept {_number(self.near_conflicts, 'pair')} of near-identical images with "
                "different labels, please check: "
                f"{_some(' ~ '.join(pair) for pair in self.near_conflicts)}."
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
                f"Ignored {_number(self.ignored, 'other file')}: {_some(self.ignored)}."
            )
        return (*sentences, *self.warnings)


@dataclass(frozen=True, slots=True)
class Dataset:
    """The usable images, resized to the model's input.

    ``pixels``: uint8 RGB [n, height, width, 3] (a memory map where it is large); ``labels``:
    int64 [n], the class of each image, by which the split is stratified; ``groups``: int64 [n],
    equal for duplicates of each other (they stay in one subset); ``annotations``: what a task
    learns of each image beside its class, such as boxes. All are aligned with ``images``.
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


def audit(
    listing: Listing, preprocessing: Preprocessing, workdir: Path, progress: Progress
) -> Dataset:
    """Decode every image and build the data set of the usable ones.

    Broken files are skipped. Images that are identical to the model (equal pixels at its input
    size) but have different labels are all excluded. Duplicates within a class (see
    :mod:`converters.dataset.duplicates`) share a group; near-identical images of different classes
    are reported and kept, and never grouped.

    Args:
        listing: from :func:`converters.dataset.intake.list_images`.
        preprocessing: resizes the images.
        workdir: for the pixels of large data sets; it must outlive the result.
        progress: reports the progress.

    Raises:
        DatasetError: a class has fewer than 5 usable images.
        OutputError: ``workdir`` has too little space.
    """
    decoded = decode_all(listing.images, preprocessing, workdir, progress)
    conflicts = _conflicts(decoded.images)
    excluded = {index for group in conflicts for index in group}
    conflict_names = tuple(
        tuple(decoded.images[index].source.name for index in group) for group in conflicts
    )
    usable = decoded.keep([i for i in range(len(decoded.images)) if i not in excluded])
    pixels, opened, broken = usable.pixels, usable.images, usable.broken
    pixels.flags.writeable = False
    labels = np.array([listing.classes.index(o.source.label) for o in opened], np.int64)
    counts = _counts(listing, labels)
    _check_counts(listing, counts, broken, conflict_names)

    progress.say("Looking for duplicate images.")
    digests = [o.digest for o in opened]
    equals = duplicates.first_of_equals([o.content for o in opened], digests)
    confirmed = duplicates.confirmed_pairs(usable.thumbnails, equals)
    groups = duplicates.star_groups(confirmed, equals, labels, digests)
    together = _named_groups(groups, opened)
    return Dataset(
        name=listing.name,
        classes=listing.classes,
        images=tuple(
            ImageRecord(o.source.name, label, o.source.split, o.digest)
            for o, label in zip(opened, labels.tolist(), strict=True)
        ),
        preprocessing=preprocessing,
        pixels=pixels,
        labels=labels,
        groups=groups,
        audit=Audit(
            counts=counts,
            broken=tuple((b.source.name, b.reason) for b in broken),
            duplicates=_names(together),
            across_split=_names(g for g in together if len({s.split for s in g}) > 1),
            conflicts=conflict_names,
            near_conflicts=tuple(
                (opened[i].source.name, opened[j].source.name)
                for i, j in confirmed.tolist()
                if labels[i] != labels[j]
            ),
            converted=_converted(opened),
            ignored=listing.ignored,
            warnings=_warnings(counts),
        ),
    )


def _conflicts(opened: list[DecodedImage]) -> list[list[int]]:
    """Group indices with equal pixels and more than one label."""
    same: defaultdict[bytes, list[int]] = defaultdict(list)
    for index, image in enumerate(opened):
        same[image.content].append(index)
    return [
        group for group in same.values() if len({opened[index].source.label for index in group}) > 1
    ]


def _counts(listing: Listing, labels: NDArray[np.int64]) -> dict[str, int]:
    counted = np.bincount(labels, minlength=len(listing.classes)).tolist()
    return dict(zip(listing.classes, counted, strict=True))


def _check_counts(
    listing: Listing,
    counts: dict[str, int],
    broken: list[UndecodableFile],
    conflicts: tuple[tuple[str, ...], ...],
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
        f"{count} for {name!r} in {listing.name}{why}",
        f"add images of {name!r}, or remove the class",
        code="class-too-small",
    )


def _named_groups(groups: NDArray[np.int64], opened: list[DecodedImage]) -> list[list[LabeledFile]]:
    """Return the files of every group of two or more."""
    members: defaultdict[int, list[LabeledFile]] = defaultdict(list)
    for group, image in zip(groups.tolist(), opened, strict=True):
        members[group].append(image.source)
    return [sources for sources in members.values() if len(sources) > 1]


def _names(groups: Iterable[list[LabeledFile]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(source.name for source in group) for group in groups)


def _converted(opened: list[DecodedImage]) -> dict[str, tuple[str, ...]]:
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for image in opened:
        for kind in image.converted:
            kinds[kind].append(image.source.name)
    return {kind: tuple(names) for kind, names in sorted(kinds.items())}


def _warnings(counts: dict[str, int]) -> tuple[str, ...]:
    warnings = []
    few = [f"{name} ({count})" for name, count in counts.items() if count < FEW_IMAGES]
    if few:
        warnings.append(
            f"Few images: {_some(few)}. With fewer than {FEW_IMAGES} per class, the measured "
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


def _number(items: Sized, noun: str) -> str:
    return counted(len(items), noun)


def _some(names: Iterable[str], max_names: int = 3) -> str:
    listed = list(names)
    more = f" and {len(listed) - max_names} more" if len(listed) > max_names else ""
    return ", ".join(listed[:max_names]) + more
