"""The columns of the table of variants, alike on the page and on the terminal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from converters.report import formatting
from converters.report.rows import BASELINE, VariantRow


@dataclass(frozen=True, slots=True)
class TableCell:
    """A figure as it is written, and what stands below it."""

    text: str
    below: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of each row.

    ``heading`` and ``note`` head it; ``cell`` makes it from a row and the baseline, None where
    the row lacks it.
    """

    key: str
    heading: str
    note: str
    cell: Callable[[VariantRow, VariantRow], TableCell | None]


def columns(rows: Sequence[VariantRow]) -> tuple[Column, ...]:
    """The columns for these rows: one for each number of threads that any of them was timed with.

    A figure that no row has makes no column.
    """
    threads = sorted({timing.threads for row in rows for timing in row.timings})
    every = (*_FIRST, *map(_time, threads), *_LAST)
    return tuple(c for c in every if any(c.cell(row, row) is not None for row in rows))


def _accuracy(row: VariantRow, baseline: VariantRow) -> TableCell:
    return TableCell(formatting.percent(row.accuracy), formatting.interval(row.interval))


def _points(row: VariantRow, baseline: VariantRow) -> TableCell:
    return TableCell(formatting.points(row.accuracy, baseline.accuracy))


def _agreement(row: VariantRow, baseline: VariantRow) -> TableCell:
    return TableCell(formatting.percent(row.agreement))


def _size(row: VariantRow, baseline: VariantRow) -> TableCell:
    return TableCell(formatting.size(row.bytes), formatting.ratio(row.bytes, baseline.bytes))


def _gzip(row: VariantRow, baseline: VariantRow) -> TableCell:
    ratio = formatting.ratio(row.gzip_bytes, baseline.gzip_bytes)
    return TableCell(formatting.size(row.gzip_bytes), ratio)


def _sparsity(row: VariantRow, baseline: VariantRow) -> TableCell | None:
    return None if row.sparsity is None else TableCell(formatting.percent(row.sparsity))


def _operations(row: VariantRow, baseline: VariantRow) -> TableCell | None:
    if row.multiply_adds is None:
        return None
    ratio = formatting.ratio(row.multiply_adds, baseline.multiply_adds or 0)
    return TableCell(formatting.operations(row.multiply_adds), ratio)


def _time(threads: int) -> Column:
    def cell(row: VariantRow, baseline: VariantRow) -> TableCell | None:
        mine, other = row.on(threads), baseline.on(threads)
        if mine is None:
            return None
        ratio = formatting.ratio(mine.p50_ms, other.p50_ms) if other else ""
        return TableCell(formatting.quantiles(mine.p50_ms, mine.p95_ms), ratio)

    heading = formatting.number(threads, "thread")
    return Column(f"time-{threads}", heading, "p50 / p95", cell)


def _edgetpu(row: VariantRow, baseline: VariantRow) -> TableCell | None:
    if row.edgetpu is None:
        return None
    mapped, on_cpu = row.edgetpu.mapped, row.edgetpu.on_cpu
    return TableCell(row.edgetpu.status, f"{mapped} of {mapped + on_cpu}")


def _unknown(row: VariantRow, baseline: VariantRow) -> TableCell | None:
    if row.unknown is None:
        return None
    return TableCell(
        formatting.percent(row.unknown.score), formatting.percent(row.unknown.coverage)
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
