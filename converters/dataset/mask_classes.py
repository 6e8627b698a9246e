"""Which values of mask files mean which classes: from a list beside them, else from the values.

Lists: classes.txt and the like (a name on each line, or a number before it), CVAT's labelmap.txt,
Roboflow's ``_classes.csv``, and class_dict.csv with the columns name, r, g, b.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from converters.dataset import label_files
from converters.dataset.annotations import VOID
from converters.dataset.entries import FileTree
from converters.dataset.formats import cells
from converters.dataset.label_files import number
from converters.dataset.listing import class_name
from converters.dataset.mask_files import COLOR
from edge.errors import DatasetError
from edge.quantities import counted

_LISTS = frozenset({
    "classes.txt", "class_names.txt", "labels.txt", "names.txt", "label_names.txt", "obj.names",
    "object_info.txt", "categories.txt",
})  # fmt: skip
_TABLES = frozenset({"_classes.csv", "classes.csv", "class_dict.csv", "class_dict_seg.csv"})
_LABEL_MAP = "labelmap.txt"
_NUMBERED = re.compile(r"(\d+)(?:\s*[:=,;]\s*|\s+)(.+)")
_VOID_NAMES = frozenset({"void", "ignore", "unlabeled", "__ignore__", "_ignore_", "ambiguous"})
_BACKGROUNDS = frozenset({"background", "_background_", "bg", "backgrounds"})

_MAX_UNNAMED = 64
"""Values in masks without a list; more are no classes."""

_COMMON = 0.05
"""Share of the masks in which a value without a name has to be."""

_VOID_ABOVE = 100
"""Below it, all other values are numbers of classes, so that 255 is void, not white."""


@dataclass(frozen=True, slots=True)
class MaskClasses:
    """``names``: of the classes; ``indices``: class of each value, ``VOID`` where it counts not.

    ``used``: name of the file that has the names.
    """

    names: tuple[str, ...]
    indices: Mapping[int, int]
    used: str | None = None

    def apply(self, values: NDArray[np.int32]) -> tuple[NDArray[np.uint8], tuple[int, ...]]:
        """Return the classes of pixels as uint8 of the same shape, and values that have none.

        Pixels with such values become ``VOID``; of these values, the first ten are returned.
        """
        known = np.array(sorted(self.indices), np.int32)
        classes = np.array([self.indices[value] for value in known.tolist()], np.uint8)
        places = np.minimum(np.searchsorted(known, values), len(known) - 1)
        is_known = known[places] == values
        unknown = () if is_known.all() else tuple(np.unique(values[~is_known])[:10].tolist())
        return np.where(is_known, classes[places], VOID).astype(np.uint8), unknown


def read_classes(files: FileTree, present: Iterable[frozenset[int]]) -> MaskClasses:
    """Return the classes of masks.

    Args:
        files: of the data set, among which a list of names is looked for.
        present: the values in each mask; empty where there are too many for a mask.

    Raises:
        DatasetError: colors have no names, there are more values than classes can be, or a list
            cannot be read.
    """
    masks = Counter(value for values in present for value in values)
    named = _named(files)
    if named is not None:
        name, by_value = named
        return _checked(_with_list(name, by_value, masks))
    at_least = _COMMON * max(1, max(masks.values(), default=1))
    values = sorted(value for value, count in masks.items() if count >= at_least)
    if any(value >= COLOR for value in values):
        raise DatasetError(
            "a list of the colors of the masks' classes",
            f"colored masks without one, such as {_text(values[-1])}",
            "write labelmap.txt beside the masks, with a line such as cat:128,0,0:: for each class",
            code="mask-colors-unnamed",
        )
    if not values or len(values) > _MAX_UNNAMED:
        raise DatasetError(
            "masks whose values are numbers of classes",
            f"{counted(len(values), 'value')} in {counted(len(masks), 'mask')}",
            "save the masks as indexed or gray PNG, and list the classes in classes.txt",
            code="mask-values",
        )
    return _checked(_without_list(values))


def _with_list(name: str, by_value: dict[int, str], masks: Mapping[int, int]) -> MaskClasses:
    """Return the classes of a list, to which a background is added where values show it is none."""
    numbers = [value for value in masks if value != VOID]
    one_name = len(by_value) == 1 or (
        len(by_value) == 2 and by_value.get(0, "").casefold() in _BACKGROUNDS
    )
    if 0 in by_value and by_value[0].casefold() not in _BACKGROUNDS:
        is_list = set(by_value) == set(range(len(by_value)))
        if is_list and (max(numbers, default=0) == len(by_value) or one_name):
            by_value = {0: "background"} | {at + 1: each for at, each in by_value.items()}
    white = one_name and set(masks) <= {0, VOID} and VOID in masks
    if white:
        by_value = {0: by_value.get(0, "background"), VOID: list(by_value.values())[-1]}
    kept = (each for each in by_value.values() if each.casefold() not in _VOID_NAMES)
    names = list(dict.fromkeys(kept))  # black has a color and, where all is gray, a number
    if len(names) >= VOID:
        return MaskClasses(tuple(names), {}, name)
    places = {each: at for at, each in enumerate(names)}
    indices = {value: places.get(each, VOID) for value, each in by_value.items()}
    indices.setdefault(VOID, VOID)
    return MaskClasses(tuple(names), indices, name)


def _without_list(values: list[int]) -> MaskClasses:
    others = [value for value in values if value != VOID]
    if VOID in values and (not others or max(others) >= _VOID_ABOVE or others == [0]):
        others = values
    names = [f"class {value}" for value in others]
    if 0 in others:
        names[others.index(0)] = "background"
        if len(others) == 2:
            names[1] = "foreground"
    indices = {value: at for at, value in enumerate(others)}
    indices.setdefault(VOID, VOID)
    return MaskClasses(tuple(names), indices)


def _checked(classes: MaskClasses) -> MaskClasses:
    if not 2 <= len(classes.names) < VOID:
        raise DatasetError(
            f"masks of 2 to {counted(VOID - 1, 'class')}",
            f"{counted(len(classes.names), 'class')} ({', '.join(classes.names[:3])})",
            "mark pixels of another class, such as the background",
            code="mask-classes-count",
        )
    return classes


def _text(value: int) -> str:
    color = value - COLOR
    return f"{color >> 16}, {color >> 8 & 255}, {color & 255} (red, green, blue)"


def _named(files: FileTree) -> tuple[str, dict[int, str]] | None:
    """Return the list of names nearest to the top, and its names by value."""
    for name in sorted(files.labels, key=lambda each: (each.count("/"), each)):
        own = PurePosixPath(name).name.lower()
        path = files.labels[name]
        if own in _TABLES:
            return name, _table(cells.read_rows(path, name), name)
        if own in _LISTS or own == _LABEL_MAP:
            text = label_files.read_text(path, name, label_files.MAX_TABLE)
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            return name, _label_map(lines, name) if own == _LABEL_MAP else _lines(lines, name)
    return None


def _lines(lines: list[str], name: str) -> dict[int, str]:
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    if lines and all(numbered):
        names = {int(match[1][:9]): class_name(match[2]) for match in numbered if match}
    else:
        names = {at: class_name(line) for at, line in enumerate(lines)}
    return _distinct(names, name)


def _label_map(lines: list[str], name: str) -> dict[int, str]:
    """Read CVAT's list: ``name:r,g,b:parts:actions``."""
    names: dict[int, str] = {}
    for line in lines:
        if not line.startswith("#"):
            label, _, rest = line.partition(":")
            color = _color(rest.split(":")[0].split(","))
            if color is None:
                raise _invalid(name, f"the line {line[:60]!r}")
            names[color] = class_name(label)
            if color == COLOR:
                names[0] = class_name(label)
    return _distinct(names, name)


def _table(rows: list[dict[str, str]], name: str) -> dict[int, str]:
    names: dict[int, str] = {}
    for row in rows:
        label = next(
            (row[key] for key in ("class", "name", "label", "class_name") if key in row), ""
        )
        value = next(
            (number(row[key]) for key in ("pixel value", "value", "id") if key in row), None
        )
        color = _color([row.get(key, "") for key in ("r", "g", "b")])
        key = color if color is not None else value
        if key is None or not class_name(label):
            raise _invalid(name, f"the row {', '.join(row.values())[:60]!r}")
        names[int(key)] = class_name(label)
    return _distinct(names, name)


def _color(parts: list[str]) -> int | None:
    """Return a color of three numbers; gray ones are stored as numbers."""
    channels = [number(part) for part in parts]
    if len(channels) != 3:
        return None
    red, green, blue = channels
    if red is None or green is None or blue is None:
        return None
    if not all(0 <= channel <= 255 for channel in (red, green, blue)):
        return None
    return COLOR + (int(red) << 16) + (int(green) << 8) + int(blue)


def _distinct(names: dict[int, str], source: str) -> dict[int, str]:
    """Check that no two values have the same name, but for 0 and black."""
    counts = Counter(label for value, label in names.items() if value != COLOR or 0 not in names)
    label, count = counts.most_common(1)[0] if counts else ("", 0)
    if count != 1:
        raise _invalid(source, f"{label!r} twice" if count else "no names")
    return names


def _invalid(name: str, problem: str) -> DatasetError:
    return DatasetError(
        "a list of the masks' classes", f"{problem} in {name}", "correct it",
        code="mask-classes-invalid",
    )  # fmt: skip
