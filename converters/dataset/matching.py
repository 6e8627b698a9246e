"""Labels and images of a data set brought together: which belong to which, and how they lie."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from converters.dataset import given_splits
from converters.dataset.annotations import AnnotationFinding, finding
from converters.dataset.entries import FileTree, ImageEntry
from converters.dataset.formats.label_table import LabeledImage, LabelTable
from converters.dataset.image_index import ImageIndex
from converters.dataset.image_sizes import ImageSize, read_size
from converters.dataset.placement import Placement, place
from edge.errors import DatasetError
from edge.quantities import counted

MASK_FOLDER = re.compile(r"(^|/)[^/]*(masks?|SegmentationClass|SegmentationObject)[^/]*/", re.I)
"""Folders of images that are masks."""


@dataclass(frozen=True, slots=True)
class MatchedImage:
    """An image with its split and size, and all labels of it with their placements."""

    entry: ImageEntry
    split: str | None
    size: ImageSize
    labels: tuple[tuple[LabeledImage, Placement], ...]


@dataclass(frozen=True, slots=True)
class MatchedImages:
    """Images with their labels, sorted by name; ``ignored``: names of the other files."""

    images: tuple[MatchedImage, ...]
    ignored: tuple[str, ...]
    findings: tuple[AnnotationFinding, ...]


def match(location: str, files: FileTree, table: LabelTable) -> MatchedImages:
    """Find the image of each label, its split, and how the labels lie in it.

    Args:
        location: path of the data set, for errors.
        files: of the data set.
        table: labels.

    Raises:
        DatasetError: no image has labels, or there is a split without images to train on.
    """
    folders = [part for image in files.images for part in image.name.split("/")[:-1]]
    words = [labels.split for labels in table.images if labels.split is not None]
    subsets = given_splits.subsets_of(folders, words)
    by_image, missing = _by_image(files, table, subsets)
    entries = {image.name: image for image in files.images}
    splits = {
        name: given_splits.first(_subset(labels, name, subsets) for labels in every)
        for name, every in by_image.items()
    }
    has_split = given_splits.check(location, splits.values())
    images: list[MatchedImage] = []
    problems: defaultdict[str, list[str]] = defaultdict(list)
    problems["images-missing"] = missing
    for name, every in sorted(by_image.items()):
        size = read_size(entries[name].path)
        if size is None:
            problems["images-unreadable"].append(name)
            continue
        placed = [(labels, place(labels, size)) for labels in every]
        fitting = tuple((labels, how) for labels, how in placed if how is not None)
        if len(fitting) < len(placed):
            problems["labels-of-another-size"].append(name)
        elif has_split and splits[name] is None:
            problems["images-outside-split"].append(name)
        else:
            if any(how.scaled for _, how in fitting):
                problems["labels-scaled"].append(name)
            images.append(
                MatchedImage(entries[name], splits[name] if has_split else None, size, fitting)
            )
    problems["images-unlabeled"] = [
        name for name in entries if name not in by_image and not MASK_FOLDER.search(name)
    ]
    findings = [finding(kind, problems[kind], text) for kind, text in _TEXTS if problems[kind]]
    if not images:
        raise _nothing(location, table, findings)
    ignored = sorted(name for name in files.others if name not in table.used)
    return MatchedImages(tuple(images), tuple(ignored), (*table.findings, *findings))


_TEXTS = (
    ("images-missing", "Missing {image} that the labels name"),
    ("images-unreadable", "Left out {image} that cannot be read"),
    ("labels-of-another-size", "Left out {image} with labels of an image of another shape"),
    ("images-outside-split", "Left out {image} in no subset of the given split"),
    ("labels-scaled", "Scaled labels of {image}, made for another size"),
    ("images-unlabeled", "Left out {image} without labels"),
)


def _by_image(
    files: FileTree, table: LabelTable, subsets: dict[str, str]
) -> tuple[dict[str, list[LabeledImage]], list[str]]:
    """Return the labels of each image by its name, and the names of images that are missing."""
    index = ImageIndex(files.images, subsets)
    by_image: defaultdict[str, list[LabeledImage]] = defaultdict(list)
    missing: list[str] = []
    for labels in table.images:
        folder = PurePosixPath(labels.source).parent.as_posix()
        subset = subsets.get(labels.split) if labels.split is not None else None
        entry = index.find(labels.image, folder, subset)
        if entry is None:
            missing.append(labels.image)
        else:
            by_image[entry.name].append(labels)
    return by_image, missing


def _subset(labels: LabeledImage, name: str, subsets: dict[str, str]) -> str | None:
    """Return the subset that the labels name, else that of the image's folders."""
    if labels.split is not None and labels.split in subsets:
        return subsets[labels.split]
    return given_splits.of_folders(name, subsets)


def _nothing(
    location: str, table: LabelTable, findings: Sequence[AnnotationFinding]
) -> DatasetError:
    worst = max((*table.findings, *findings), key=lambda each: each.count, default=None)
    return DatasetError(
        "images with labels",
        f"{counted(len(table.images), 'label')} of images in {location}, none of which can be used"
        if worst is None
        else f"none in {location}. {worst.sentence.rstrip('.')}",
        "put the images beside the labels, under the names that these have",
        code="labeled-images-missing",
    )
