"""Split: training, validation and test sides, stratified, seeded, duplicates together."""

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
"""Sides of an own split, as shares of each class."""

SPLITS = tuple(FRACTIONS)
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """Indices into ``Dataset.images``, int64, each sorted; no image is on two sides.

    ``given`` says that the data set came with its own split.
    """

    train: Indices
    validation: Indices
    test: Indices
    seed: int
    given: bool

    def to_dict(self, dataset: Dataset) -> dict[str, Any]:
        """The split by content: ``{"seed", "given", "fractions", side: [sha256, …] sorted}``.

        ``fractions`` is None for a given split.
        """
        return {
            "seed": self.seed,
            "given": self.given,
            "fractions": None if self.given else dict(FRACTIONS),
            **{
                side: sorted(dataset.images[i].digest for i in getattr(self, side))
                for side in SPLITS
            },
        }


def split(dataset: Dataset, seed: int) -> Split:
    """Put every usable image on one side.

    Own split: 70/15/15 of each class (at least one image of each class on each side), by the
    order of a seeded hash of the images' contents, duplicates (``Dataset.groups``) as one.
    The same images are split the same way whatever their names and order, and where images
    are added, only those at the borders of the sides move.

    Given split: kept as it is. A missing validation (or test) side is taken from the training
    side in the same way. Of duplicates on several sides only those on the test side stay (else
    those on the validation side), so that the test stays as given and honest; the others are on
    no side.

    Raises:
        DatasetError: a class has too few different images for its sides.
    """
    keys = _unit_keys(dataset, seed)
    words = {image.split for image in dataset.images}
    if not words & {"validation", "test"}:
        chosen = _draw(dataset, keys, np.arange(len(dataset.images)), ("test", "validation"))
        return _split(chosen, seed, given=False)
    sides = _given_splits(dataset)
    for side in ("test", "validation"):
        if not len(sides[side]):
            sides |= _draw(dataset, keys, sides["train"], (side,))
    _check_train(dataset, sides["train"])
    return _split(sides, seed, given=True)


def from_dict(record: Mapping[str, Any], dataset: Dataset) -> Split:
    """The split that :meth:`Split.to_dict` recorded, on the same images read again.

    Images added since are on no side.

    Raises:
        DatasetError: a recorded image is missing.
    """
    places: dict[str, list[int]] = {}
    for index, image in enumerate(dataset.images):
        places.setdefault(image.digest, []).append(index)
    wanted = {side: Counter(record[side]) for side in SPLITS}
    there = Counter(image.digest for image in dataset.images)
    missing = sum((digests - there).total() for digests in wanted.values())
    if missing:
        raise DatasetError(
            "the images of the recorded split",
            f"{missing} of {sum(digests.total() for digests in wanted.values())} missing or "
            f"changed in {dataset.name}",
            "pass the dataset that the model was trained on",
            code="split-images-missing",
        )

    def recorded(side: str) -> list[int]:  # of equal files, those that were filed on this side
        def elsewhere(index: int) -> bool:
            return dataset.images[index].split != side

        return [
            index
            for digest, count in wanted[side].items()
            for index in sorted(places[digest], key=elsewhere)[:count]
        ]

    chosen = {side: np.array(recorded(side), np.int64) for side in SPLITS}
    return _split(chosen, int(record["seed"]), given=bool(record["given"]))


def _split(sides: Mapping[str, Indices], seed: int, given: bool) -> Split:
    ordered = {side: np.sort(np.asarray(sides[side], np.int64)) for side in SPLITS}
    return Split(**ordered, seed=seed, given=given)


def _unit_keys(dataset: Dataset, seed: int) -> dict[int, str]:
    """For every group a seeded hash of its smallest digest: the order in which it is drawn."""
    smallest: dict[int, str] = {}
    for group, image in zip(dataset.groups.tolist(), dataset.images, strict=True):
        smallest[group] = min(smallest.get(group, image.digest), image.digest)
    return {
        group: hashlib.sha256(f"{seed}:{digest}".encode()).hexdigest()
        for group, digest in smallest.items()
    }


def _draw(
    dataset: Dataset, keys: Mapping[int, str], pool: Indices, wanted: tuple[str, ...]
) -> dict[str, Indices]:
    """Draw the ``wanted`` sides from ``pool``, class by class; the rest is "train"."""
    drawn: dict[str, list[int]] = {side: [] for side in (*wanted, "train")}
    rest = FRACTIONS["train"] + sum(FRACTIONS[side] for side in wanted)
    for label, name in enumerate(dataset.classes):
        members = pool[dataset.labels[pool] == label]
        units: dict[int, list[int]] = {}
        for index in members.tolist():
            units.setdefault(int(dataset.groups[index]), []).append(index)
        ordered = [units[group] for group in sorted(units, key=keys.__getitem__)]
        if len(members) and len(ordered) <= len(wanted):
            raise DatasetError(
                f"at least {len(wanted) + 1} distinct images of {name!r} to draw the "
                f"{' and '.join(wanted)} subset{'s' if len(wanted) > 1 else ''} from",
                f"{len(ordered)} ({len(members)} with duplicates)",
                "add images that are not copies of each other",
                code="class-too-small",
            )
        for later, side in zip(range(len(wanted), 0, -1), wanted, strict=True):
            target = max(1, round(len(members) * FRACTIONS[side] / rest))
            taken, ordered = _take(ordered, target, leave=later) if len(members) else ([], [])
            drawn[side] += _flat(taken)
        drawn["train"] += _flat(ordered)
    return {side: np.array(indices, np.int64) for side, indices in drawn.items()}


def _take(
    units: list[list[int]], target: int, leave: int
) -> tuple[list[list[int]], list[list[int]]]:
    """The first units that fit into ``target`` images, at least one, and the rest.

    ``leave``: as many stay at least.
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
    """The sides as given, without what has a duplicate on a side that counts more."""
    rank = {"test": 0, "validation": 1, "train": 2}
    best: dict[int, int] = {}
    ranks = [rank[image.split or "train"] for image in dataset.images]
    for group, place in zip(dataset.groups.tolist(), ranks, strict=True):
        best[group] = min(best.get(group, place), place)
    sides: dict[str, list[int]] = {side: [] for side in SPLITS}
    for index, (group, place) in enumerate(zip(dataset.groups.tolist(), ranks, strict=True)):
        if place == best[group]:
            sides[list(rank)[place]].append(index)
    return {side: np.array(indices, np.int64) for side, indices in sides.items()}


def _check_train(dataset: Dataset, train: Indices) -> None:
    present = set(dataset.labels[train].tolist())
    for label, name in enumerate(dataset.classes):
        if label not in present:
            raise DatasetError(
                f"training images of {name!r}",
                "none (except copies of validation or test images)",
                f"add images of {name!r} to the train subset",
                code="class-without-training-images",
            )
