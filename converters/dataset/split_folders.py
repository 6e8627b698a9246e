"""Which folders contain the class folders: one, or one for each split."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from converters.dataset import split_names
from converters.dataset.listing import class_name
from converters.dataset.split_names import SplitName
from edge.errors import DatasetError

Parts = tuple[str, ...]
"""The parts of a path."""


@dataclass(frozen=True, slots=True)
class ClassRoot:
    """A folder whose subfolders are classes, and the split that it is, if any.

    ``of_class``: it is a split of this class instead, as in cat/train and cat/test.
    """

    parts: Parts
    split: str | None = None
    of_class: str | None = None

    @property
    def parent(self) -> Parts:
        """The folder of the class folders."""
        return self.parts if self.of_class is None else self.parts[:-2]

    def label(self, path: Parts) -> str | None:
        """Return the class of a file, or None where it is in no class folder below."""
        depth = len(self.parts)
        if path[:depth] != self.parts or len(path) <= depth:
            return None
        if self.of_class is not None:
            return self.of_class
        return class_name(path[depth]) if len(path) > depth + 1 else None

    def below(self, around: Parts) -> "ClassRoot":
        """Return the same folder seen from outside the folders ``around`` it."""
        return replace(self, parts=around + self.parts)


@dataclass(frozen=True, slots=True)
class _Top:
    """A top folder.

    ``root``: the folder in it that contains the class folders, if it is a split; ``flat``: images
    are directly there; ``name``: what its name says about a split.
    """

    root: Parts
    flat: bool
    name: SplitName | None

    @property
    def is_split(self) -> bool:
        """Whether it can be nothing but a split."""
        name = self.name
        return name is not None and not name.rest and not (self.flat and name.ambiguous)


def class_roots(paths: Sequence[Parts], location: str) -> list[ClassRoot]:
    """Find the folders of class folders.

    They are the splits where all top folders are called so and there are at least two, or all
    folders inside them, else the top itself. A folder around the others that says nothing, or
    repeats the name of its split, is skipped: ``dataset/train/train/cat``, ``test/images/cat``.

    Args:
        paths: the images'.
        location: path of the data set, for errors.

    Raises:
        DatasetError: some top folders are called as splits and others are not, or there is no
            training split.
    """
    inside: defaultdict[str, list[Parts]] = defaultdict(list)
    for top, *rest in paths:
        if rest:
            inside[top].append(tuple(rest))
    tops = {top: _top(top, files) for top, files in inside.items()}
    subsets = split_names.subsets(tops)
    if len(set(subsets.values())) > 1 and len(subsets) == len(tops):
        if _differ_in_split_only(tops):
            return _splits(tops, subsets, location)
        if _are_classes_with_splits(tops, subsets):
            raise _mixed(tops, location, "arrange the images as train/CLASS/ and test/CLASS/")
    if len(tops) == 1:
        ((name, only),) = tops.items()
        if not (split_names.is_filler(name) or (only.name is not None and not only.name.rest)):
            return [ClassRoot(())]
        if only.flat:
            return [ClassRoot(only.root)]
        depth = len(only.root)
        below = [path[depth:] for path in paths if path[:depth] == only.root]
        return [root.below(only.root) for root in class_roots(below, location)]
    splits = sorted(name for name, top in tops.items() if top.is_split)
    if splits:
        others = sorted(tops.keys() - splits)
        advice = f"move {splits[0]}/ elsewhere, or rename it if it is a class"
        if len(splits) > 1 and others:
            advice = (
                f"move {others[0]}/ elsewhere, or pass the folder that contains the class folders"
            )
        raise _mixed(tops, location, advice)
    return _splits_of_classes(inside) or [ClassRoot(())]


def _top(name: str, inside: list[Parts]) -> _Top:
    root: Parts = (name,)
    parsed = split_names.parse(name)
    while True:
        folders = {parts[0] for parts in inside if len(parts) > 1}
        if len(folders) != 1:
            break
        (folder,) = folders
        again = split_names.parse(folder)
        repeats = again is not None and parsed is not None and again.subset == parsed.subset
        if not (repeats or folder.lower() == name.lower() or split_names.is_filler(folder)):
            break
        root += (folder,)
        inside = [parts[1:] for parts in inside if len(parts) > 1]
    return _Top(root, not folders, parsed)


def _differ_in_split_only(tops: Mapping[str, _Top]) -> bool:
    """Check that the names have the same other words; images without classes may be called freely.

    True for seg_train, seg_test and seg_pred, and not for train station and test tube.
    """
    structured = [top for top in tops.values() if not top.flat] or list(tops.values())
    return len({top.name.rest for top in structured if top.name}) == 1


def _are_classes_with_splits(tops: Mapping[str, _Top], subsets: Mapping[str, str]) -> bool:
    """Check for folders such as cat_train, cat_test, dog_train and dog_test."""
    by_class: defaultdict[Parts, set[str]] = defaultdict(set)
    for name, top in tops.items():
        if top.name:
            by_class[top.name.rest].add(subsets[name])
    return any(len(splits) > 1 for splits in by_class.values())


def _splits(tops: Mapping[str, _Top], subsets: Mapping[str, str], location: str) -> list[ClassRoot]:
    if "train" not in subsets.values():
        raise DatasetError(
            "a train/ folder next to val/ and test/",
            f"only {', '.join(sorted(tops))} in {location}",
            "add train/ with one folder per class",
            code="train-split-missing",
        )
    return [ClassRoot(top.root, subsets[name]) for name, top in tops.items()]


def _splits_of_classes(inside: Mapping[str, Sequence[Parts]]) -> list[ClassRoot]:
    """Return the roots where each class has its own splits, as in cat/train and cat/test."""
    folders = {parts[0] for files in inside.values() for parts in files if len(parts) > 1}
    subsets = split_names.subsets(folders)
    flat = any(len(parts) == 1 for files in inside.values() for parts in files)
    if flat or len(subsets) < len(folders) or len(set(subsets.values())) < 2:
        return []
    return [
        ClassRoot((top, folder), subsets[folder], class_name(top))
        for top in inside
        for folder in sorted(folders)
    ]


def _mixed(tops: Mapping[str, _Top], location: str, advice: str) -> DatasetError:
    return DatasetError(
        "either class folders, or train/, val/ and test/ folders that contain them",
        f"both in {location}: {', '.join(sorted(tops))}",
        advice,
        code="class-and-split-folders-mixed",
    )
