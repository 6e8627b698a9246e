"""Masks as images: in a folder beside that of the images, or next to each image as NAME_mask.png.

Folders: images/ and masks/, JPEGImages/ and SegmentationClass/, and the like, also inside or around
the folders of a split.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from converters.dataset import given_splits
from converters.dataset.annotations import MaskedFile, MaskListing, Size, finding
from converters.dataset.entries import FileTree, ImageEntry
from converters.dataset.image_sizes import ImageSize, read_size
from converters.dataset.mask_classes import MaskClasses, read_classes
from converters.dataset.mask_files import COLOR, read_values
from edge.errors import DatasetError
from edge.image import turn_upright
from edge.image_format import JPEG

_MASK_WORDS = frozenset({
    "mask", "masks", "segmentationclass", "segmentationclassraw", "annotation", "annotations",
    "annot", "label", "labels", "gt", "groundtruth", "segmentation", "seg",
})  # fmt: skip
_IMAGE_WORDS = frozenset({
    "image", "images", "img", "imgs", "jpegimages", "photo", "photos", "picture", "pictures",
})  # fmt: skip
_INSTANCES = "segmentationobject"
_SUFFIX = re.compile(r"[_-](mask|masks|label|labels|seg|segmentation|gt|l)$", re.IGNORECASE)
"""Behind an image's name in a folder of masks; elsewhere, only that of ``_BESIDE`` is one."""

_BESIDE = re.compile(r"[_-]masks?$", re.IGNORECASE)
_PREFIX = re.compile(r"(images?|img|masks?|labels?|seg|gt)[_-]?(?=.)", re.IGNORECASE)
"""Before the number of an image and of its mask, where this is what their names share."""

_MAX_VALUES = 256

_SHAPE_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class ImageMask:
    """A mask in an image file; ``name``: for errors; ``image``: the size of the image it is of."""

    path: Path
    name: str
    classes: MaskClasses
    image: ImageSize

    def read(self, size: Size) -> NDArray[np.uint8]:
        """Return the mask as uint8 [height, width]; one of another size but shape is scaled.

        Raises:
            DatasetError: it cannot be read, is of another shape, or has values of no class.
        """
        mask, unknown = self.classes.apply(read_values(self.path, self.name))
        if unknown:
            values = ", ".join(map(str, unknown))
            raise DatasetError(
                f"the values {', '.join(map(str, sorted(self.classes.indices)[:10]))} in masks",
                f"{values} in {self.name}",
                "save it as PNG without smoothing, or add the class to the list of classes",
                code="mask-values",
            )
        if self.image.orientation >= 5 and mask.shape[::-1] == self.image.stored != size:
            mask = turn_upright(mask, self.image.orientation)
        across, down = mask.shape[1] * size[1], mask.shape[0] * size[0]
        if abs(across - down) > _SHAPE_TOLERANCE * max(across, down):
            raise DatasetError(
                f"a mask of {size[0]} x {size[1]} pixels, as its image",
                f"{self.name} of {mask.shape[1]} x {mask.shape[0]}",
                "export the mask again at the size of the image",
                code="mask-size",
            )
        if mask.shape[::-1] == size:
            return mask
        return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def pairs(files: FileTree) -> list[tuple[ImageEntry, ImageEntry]]:
    """Return each image that has a mask, and the mask, sorted by name."""
    masks: dict[str, ImageEntry] = {}
    images: list[tuple[str, ImageEntry]] = []
    for entry in files.images:
        key, is_mask = _key(entry.name)
        if is_mask:
            masks.setdefault(key, entry)
        else:
            images.append((key, entry))
    paired = [(image, masks[key]) for key, image in images if key in masks]
    if not paired:  # image_1.jpg and mask_1.png
        bare = {_without_prefix(key): entry for key, entry in masks.items()}
        keys = [(_without_prefix(key), image) for key, image in images]
        paired = [(image, bare[key]) for key, image in keys if key in bare]
    return sorted(paired, key=lambda pair: pair[0].name)


def list_masks(name: str, location: str, files: FileTree) -> MaskListing:
    """List images with their mask files; see :mod:`converters.dataset.mask_classes` for classes.

    Args:
        name: of the data set.
        location: its path, for errors.
        files: of the data set.

    Raises:
        DatasetError: no image has a mask, the classes are not known, or there is a split without
            images to train on.
    """
    paired = pairs(files)
    problems: defaultdict[str, list[str]] = defaultdict(list)
    present: list[frozenset[int]] = []
    kept: list[tuple[ImageEntry, ImageEntry, ImageSize]] = []
    for image, mask in paired:
        size = read_size(image.path)
        if size is None:
            problems["images-unreadable"].append(image.name)
            continue
        try:
            values = _present(read_values(mask.path, mask.name))
        except DatasetError:
            problems["masks-unreadable"].append(mask.name)
            continue
        if mask.path.suffix.lower() in JPEG.suffixes:
            problems["masks-lossy"].append(mask.name)
        present.append(frozenset(values.tolist()) if len(values) <= _MAX_VALUES else frozenset())
        kept.append((image, mask, size))
    if not kept:
        raise DatasetError(
            "images with masks, in images/ and masks/ under the same names",
            f"none that can be read in {location}",
            "save the masks as PNG",
            code="masks-missing",
        )
    classes = read_classes(files, present)
    folders = [part for image, _, _ in kept for part in image.name.split("/")[:-1]]
    subsets = given_splits.subsets_of(folders, ())
    sets = given_splits.image_sets(files, "Segmentation")
    splits = [
        sets.get(PurePosixPath(image.name).stem) or given_splits.of_folders(image.name, subsets)
        for image, _, _ in kept
    ]
    has_split = given_splits.check(location, splits)
    listed = []
    for (image, mask, size), split in zip(kept, splits, strict=True):
        if has_split and split is None:
            problems["images-outside-split"].append(image.name)
            continue
        source = ImageMask(mask.path, mask.name, classes, size)
        listed.append(
            MaskedFile(image.path, image.name, split if has_split else None, source, size.upright)
        )
    used = {entry.name for pair in paired for entry in pair}
    problems["images-unlabeled"] = [
        entry.name for entry in files.images if entry.name not in used and not _key(entry.name)[1]
    ]
    return MaskListing(
        name,
        tuple(listed),
        classes.names,
        tuple(sorted(other for other in files.others if other != classes.used)),
        tuple(finding(kind, problems[kind], text) for kind, text in _TEXTS if problems[kind]),
    )


_TEXTS = (
    ("images-unreadable", "Left out {image} that cannot be read"),
    ("masks-unreadable", "Left out the images of {mask} that cannot be read"),
    ("masks-lossy", "Took values of {blurred JPEG mask} as 0 or 255"),
    ("images-outside-split", "Left out {image} in no subset of the given split"),
    ("images-unlabeled", "Left out {image} without a mask"),
)


def _without_prefix(key: str) -> str:
    folder, slash, stem = key.rpartition("/")
    return f"{folder}{slash}{_PREFIX.sub('', stem)}"


def _present(values: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the different values of a mask."""
    if values.max(initial=0) < COLOR:
        return np.flatnonzero(np.bincount(values.ravel()))
    return np.unique(values).astype(np.int64)


def _key(name: str) -> tuple[str, bool]:
    """Return what an image and its mask have in common, and whether this is a mask."""
    *folders, last = name.split("/")
    stem = PurePosixPath(last).stem
    is_mask = False
    kept = []
    for folder in folders:
        words = [word for word in re.split(r"[_\-\s]+", folder) if word]
        lower = [word.lower() for word in words]
        if _INSTANCES in lower:
            return f"{name}\0", True  # masks of single objects, not of classes
        is_mask |= any(word in _MASK_WORDS for word in lower)
        rest = [word for word in lower if word not in _MASK_WORDS | _IMAGE_WORDS]
        if rest:
            kept.append(" ".join(rest))
    bare = (_SUFFIX if is_mask else _BESIDE).sub("", stem)
    if is_mask or bare != stem:
        return "/".join([*kept, bare]), True
    return "/".join([*kept, stem]), False
