"""CSV lists of images: ``path,label[,split]``, paths relative to the CSV."""

import csv
from dataclasses import dataclass
from pathlib import Path

from converters.dataset import split_names
from converters.dataset.listing import LabeledFile, Listing, class_name, file_name
from edge.errors import DatasetError, did_you_mean
from edge.image_format import SUFFIXES as IMAGE_SUFFIXES
from edge.image_format import UNREADABLE_SUFFIXES
from edge.quantities import counted

SUFFIXES = frozenset({".csv", ".tsv"})

_PATH_HEADINGS = ("path", "file", "filename", "file_name", "image", "picture")
_LABEL_HEADINGS = ("label", "class", "class_name", "category")
_SPLIT_HEADINGS = ("split", "set", "subset")
_EXPECTED = "a CSV of path,label[,split] with one image per line, such as cat/1.jpg,cat,train"


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Column indices of path, label and split (None where there is no split)."""

    path: int
    label: int
    split: int | None


def read_csv(table: Path) -> Listing:
    """Read a CSV of images.

    The first line may be a header; then path (or file, image, …), label (or class, category)
    and split may be in any order among other columns. Without a header they are in this order.
    Separators are commas, semicolons or tabs. A missing file stays listed, so that the audit
    reports it.

    Raises:
        DatasetError: it is empty or not a CSV, a line lacks its label, a split is unknown, or only
            some lines have one.
    """
    rows = _rows(table)
    columns, rows = _columns(table, rows)
    splits = _splits(table, rows, columns)
    listed = [
        _source(table, line, row, columns, split)
        for (line, row), split in zip(rows, splits, strict=True)
    ]
    _check_split(table, [line for line, _ in rows], listed)
    sources = dict.fromkeys(listed)  # a repeated line counts once
    return Listing(
        name=file_name(table.stem),
        images=tuple(sorted(sources, key=lambda s: (s.name, s.label, s.split or ""))),
        classes=tuple(sorted({source.label for source in sources})),
    )


def _rows(table: Path) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, cells stripped, with their line numbers."""
    try:
        text = table.read_text(encoding="utf-8-sig")
        if "\0" in text:  # UTF-16, for example; no file name contains it
            raise _encoding_error(table)
        head = text.split("\n", 1)[0]
        separator = max(",;\t", key=head.count)
        reader = csv.reader(text.splitlines(), delimiter=separator, strict=True)
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except UnicodeDecodeError:
        raise _encoding_error(table) from None
    except csv.Error as error:
        raise DatasetError(
            _EXPECTED,
            f"{table}, which is not valid CSV ({error})",
            "correct that line",
            code="csv-invalid",
        ) from None
    rows = [(line, row) for line, row in rows if any(row)]
    if not rows:
        raise DatasetError(
            _EXPECTED, f"the empty file {table}", "list your images in it", code="csv-empty"
        )
    return rows


def _encoding_error(table: Path) -> DatasetError:
    return DatasetError(
        "a CSV in UTF-8",
        f"{table} in another encoding",
        "save it as 'CSV UTF-8'",
        code="csv-encoding",
    )


def _columns(
    table: Path, rows: list[tuple[int, list[str]]]
) -> tuple[TableColumns, list[tuple[int, list[str]]]]:
    """Return the columns, and the rows without the header."""
    headings = [cell.lower() for cell in rows[0][1]]
    path, label = _find(headings, _PATH_HEADINGS), _find(headings, _LABEL_HEADINGS)
    if path is not None and label is not None:
        if len(rows) == 1:
            raise DatasetError(
                _EXPECTED,
                f"{table} with only a header line",
                "list your images in it",
                code="csv-empty",
            )
        return TableColumns(path, label, _find(headings, _SPLIT_HEADINGS)), rows[1:]
    if Path(rows[0][1][0]).suffix.lower() not in IMAGE_SUFFIXES | UNREADABLE_SUFFIXES.keys():
        raise DatasetError(
            _EXPECTED,
            f"the first line {','.join(rows[0][1])!r} in {table}",
            "name the columns path,label or path,label,split",
            code="csv-columns-missing",
        )
    return TableColumns(0, 1, 2 if len(rows[0][1]) > 2 else None), rows


def _find(headings: list[str], names: tuple[str, ...]) -> int | None:
    return next((headings.index(name) for name in names if name in headings), None)


def _source(
    table: Path, line: int, row: list[str], columns: TableColumns, split: str | None
) -> LabeledFile:
    cells = row + [""] * (1 + max(columns.path, columns.label, columns.split or 0) - len(row))
    name, label = cells[columns.path], class_name(cells[columns.label])
    if not name or not label:
        raise DatasetError(
            _EXPECTED,
            f"line {line} of {table} without a {'label' if name else 'path'}",
            "complete or delete the line",
            code="csv-line-incomplete",
        )
    path = table.parent / name
    if "\\" in name and not path.exists():  # written on Windows
        name = name.replace("\\", "/")
        path = table.parent / name
    return LabeledFile(path, name, label, split)


def _splits(
    table: Path, rows: list[tuple[int, list[str]]], columns: TableColumns
) -> list[str | None]:
    """Return the split of each row, None where it has none."""
    if columns.split is None:
        return [None] * len(rows)
    words = [row[columns.split] if columns.split < len(row) else "" for _, row in rows]
    subsets = split_names.subsets(set(words))
    for (line, _), word in zip(rows, words, strict=True):
        if word and word not in subsets:
            raise DatasetError(
                "train, validation or test as the split",
                f"{word!r} on line {line} of {table}",
                did_you_mean(word.lower(), split_names.EXAMPLES, "use one of these words"),
                code="unknown-split",
            )
    return [subsets.get(word) for word in words]


def _check_split(table: Path, lines: list[int], sources: list[LabeledFile]) -> None:
    without = [n for n, source in zip(lines, sources, strict=True) if source.split is None]
    if without and len(without) < len(sources):
        raise DatasetError(
            "a split on every line or on none",
            f"{counted(len(without), 'line')} without a split in {table}, starting with line "
            f"{without[0]}",
            "complete or remove the split column",
            code="csv-split-incomplete",
        )
    splits = {source.split for source in sources} - {None}
    if splits and "train" not in splits:
        raise DatasetError(
            "lines with the split train",
            f"none in {table}",
            "set the split of the training images to train",
            code="train-split-missing",
        )
