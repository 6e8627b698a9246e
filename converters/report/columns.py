"""Columns of the table of variants, shared by the page and the terminal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from converters.report import formatting
from converters.report.variant import BASELINE, VariantReport


@dataclass(frozen=True, slots=True)
class TableCell:
    """A formatted value and a note below it."""

    text: str
    below: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``heading`` with a ``note`` below it.

    ``cell`` formats the value of a row, given the baseline; None where the row lacks it.
    """

    key: str
    heading: str
    note: str
    cell: Callable[[VariantReport, VariantReport], TableCell | None]


def columns(rows: Sequence[VariantReport]) -> tuple[Column, ...]:
    """Return the columns that any of these rows has, with one for each measured thread count."""
    threads = sorted({timing.threads for row in rows for timing in row.timings})
    every = (*_FIRST, *map(_time, threads), *_LAST)
    return tuple(c for c in every if any(c.cell(row, row) is not None for row in rows))


def html_table(rows: Sequence[VariantReport], baseline: VariantReport, chosen: str) -> str:
    """Render the variants as a plain HTML table, for notebooks; ``chosen`` is in bold."""
    shown = columns(rows)
    heading = "".join(f"<th>{escape(column.heading)}</th>" for column in shown)
    lines = []
    for row in rows:
        cells = (column.cell(row, baseline) for column in shown)
        texts = "".join(f"<td>{escape(cell.text) if cell else '–'}</td>" for cell in cells)
        name = f"<b>{escape(row.name)}</b>" if row.name == chosen else escape(row.name)
        lines.append(f"<tr><th>{name}</th>{texts}</tr>")
    body = "".join(lines)
    return f"<table><thead><tr><th></th>{heading}</tr></thead><tbody>{body}</tbody></table>"


def _accuracy(row: VariantReport, baseline: VariantReport) -> TableCell:
    return TableCell(formatting.percent(row.accuracy), formatting.interval(row.accuracy_interval))


def _points(row: VariantReport, baseline: VariantReport) -> TableCell:
    return TableCell(formatting.points(row.accuracy, baseline.accuracy))


def _agreement(row: VariantReport, baseline: VariantReport) -> TableCell:
    return TableCell(formatting.percent(row.agreement))


def _size(row: VariantReport, baseline: VariantReport) -> TableCell:
    return TableCell(formatting.size(row.bytes), formatting.ratio(row.bytes, baseline.bytes))


def _gzip(row: VariantReport, baseline: VariantReport) -> TableCell:
    ratio = formatting.ratio(row.gzip_bytes, baseline.gzip_bytes)
    return TableCell(formatting.size(row.gzip_bytes), ratio)


def _sparsity(row: VariantReport, baseline: VariantReport) -> TableCell | None:
    return None if row.sparsity is None else TableCell(formatting.percent(row.sparsity))


def _operations(row: VariantReport, baseline: VariantReport) -> TableCell | None:
    if row.multiply_adds is None:
        return None
    ratio = formatting.ratio(row.multiply_adds, baseline.multiply_adds or 0)
    return TableCell(formatting.operations(row.multiply_adds), ratio)


def _time(threads: int) -> Column:
    def cell(row: VariantReport, baseline: VariantReport) -> TableCell | None:
        mine, other = row.with_threads(threads), baseline.with_threads(threads)
        if mine is None:
            return None
        ratio = formatting.ratio(mine.p50_ms, other.p50_ms) if other else ""
        return TableCell(formatting.quantiles(mine.p50_ms, mine.p95_ms), ratio)

    heading = formatting.number(threads, "thread")
    return Column(f"time-{threads}", heading, "p50 / p95", cell)


def _edgetpu(row: VariantReport, baseline: VariantReport) -> TableCell | None:
    if row.edgetpu is None:
        return None
    return TableCell(row.edgetpu.status, f"{row.edgetpu.mapped} of {row.edgetpu.operations}")


def _unknown(row: VariantReport, baseline: VariantReport) -> TableCell | None:
    if row.threshold is None:
        return None
    return TableCell(
        formatting.percent(row.threshold.score), formatting.percent(row.threshold.coverage)
    )


_FIRST = (
    Column("accuracy", "accuracy", "95 % interval", _accuracy),
    Column("points", "points", f"vs {BASELINE}", _points),
    Column("agreement", "agreement", "with float32", _agreement),
    Column("size", "size", "", _size),
    Column("gzip", "gzipped", "", _gzip),
    Column("sparsity", "sparsity", "zero weights", _sparsity),
    Column("operations", "operations", "multiply-adds", _operations),
)

_LAST = (
    Column("edgetpu", "Edge TPU", "ops", _edgetpu),
    Column("unknown", "threshold", "accepted", _unknown),
)
