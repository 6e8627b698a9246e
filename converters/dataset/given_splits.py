"""Splits of a labeled data set, from the names of its folders and files of labels."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from converters.dataset import label_files, split_names
from converters.dataset.entries import FileTree
from edge.errors import DatasetError

_ORDER = ("test", "validation", "train")
"""An image in several subsets is in the first of these, so that nothing is trained on it."""

_SETS = {"train": "train", "val": "validation", "test": "test", "trainval": "train"}
"""Lists in Pascal VOC's ImageSets, and the subset of an image in no list before."""


def is_image_set(name: str) -> bool:
    """Check for one of Pascal VOC's lists of the images of a subset."""
    path = PurePosixPath(name)
    return path.suffix == ".txt" and path.stem in _SETS and "ImageSets" in path.parts


def image_sets(files: FileTree, task: str) -> dict[str, str]:
    """Return the subset of each image, by its stem, from the lists in ImageSets/``task``.

    Raises:
        DatasetError: a list cannot be read.
    """
    splits: dict[str, str] = {}
    for stem, subset in _SETS.items():
        for name, path in sorted(files.labels.items()):
            parts = PurePosixPath(name).parts
            if is_image_set(name) and PurePosixPath(name).stem == stem and task in parts:
                text = label_files.read_text(path, name, label_files.MAX_TABLE)
                for line in text.splitlines():
                    if line.strip():
                        splits.setdefault(PurePosixPath(line.split()[0]).stem, subset)
    return splits


def subsets_of(folders: Iterable[str], words: Iterable[str]) -> dict[str, str]:
    """Return the subset of each name that means one.

    Args:
        folders: names of folders; those with other words than a subset's mean none.
        words: what files of labels call their split, such as instances_train2017.
    """
    parsed = {folder: split_names.parse(folder) for folder in set(folders)}
    pure = {folder for folder, name in parsed.items() if name is not None and not name.rest}
    return split_names.subsets(pure | set(words))


def of_folders(name: str, subsets: Mapping[str, str]) -> str | None:
    """Return the subset of a file by its outermost folder that means one."""
    return next((subsets[part] for part in name.split("/")[:-1] if part in subsets), None)


def first(given: Iterable[str | None]) -> str | None:
    """Return the subset of an image that is in several."""
    present = set(given)
    return next((subset for subset in _ORDER if subset in present), None)


def check(location: str, splits: Iterable[str | None]) -> bool:
    """Return whether the data set has a split: images in more than one subset.

    Raises:
        DatasetError: it has, without a training split.
    """
    present = {split for split in splits if split is not None}
    if len(present) < 2:
        return False
    if "train" not in present:
        raise DatasetError(
            "a training split beside the others",
            f"only {' and '.join(sorted(present))} in {location}",
            "add the images to train on, in a folder train/",
            code="train-split-missing",
        )
    return True
