"""Labels as lines of text or as a table, with or without the numbers of the classes."""

import csv
import re
from collections.abc import Iterable, Sequence
from typing import Any

from edge.quantities import counted

Labels = tuple[str, ...]

MAX_GAP = 10
"""Numbers may go up to so many times the number of names: others do not count classes."""

_SURE = 10
"""Lines from which on numbers from 1 with gaps are taken for the numbers of classes."""


class LabelFormatError(ValueError):
    """Text that is no labels; the message says what it is instead, as a clause after "which"."""


def name_of(value: Any) -> str:
    """Return the name in an entry; ImageNet's class index has [WordNet id, name]."""
    if isinstance(value, list) and len(value) == 2 and re.fullmatch(r"n\d{8}", str(value[0])):
        value = value[1]
    if not isinstance(value, str) or not value.strip() or re.search(r"[\r\n\0]", value):
        raise LabelFormatError("has an entry without a name")
    return value.strip()


def numbers(values: Iterable[Any]) -> list[int] | None:
    """Return the values as numbers of classes; None where one is none."""
    texts = [value if isinstance(value, str) else "" for value in values]
    return [int(text) for text in texts] if all(map(is_number, texts)) else None


def number_of(value: Any) -> int:
    """Return the number of an entry.

    Raises:
        LabelFormatError: it is none.
    """
    if not isinstance(value, str) or not is_number(value):
        raise LabelFormatError("has an entry without a number")
    return int(value)


def is_number(text: str) -> bool:
    """Return whether a text can be the number of a class."""
    return re.fullmatch(r"\d{1,7}", text, re.ASCII) is not None


def by_number(pairs: Iterable[tuple[int, str]], first: int | None = None) -> Labels:
    """Return names by index; numbers count from ``first``, by default 0 or 1 as they begin.

    Numbers from 1 are those of models whose class 0 is the background, or just count: their first
    name is the first class. Gaps are filled.
    """
    pairs = list(pairs)
    names = dict(pairs)
    if not names or len(names) != len(pairs):
        raise LabelFormatError("has a number twice" if pairs else "has no names")
    lowest = min(names)
    base = min(lowest, 1) if first is None else first
    if lowest > 1 and first is None:
        raise LabelFormatError(f"counts classes from {lowest}, not from 0 or 1")
    if max(names) > MAX_GAP * len(names):
        raise LabelFormatError(f"has {counted(len(names), 'name')} with numbers up to {max(names)}")
    return tuple(
        names.get(number, unnamed(number - base)) for number in range(base, max(names) + 1)
    )


def unnamed(index: int) -> str:
    """Return what stands for the name of a class without one."""
    return f"class {index}"


_NAME_WORDS = (
    "displayname", "name", "label", "classname", "labelname", "signname", "category", "class",
    "title",
)  # fmt: skip
_NUMBER_WORDS = ("id", "index", "idx", "classid", "classindex", "labelid", "number", "no", "class")
_DATA_WORDS = ("path", "file", "filename", "image", "imageid", "filepath")


def _words(line: Iterable[str]) -> list[str]:
    return [re.sub(r"[\W_]", "", cell).lower() for cell in line]


def is_header(lines: Sequence[str]) -> bool:
    """Return whether the first line is a header of numbers and names."""
    words = _words(re.split(r"[,;\t]", lines[0])) if len(lines) > 1 else []
    return (
        len(words) > 1
        and any(word in _NUMBER_WORDS for word in words)
        and all(word in (*_NUMBER_WORDS, *_NAME_WORDS, "mid") for word in words)
    )


def table(lines: Sequence[str], delimiter: str | None) -> Labels:
    """Return the labels of a table with a column of names, and perhaps one of numbers.

    Raises:
        LabelFormatError: it is no such table, or its columns are not clear.
    """
    mark = delimiter or max(",;\t", key=lines[0].count)
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=mark)]
    except csv.Error as error:
        raise LabelFormatError(f"is no table ({error})") from None
    if len({len(row) for row in rows}) != 1:
        raise LabelFormatError("has lines with different numbers of columns")
    words = _words(rows[0])
    if any(word in _DATA_WORDS for word in words):
        raise LabelFormatError("lists files, not classes")
    headed = any(word in _NAME_WORDS for word in words) and not any(map(is_number, rows[0]))
    columns = list(zip(*rows[headed:], strict=True))
    name, number = _columns(columns, words if headed else None)
    names = [name_of(cell) for cell in columns[name]]
    if number is None:
        return tuple(names)
    return by_number(zip(map(int, columns[number]), names, strict=True))


def _columns(
    columns: Sequence[Sequence[str]], words: Sequence[str] | None
) -> tuple[int, int | None]:
    """Return the indices of the names' column, and of the numbers' where there is one."""
    digits = [i for i, column in enumerate(columns) if numbers(column) is not None]
    texts = [i for i in range(len(columns)) if i not in digits]
    if words is not None:
        texts = sorted(
            (i for i in texts if words[i] in _NAME_WORDS), key=lambda i: _NAME_WORDS.index(words[i])
        )
        digits = [i for i in digits if words[i] in _NUMBER_WORDS or _counts_up(columns[i])]
    elif len(columns) > 2 or len(texts) > 1:
        texts = []
    if not texts or len(digits) > 1:
        raise LabelFormatError("is a table whose columns of names and numbers are not clear")
    return texts[0], digits[0] if digits else None


def _counts_up(column: Sequence[str]) -> bool:
    """Return whether a column has each number from 0 or 1 on, in any order."""
    values, count = {int(cell) for cell in column}, len(column)
    return values in (set(range(count)), set(range(1, count + 1)))


def split_lines(text: str) -> list[str]:
    """Return stripped lines without comments before the labels, and a remark behind them.

    A remark is a paragraph that ends in a full stop, as in the list of PASCAL VOC's classes.
    """
    stripped = [line.strip() for line in re.split(r"\r\n|\r|\n", text)]
    while stripped and (not stripped[0] or re.match(r"(#|//)\s", stripped[0])):
        del stripped[0]
    labels, _, last = "\n".join(stripped).rstrip().rpartition("\n\n")
    return labels.split("\n") if labels and last.endswith(".") else stripped


_LEADING = re.compile(
    r"(\d{1,7})(?:\s*[:,](?!\d)\s*|\s*[;=]\s*|[.)]\s+|\s+-\s+|\s+)(\S.*)", re.ASCII
)
_ALONE = re.compile(r"(\d{1,7})\s*[:,;=]?", re.ASCII)
_TRAILING = re.compile(r"[:,;=\t]\s*(\d{1,7})$", re.ASCII)


def unnumbered(lines: list[str]) -> Labels:
    """Return the labels without the numbers, if every line has one and they count the classes."""
    for read in (_leading, _trailing):
        pairs = read(lines)
        if pairs is not None:
            names = {number: _unquoted(name) for number, name in pairs if name}
            last, base = max(number for number, _ in pairs), min(number for number, _ in pairs)
            return tuple(names.get(n, unnamed(n - base)) for n in range(base, last + 1))
    return tuple(lines)


_Pairs = list[tuple[int, str]]


def _leading(lines: list[str]) -> _Pairs | None:
    """Return the number and the name of each line, where numbers come first."""
    pairs: _Pairs = []
    for line in lines:
        match = _LEADING.fullmatch(line)
        alone = None if match else _ALONE.fullmatch(line)
        if match:
            pairs.append((int(match[1]), match[2]))
        elif alone:
            pairs.append((int(alone[1]), ""))
    return pairs if len(pairs) == len(lines) and _counts(pairs) else None


def _trailing(lines: list[str]) -> _Pairs | None:
    """Return the number and the name of each line, where numbers come last."""
    pairs: _Pairs = []
    for line in lines:
        match = _TRAILING.search(line)
        if match is None or not match.start():
            return None
        pairs.append((int(match[1]), line[: match.start()].rstrip()))
    several = len({name for _, name in pairs}) > 1
    return pairs if several and _counts_up([str(number) for number, _ in pairs]) else None


def _counts(pairs: _Pairs) -> bool:
    """Return whether the numbers count classes, and are not part of their names.

    "7 up" and "3 musketeers" do not count, and neither do "1 euro" and "2 euro", whose rest is the
    same. Gaps are usual from 0 on; from 1 on, only a long list may have some.
    """
    counted, names = [number for number, _ in pairs], {name for _, name in pairs} - {""}
    count, lowest, highest = len(counted), min(counted), max(counted)
    if not names or len(set(counted)) != count or lowest > 1:
        return False
    if lowest == 1 and (count == 1 or len(names) == 1):
        return False
    if counted != sorted(counted):
        return count > 2 and highest - lowest == count - 1
    if lowest == 0:
        return highest <= MAX_GAP * count
    return highest == count or (count >= _SURE and highest <= 2 * count)


def _unquoted(name: str) -> str:
    match = re.fullmatch(r"([\"'])([^\"']*)\1,?", name)
    return match[2] if match else name
