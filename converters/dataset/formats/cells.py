"""Rows of a CSV by their headings."""

import csv
from pathlib import Path

from converters.dataset import label_files
from edge.errors import DatasetError

MAX_CELL = 1 << 26
"""Characters of a cell, which may hold a brush's mask."""


def read_rows(table: Path, name: str, headings: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """Read a CSV separated by commas, semicolons or tabs.

    Args:
        table: path of the file.
        name: for errors.
        headings: where the file has none, in lower case.

    Returns:
        A dictionary for each row that is not blank, by headings in lower case; cells are stripped.

    Raises:
        DatasetError: it is no CSV, or cannot be read.
    """
    text = label_files.read_text(table, name, label_files.MAX_TABLE)
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    limit = csv.field_size_limit(MAX_CELL)
    try:
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(text.splitlines(keepends=True), delimiter=separator, strict=True)
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise DatasetError(
            "a CSV of boxes",
            f"{name}, which is not valid CSV ({error})",
            "correct that line",
            code="csv-invalid",
        ) from None
    finally:
        csv.field_size_limit(limit)
    names = headings or tuple(cell.lower() for cell in rows[0]) if rows else ()
    return [dict(zip(names, row, strict=False)) for row in (rows if headings else rows[1:])]
