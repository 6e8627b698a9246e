"""Audit of boxes: clip what reaches beyond images, remove what is none, report what will not work.

Nothing here reads a file: boxes and the sizes of their images are enough.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from converters.dataset.annotations import (
    AnnotationFinding,
    BoxedFile,
    BoxListing,
    Size,
    finding,
)
from edge.errors import DatasetError
from edge.quantities import counted

TINY_SIDE = 8
"""Pixels of the input below which few detectors find an object: the root of its area."""

FEW_BOXES = 20
"""Boxes of a class below which the figures measured for it say little."""

LARGEST_INPUT = 512
"""Pixels of the largest input to which a larger one is advised."""

_STEP = 32
_CLIPPED = 1.0
"""Pixels beyond the image that rounding, or counting pixels from 1, explains."""

_TINY_SHARE = 0.05
"""Share of the boxes that may stay tiny at the input that is advised."""


@dataclass(frozen=True, slots=True)
class BoxAudit:
    """Boxes that can be used, and what was noticed about all.

    ``listing``: with boxes inside their images, each once, and none without an area; ``counts``: of
    boxes for each class, in the order of the classes, without ignored ones.
    """

    listing: BoxListing
    counts: dict[str, int]
    findings: tuple[AnnotationFinding, ...]

    def sentences(self) -> tuple[str, ...]:
        """Describe the audit; the first sentence counts images and boxes."""
        images = counted(len(self.listing.images), "image")
        boxes = counted(sum(self.counts.values()), "box")
        each = ", ".join(f"{name} {count:,}" for name, count in self.counts.items())
        return f"{images} with {boxes}: {each}.", *(each.sentence for each in self.findings)


def audit_boxes(listing: BoxListing, size: Size) -> BoxAudit:
    """Audit boxes.

    Args:
        listing: images with boxes, as they were read.
        size: width and height of the detector's input, to which images are stretched.

    Raises:
        DatasetError: no box is left that can be used.
    """
    problems: defaultdict[str, list[str]] = defaultdict(list)
    images = tuple(_usable(image, problems) for image in listing.images)
    usable = replace(listing, images=images)
    counts = _counts(usable)
    if not sum(counts.values()):
        raise DatasetError(
            "boxes inside their images",
            f"none among {counted(sum(len(image.boxes) for image in listing.images), 'box')}",
            "export the labels again, at the size of the images",
            code="no-boxes",
        )
    findings = [
        *listing.findings,
        *(_of_boxes(kind, problems[kind], text) for kind, text in _TEXTS if problems[kind]),
        *_tiny(images, size),
        *_of_classes(usable, counts),
    ]
    empty = [image.name for image in images if not len(image.boxes)]
    if empty:
        findings.append(
            finding("images-without-boxes", empty, "Kept {image} without boxes, to learn from")
        )
    return BoxAudit(usable, counts, tuple(findings))


_TEXTS = (
    ("boxes-clipped", "Clipped {box} that reached beyond the image"),
    ("boxes-outside", "Removed {box} outside of the image"),
    ("boxes-empty", "Removed {box} without an area"),
    ("boxes-repeated", "Removed {box} that repeated another one"),
    ("boxes-of-two-classes", "Kept {box} that another class has, too"),
)


def _usable(image: BoxedFile, problems: defaultdict[str, list[str]]) -> BoxedFile:
    """Return the boxes of an image that can be used, clipped; the name is added for each other."""
    limits = np.array([*image.size, *image.size], np.float32)
    clipped = np.clip(image.boxes, 0, limits)
    had_area = _has_area(image.boxes)
    has_area = _has_area(clipped)
    beyond = (np.abs(clipped - image.boxes) > _CLIPPED).any(1) & has_area
    first, alone = _first_of_equals(clipped, image.labels)
    kept = has_area & first
    for kind, chosen in (
        ("boxes-clipped", beyond & first),
        ("boxes-outside", had_area & ~has_area),
        ("boxes-empty", ~had_area),
        ("boxes-repeated", has_area & ~first),
        ("boxes-of-two-classes", kept & ~alone),
    ):
        problems[kind] += [image.name] * int(np.count_nonzero(chosen))
    return replace(
        image,
        boxes=clipped[kept],
        labels=image.labels[kept],
        ignored=image.ignored[kept],
    )


def _has_area(boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which boxes, [n, 4], are at least a pixel wide and high."""
    return np.asarray((boxes[:, 2:] - boxes[:, :2] >= 1).all(1))


def _first_of_equals(
    boxes: NDArray[np.float32], labels: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which boxes no earlier one of their class equals, and which have only one class.

    Boxes are equal to whole pixels.
    """
    whole = np.rint(boxes).astype(np.int64)
    seen: set[tuple[int, ...]] = set()
    classes: defaultdict[tuple[int, ...], set[int]] = defaultdict(set)
    first = np.zeros(len(boxes), np.bool_)
    keys = [tuple(box) for box in whole.tolist()]
    for at, (key, label) in enumerate(zip(keys, labels.tolist(), strict=True)):
        first[at] = (*key, label) not in seen
        seen.add((*key, label))
        classes[key].add(label)
    return first, np.array([len(classes[key]) == 1 for key in keys], np.bool_)


def _counts(listing: BoxListing) -> dict[str, int]:
    totals = np.zeros(len(listing.classes), np.int64)
    for image in listing.images:
        totals += np.bincount(image.labels[~image.ignored], minlength=len(totals))
    return dict(zip(listing.classes, totals.tolist(), strict=True))


def _of_boxes(kind: str, names: Sequence[str], problem: str) -> AnnotationFinding:
    """Return a finding about boxes; ``names``: of the image of each."""
    before, _, rest = problem.partition("{box}")
    example = Counter(names).most_common(1)[0][0]
    sentence = f"{before}{counted(len(names), 'box')}{rest}, for example in {example}."
    return AnnotationFinding(kind, len(names), tuple(sorted(set(names))), sentence)


def _tiny(images: Sequence[BoxedFile], size: Size) -> list[AnnotationFinding]:
    """Report boxes that are tiny at the detector's input, with an input at which few are."""
    sides = [_sides(image, size) for image in images]
    names = [
        image.name
        for image, own in zip(images, sides, strict=True)
        for _ in range(int(np.count_nonzero(own < TINY_SIDE)))
    ]
    if not names:
        return []
    least = float(np.quantile(np.concatenate(sides), _TINY_SHARE))
    needed = max(size) * TINY_SIDE / max(least, 1e-6)
    advised = _STEP * math.ceil(min(needed, 1e6) / _STEP)
    if advised <= max(size):
        advice = "which it will miss"
    elif advised <= LARGEST_INPUT:
        advice = f"which it will miss: use --size {advised}"
    else:
        advice = f"which it will miss: use --size {LARGEST_INPUT}, or cut the images into parts"
    sentence = (
        f"{counted(len(names), 'box')} of less than {TINY_SIDE} pixels at an input of "
        f"{size[0]} x {size[1]}, {advice} (for example in {Counter(names).most_common(1)[0][0]})."
    )
    return [AnnotationFinding("boxes-tiny", len(names), tuple(sorted(set(names))), sentence)]


def _sides(image: BoxedFile, size: Size) -> NDArray[np.float64]:
    """Return the root of each box's area at an input of this size, float64 [n]."""
    boxes = image.boxes[~image.ignored].astype(np.float64)
    lengths = (boxes[:, 2:] - boxes[:, :2]) * np.divide(size, image.size)
    return np.asarray(np.sqrt(lengths.prod(1)))


def _of_classes(listing: BoxListing, counts: dict[str, int]) -> list[AnnotationFinding]:
    findings = []
    none = [name for name, count in counts.items() if count == 0]
    few = [name for name, count in counts.items() if 0 < count < FEW_BOXES]
    if none:
        findings.append(finding("classes-without-boxes", none, "{class} without any box"))
    if few:
        text = f"{{class}} with fewer than {FEW_BOXES} boxes"
        findings.append(finding("classes-with-few-boxes", few, text))
    untrained = _untrained(listing)
    if untrained:
        text = "{class} without a box in the training split"
        findings.append(finding("classes-not-in-training", untrained, text))
    return findings


def _untrained(listing: BoxListing) -> list[str]:
    """Return the classes with boxes in other subsets of a given split than the training one."""
    seen: dict[bool, set[int]] = {True: set(), False: set()}
    for image in listing.images:
        seen[image.split in (None, "train")].update(image.labels[~image.ignored].tolist())
    return [listing.classes[label] for label in sorted(seen[False] - seen[True])]
