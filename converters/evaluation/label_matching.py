"""Matching of a model's classes with those of a data set, by name."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import LabelsError, UsageError, did_you_mean
from edge.modelfile.labels import BACKGROUND, is_background
from edge.quantities import counted

_LISTED = 6
"""Names that a note or an error lists."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelMatch:
    """Classes that a model and a data set share.

    Attributes:
        classes: their names, in the data set's words and order.
        of_model: int64, index into ``classes`` by index of the model, -1 for other classes.
        of_dataset: int64, the same by index of the data set.
        notes: sentences about classes that only one of them has.
    """

    classes: tuple[str, ...]
    of_model: NDArray[np.int64]
    of_dataset: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    @property
    def background(self) -> int | None:
        """Index of the background, None where there is none."""
        return next((i for i, name in enumerate(self.classes) if is_background(name)), None)

    def keep(self, classes: Sequence[str]) -> "LabelMatch":
        """Return the match of fewer classes; all others count as not shared.

        Raises:
            LabelsError: none is left, or only the background.
        """
        kept = [index for index, name in enumerate(self.classes) if name in classes]
        if len(kept) == len(self.classes):
            return self
        names = tuple(self.classes[index] for index in kept)
        if all(map(is_background, names)):
            raise _nothing_shared(self.classes, tuple(classes))
        table = np.full(len(self.classes) + 1, -1, np.int64)  # -1 stays -1: it is the last entry
        table[kept] = np.arange(len(kept))
        return LabelMatch(names, table[self.of_model], table[self.of_dataset], self.notes)


def match_labels(
    model: Sequence[str], dataset: Sequence[str], renames: Mapping[str, str] | None = None
) -> LabelMatch:
    """Match classes by name; case, underscores, hyphens and spaces make no difference.

    A label of the model with commas, as ImageNet's "tabby, tabby cat", matches by any of its
    parts. Several classes of the model may match the same class of the data set.

    Args:
        model: the model's labels by index.
        dataset: the data set's classes by index.
        renames: other names, of classes of either side.

    Raises:
        UsageError: neither side has a class to be renamed.
        LabelsError: no class is in both, or only the background.
    """
    given = {_key(old): new for old, new in (renames or {}).items()}
    _check_renames(renames or {}, model, dataset)
    named = [given.get(_key(name), name) for name in dataset]
    index: dict[str, int] = {}
    for name in named:
        index.setdefault(_key(name), len(index))
    matched = [_find(given.get(_key(label), label), index) for label in model]
    shared = sorted({at for at in matched if at is not None})
    names = {at: next(name for name in named if index[_key(name)] == at) for at in shared}
    if all(is_background(name) for name in names.values()):
        raise _nothing_shared(model, dataset)
    position = {at: place for place, at in enumerate(shared)}
    of_model = [-1 if at is None else position[at] for at in matched]
    of_dataset = [position.get(index[_key(name)], -1) for name in named]
    return LabelMatch(
        classes=tuple(names.values()),
        of_model=np.array(of_model, np.int64),
        of_dataset=np.array(of_dataset, np.int64),
        notes=tuple(_notes(model, dataset, of_model, of_dataset)),
    )


def parse_renames(pairs: Iterable[str]) -> dict[str, str]:
    """Read "old=new" pairs.

    Raises:
        UsageError: one is no such pair.
    """
    renames = {}
    for pair in pairs:
        old, equals, new = (part.strip() for part in pair.partition("="))
        if not (old and equals and new):
            raise UsageError(
                "--map old=new", f"--map {pair}", "use --map car=vehicle", code="invalid-label-map"
            )
        renames[old] = new
    return renames


def _key(name: str) -> str:
    if is_background(name):
        return BACKGROUND
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def _find(label: str, index: Mapping[str, int]) -> int | None:
    keys = [_key(label), *map(_key, label.split(","))]
    return next((index[key] for key in keys if key in index), None)


def _check_renames(
    renames: Mapping[str, str], model: Sequence[str], dataset: Sequence[str]
) -> None:
    known = {_key(name) for name in (*model, *dataset)}
    for old, new in renames.items():
        if _key(old) not in known:
            fix = did_you_mean(old, (*dataset, *model), f"choose from {_some(dataset)}")
            raise UsageError(
                "a class of the model or the dataset before the =",
                f"--map {old}={new}",
                fix,
                code="unknown-class",
            )


def _notes(
    model: Sequence[str],
    dataset: Sequence[str],
    of_model: Sequence[int],
    of_dataset: Sequence[int],
) -> Iterable[str]:
    missing = [name for name, at in zip(dataset, of_dataset, strict=True) if at < 0]
    if missing:
        yield (
            f"the model lacks {counted(len(missing), 'class')} of the dataset, left out: "
            f"{_some(missing)}; name others with --map old=new"
        )
    others = [name for name, at in zip(model, of_model, strict=True) if at < 0]
    if others and len(others) < len(model):
        yield f"the dataset lacks {counted(len(others), 'class')} of the model: {_some(others)}"


def _some(names: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(name.split(",")[0] for name in names))
    more = f" and {len(distinct) - _LISTED} more" if len(distinct) > _LISTED else ""
    return f"{', '.join(distinct[:_LISTED])}{more}"


def _nothing_shared(model: Sequence[str], dataset: Sequence[str]) -> LabelsError:
    return LabelsError(
        "a class that both the model and the dataset have",
        f"{_some(model) or 'no labels'} in the model, {_some(dataset)} in the dataset",
        "name pairs with --map old=new, or the model's classes with --labels FILE",
        code="no-common-label",
        summary=f"the model ({_some(model) or 'no labels'}) and the dataset ({_some(dataset)}) "
        "have no class in common",
    )
