"""The columns of the table of variants, alike on the page and on the terminal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from converters.report import words
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
    return TableCell(words.percent(row.accuracy), words.interval(row.interval))


def _points(row: VariantRow, baseline: VariantRow) -> TableCell:
    return TableCell(words.points(row.accuracy, baseline.accuracy))


def _agreement(row: VariantRow, baseline: VariantRow) -> TableCell:
    return TableCell(words.percent(row.agreement))


def _size(row: VariantRow, baseline: VariantRow) -> TableCell:
    return TableCell(words.size(row.bytes), words.ratio(row.bytes, baseline.bytes))


def _gzip(row: VariantRow, baseline: VariantRow) -> TableCell:
    ratio = words.ratio(row.gzip_bytes, baseline.gzip_bytes)
    return TableCell(words.size(row.gzip_bytes), ratio)


def _sparsity(row: VariantRow, baseline: VariantRow) -> TableCell | None:
    return None if row.sparsity is None else TableCell(words.percent(row.sparsity))


def _operations(row: VariantRow, baseline: VariantRow) -> TableCell | None:
    if row.multiply_adds is None:
        return None
    ratio = words.ratio(row.multiply_adds, baseline.multiply_adds or 0)
    return TableCell(words.operations(row.multiply_adds), ratio)


def _time(threads: int) -> Column:
    def cell(row: VariantRow, baseline: VariantRow) -> TableCell | None:
        mine, other = row.on(threads), baseline.on(threads)
        if mine is None:
            return None
        ratio = words.ratio(mine.p50_ms, other.p50_ms) if other else ""
        return TableCell(words.quantiles(mine.p50_ms, mine.p95_ms), ratio)

    heading = words.number(threads, "thread")
    return Column(f"time-{threads}", heading, "p50 / p95", cell)


def _edgetpu(row: VariantRow, baseline: VariantRow) -> TableCell | None:
    if row.edgetpu is None:
        return None
    mapped, on_cpu = row.edgetpu.mapped, row.edgetpu.on_cpu
    return TableCell(row.edgetpu.status, f"{mapped} of {mapped + on_cpu}")


def _unknown(row: VariantRow, baseline: VariantRow) -> TableCell | None:
    if row.unknown is None:
        return None
    return TableCell(words.percent(row.unknown.score), words.percent(row.unknown.coverage))


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
