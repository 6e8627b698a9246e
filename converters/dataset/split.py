"""Stratified, seeded split into training, validation and test, duplicates kept together."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from edge.errors import DatasetError

FRACTIONS = {"train": 0.7, "validation": 0.15, "test": 0.15}
"""Subsets of an automatic split, as shares of each class."""

SPLITS = tuple(FRACTIONS)
Indices = NDArray[np.int64]


CALIBRATION_IMAGES = 96
"""An image costs about 20 ms at 224 pixels on one core."""


@dataclass(frozen=True, slots=True)
class Split:
    """Indices into ``Dataset.images``, int64, each sorted; the subsets are disjoint.

    ``given``: the data set came with a split.
    """

    train: Indices
    validation: Indices
    test: Indices
    seed: int
    given: bool

    def to_dict(self, dataset: Dataset) -> dict[str, Any]:
        """Return the split by content: "seed", "given", "fractions" and sha256 lists per subset.

        The lists are sorted; ``fractions`` is None for a given split.
        """
        return {
            "seed": self.seed,
            "given": self.given,
            "fractions": None if self.given else dict(FRACTIONS),
            **{
                subset: sorted(dataset.images[i].digest for i in getattr(self, subset))
                for subset in SPLITS
            },
        }


def split(dataset: Dataset, seed: int) -> Split:
    """Assign every usable image to a subset.

    Automatic split: 70/15/15 of each class (at least one image of each class per subset), in the
    order of a seeded hash of the images' contents, with duplicates (``Dataset.groups``) as a unit.
    The same images are split the same way regardless of their names and order, and where images
    are added, only those at the borders of the subsets move.

    Where not every class has to be in every subset, one with too few images is trained on.

    Given split: kept as it is. A missing validation (or test) subset is drawn from the training
    subset in the same way. Of duplicates in several subsets only those in the test subset stay
    (else those in the validation subset), so that the test stays as given and honest; the others
    are in no subset.

    Args:
        dataset: the images, with their given splits.
        seed: of the automatic split.

    Raises:
        DatasetError: a class has too few distinct images for its subsets.
    """
    keys = _unit_keys(dataset, seed)
    given = {image.split for image in dataset.images}
    if not given & {"validation", "test"}:
        chosen = _draw(dataset, keys, np.arange(len(dataset.images)), ("test", "validation"))
        return _split(chosen, seed, given=False)
    subsets = _given_splits(dataset)
    for subset in ("test", "validation"):
        if not len(subsets[subset]):
            subsets |= _draw(dataset, keys, subsets["train"], (subset,))
    _check_train(dataset, subsets["train"])
    return _split(subsets, seed, given=True)


def from_dict(record: Mapping[str, Any], dataset: Dataset) -> Split:
    """Restore the split that :meth:`Split.to_dict` recorded, on the same images.

    Images added since are in no subset.

    Raises:
        DatasetError: a recorded image is missing.
    """
    indices: dict[str, list[int]] = {}
    for index, image in enumerate(dataset.images):
        indices.setdefault(image.digest, []).append(index)
    recorded = {subset: Counter(record[subset]) for subset in SPLITS}
    present = Counter(image.digest for image in dataset.images)
    missing = sum((digests - present).total() for digests in recorded.values())
    if missing:
        raise DatasetError(
            "the images of the recorded split",
            f"{missing} of {sum(digests.total() for digests in recorded.values())} missing or "
            f"changed in {dataset.name}",
            "pass the dataset that the model was trained on",
            code="split-images-missing",
        )

    def members(subset: str) -> list[int]:  # of identical files, first those given for it
        def is_elsewhere(index: int) -> bool:
            return dataset.images[index].split != subset

        return [
            index
            for digest, count in recorded[subset].items()
            for index in sorted(indices[digest], key=is_elsewhere)[:count]
        ]

    chosen = {subset: np.array(members(subset), np.int64) for subset in SPLITS}
    return _split(chosen, int(record["seed"]), given=bool(record["given"]))


def _split(subsets: Mapping[str, Indices], seed: int, given: bool) -> Split:
    ordered = {subset: np.sort(np.asarray(subsets[subset], np.int64)) for subset in SPLITS}
    return Split(**ordered, seed=seed, given=given)


def _unit_keys(dataset: Dataset, seed: int) -> dict[int, str]:
    """Return for every group a seeded hash of its smallest digest, which orders the drawing."""
    smallest: dict[int, str] = {}
    for group, image in zip(dataset.groups.tolist(), dataset.images, strict=True):
        smallest[group] = min(smallest.get(group, image.digest), image.digest)
    return {
        group: hashlib.sha256(f"{seed}:{digest}".encode()).hexdigest()
        for group, digest in smallest.items()
    }


def _draw(
    dataset: Dataset, keys: Mapping[int, str], pool: Indices, subsets: tuple[str, ...]
) -> dict[str, Indices]:
    """Draw ``subsets`` from ``pool``, class by class; the rest is "train"."""
    drawn: dict[str, list[int]] = {subset: [] for subset in (*subsets, "train")}
    rest = FRACTIONS["train"] + sum(FRACTIONS[subset] for subset in subsets)
    for label in np.unique(dataset.labels).tolist():
        members = pool[dataset.labels[pool] == label]
        units: dict[int, list[int]] = {}
        for index in members.tolist():
            units.setdefault(int(dataset.groups[index]), []).append(index)
        ordered = [units[group] for group in sorted(units, key=keys.__getitem__)]
        if len(members) and len(ordered) <= len(subsets):
            if not dataset.every_class:
                drawn["train"] += _flat(ordered)
                continue
            name = dataset.classes[label]
            raise DatasetError(
                f"at least {len(subsets) + 1} distinct images of {name!r} to draw the "
                f"{' and '.join(subsets)} subset{'s' if len(subsets) > 1 else ''} from",
                f"{len(ordered)} ({len(members)} with duplicates)",
                "add images that are not copies of each other",
                code="class-too-small",
            )
        for later, subset in zip(range(len(subsets), 0, -1), subsets, strict=True):
            target = max(1, round(len(members) * FRACTIONS[subset] / rest))
            taken, ordered = _take(ordered, target, leave=later) if len(members) else ([], [])
            drawn[subset] += _flat(taken)
        drawn["train"] += _flat(ordered)
    return {subset: np.array(indices, np.int64) for subset, indices in drawn.items()}


def _take(
    units: list[list[int]], target: int, leave: int
) -> tuple[list[list[int]], list[list[int]]]:
    """Take the first units that fit into ``target`` images, at least one, and return the rest.

    ``leave``: minimum number of units in the rest.
    """
    taken: list[list[int]] = []
    rest: list[list[int]] = []
    size = 0
    for unit in units:
        fits = len(taken) < len(units) - leave and size + len(unit) <= target
        (taken if fits else rest).append(unit)
        size += len(unit) if fits else 0
    if taken:
        return taken, rest
    smallest = min(units, key=len)
    return [smallest], [unit for unit in units if unit is not smallest]


def _flat(units: Iterable[list[int]]) -> list[int]:
    return [index for unit in units for index in unit]


def _given_splits(dataset: Dataset) -> dict[str, Indices]:
    """Return the given subsets, without images that have a duplicate in a more important one."""
    rank = {"test": 0, "validation": 1, "train": 2}
    best: dict[int, int] = {}
    ranks = [rank[image.split or "train"] for image in dataset.images]
    for group, own in zip(dataset.groups.tolist(), ranks, strict=True):
        best[group] = min(best.get(group, own), own)
    subsets: dict[str, list[int]] = {subset: [] for subset in SPLITS}
    for index, (group, own) in enumerate(zip(dataset.groups.tolist(), ranks, strict=True)):
        if own == best[group]:
            subsets[list(rank)[own]].append(index)
    return {subset: np.array(indices, np.int64) for subset, indices in subsets.items()}


def _check_train(dataset: Dataset, train: Indices) -> None:
    if not len(train):
        raise DatasetError(
            "training images",
            "none (except copies of validation or test images)",
            "add images to the train subset",
            code="no-training-images",
        )
    if not dataset.every_class:
        return
    present = set(dataset.labels[train].tolist())
    for label, name in enumerate(dataset.classes):
        if label not in present:
            raise DatasetError(
                f"training images of {name!r}",
                "none (except copies of validation or test images)",
                f"add images of {name!r} to the train subset",
                code="class-without-training-images",
            )


def draw_calibration(
    dataset: Dataset, split: Split, seed: int, size: int = CALIBRATION_IMAGES
) -> Indices:
    """Draw the images from which int8 takes the range of every activation.

    They come from the training split, the same number of each class: classes take turns until
    ``size`` images are drawn or none is left. A class with few images gives all it has; with more
    classes than ``size``, ``size`` of the classes give one image each. A class gives its images in
    the order of a seeded hash of their contents, so that an added image replaces at most one.

    Args:
        dataset: the images.
        split: of them.
        seed: of the choice.
        size: number of images.

    Returns:
        int64 [n], n ≤ size, in the order drawn (classes mixed).
    """
    rng = np.random.default_rng([seed, 0xCA11])  # a stream of its own, apart from other stages
    given = dataset.labels[split.train]

    def key(index: int) -> str:
        content = f"{seed}:calibration:{dataset.images[index].digest}"
        return hashlib.sha256(content.encode()).hexdigest()

    queues = [sorted(split.train[given == c].tolist(), key=key) for c in np.unique(given)]
    rounds = max((len(queue) for queue in queues), default=0)
    drawn = [
        queues[c][turn]
        for turn in range(min(rounds, size))
        for c in rng.permutation(len(queues))
        if turn < len(queues[c])
    ]
    return np.array(drawn[:size], np.int64)
