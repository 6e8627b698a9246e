"""Class folders: class and split of each image from the names of its folders."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from converters.dataset import lost_classes
from converters.dataset.entries import ARCHIVE_SUFFIXES, ImageEntry
from converters.dataset.listing import LabeledFile, Listing, class_name
from converters.dataset.split_folders import ClassRoot, Parts, class_roots
from edge.errors import DatasetError
from edge.image_format import PHOTOS_TO_CONVERT, SUFFIXES
from edge.quantities import counted

EXAMPLE = "photos/cat/1.jpg and photos/dog/2.jpg"

_TEACHABLE_SEPARATOR = "-!-"
"""Separator in the image names of a Teachable Machine project: ``CLASS-!-NUMBER.jpg``."""

_UNLABELED = frozenset({"unknown", "unlabeled", "unlabelled", "all", "none", "0"})
"""Names of the one folder that some tools want around test images without labels."""


_TO_REPORT = (None, *PHOTOS_TO_CONVERT)
"""Formats of images that belong to the data set: they are read, or reported as broken."""


def label_by_folder(
    name: str, location: str, images: Sequence[ImageEntry], others: Iterable[str]
) -> Listing:
    """Label every image by its class folder.

    Folders around the class folders are skipped. The top folders are the classes, or the splits
    where all of them are called so (``train``, ``Training Set``, ``seg_train``, ``dev``, ...) and
    there are at least two; then the class folders are below them. Images of a split in no class
    folder have no label and are ignored.

    Args:
        name: of the data set.
        location: its path, for errors.
        images: all its images.
        others: names of its other files, and of its empty folders with a '/' at the end.

    Raises:
        DatasetError: there are no images or no class folders, a class has no image that can be
            read, or it is not clear which folders are classes.
    """
    others = list(others)
    if not images:
        raise _no_images(location, others)
    paths = [tuple(image.name.split("/")) for image in images]
    depth = _wrapping_depth(paths)
    if _is_teachable(paths, depth):
        sources = [_teachable(image) for image in images]
    else:
        inner = class_roots([path[depth:] for path in paths], location)
        roots = [root.below(paths[0][:depth]) for root in inner]
        sources = _sources(images, paths, roots)
        labels = {source.label for source in sources}
        lost_classes.check_folders(location, {root.parent for root in roots}, others, labels)
    if not sources:
        raise DatasetError(
            f"one folder per class ({EXAMPLE})",
            f"{counted(len(images), 'image')} in {location}, none of them in a class folder",
            "create a folder for each class and move the images into them",
            code="class-folders-missing",
        )
    lost_classes.check_formats(location, sources, images)
    # Camera raw beside JPEG, drawings and the like are other files.
    copies = {image.path for image in images if image.unreadable not in _TO_REPORT}
    sources = [source for source in sources if source.path not in copies]
    used = {source.path for source in sources}
    unused = [image.name for image in images if image.path not in used]
    return Listing(
        name=name,
        images=tuple(sorted(sources, key=lambda source: source.name)),
        classes=tuple(sorted({source.label for source in sources})),
        ignored=tuple(sorted([*others, *unused])),
    )


def _wrapping_depth(paths: Sequence[Parts]) -> int:
    """Count the folders around the class (or split) folders, e.g. 1 for photos/photos/cat."""
    depth = 0
    while len({parts[depth] for parts in paths}) == 1:
        if _is_teachable(paths, depth + 1):
            return depth + 1
        if any(len(parts) < depth + 3 for parts in paths):  # images are directly inside: a class
            return depth
        depth += 1
    return depth


def _is_teachable(paths: Sequence[Parts], depth: int) -> bool:
    return all(len(parts) == depth + 1 and _TEACHABLE_SEPARATOR in parts[depth] for parts in paths)


def _teachable(image: ImageEntry) -> LabeledFile:
    label = PurePosixPath(image.name).name.rsplit(_TEACHABLE_SEPARATOR, 1)[0]
    return LabeledFile(image.path, image.name, class_name(label))


def _sources(
    images: Sequence[ImageEntry], paths: Sequence[Parts], roots: Sequence[ClassRoot]
) -> list[LabeledFile]:
    """Label the images below the roots; other splits follow the training split's spelling."""
    training = [root for root in roots if root.split in (None, "train")]
    trained = {label for root in training for path in paths if (label := root.label(path))}
    folded = Counter(label.casefold() for label in trained)
    spelling = {label.casefold(): label for label in trained if folded[label.casefold()] == 1}
    sources = []
    for root in roots:
        labels = [root.label(path) for path in paths]
        if root not in training and _is_unlabeled({label for label in labels if label}, trained):
            continue
        sources += [
            LabeledFile(
                image.path,
                image.name,
                label if label in trained else spelling.get(label.casefold(), label),
                root.split,
            )
            for image, label in zip(images, labels, strict=True)
            if label
        ]
    return sources


def _is_unlabeled(labels: set[str], trained: set[str]) -> bool:
    """Check for one folder around all images of a split, which is called so and is no class."""
    return len(labels) == 1 and not labels & trained and labels.pop().lower() in _UNLABELED


def _no_images(location: str, others: list[str]) -> DatasetError:
    contents, fix = f"no files in {location}", "pass the folder that contains the class folders"
    if others:
        contents = f"no images in {location} ({counted(len(others), 'entry')}, such as {others[0]})"
    packed = [name for name in others if PurePosixPath(name).suffix.lower() in ARCHIVE_SUFFIXES]
    if packed:
        fix = f"unpack {packed[0]}, or pass it instead of the folder"
    return DatasetError(
        f"images ({', '.join(sorted(SUFFIXES))}) in one folder per class, such as {EXAMPLE}",
        contents,
        fix,
        code="no-images",
    )
