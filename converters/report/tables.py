"""Tables of the report, for the page and the terminal: variants, confusion, operations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from converters.report import formatting
from converters.report.variant import (
    BASELINE,
    EdgeTpuReport,
    RefusedOpReport,
    VariantReport,
)


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


def columns(rows: Sequence[VariantReport], metric: str) -> tuple[Column, ...]:
    """Return the columns that any of these rows has, with one for each measured thread count.

    ``metric``: the name of the task's metric.
    """
    threads = sorted({timing.threads for row in rows for timing in row.timings})
    quality = Column("quality", metric, "95 % interval", _quality)
    every = (quality, *_FIRST, *map(_time, threads), *_LAST)
    return tuple(c for c in every if any(c.cell(row, row) is not None for row in rows))


def html_table(
    rows: Sequence[VariantReport], baseline: VariantReport, chosen: str, metric: str
) -> str:
    """Render the variants as a plain HTML table, for notebooks; ``chosen`` is in bold."""
    shown = columns(rows, metric)
    heading = "".join(f"<th>{escape(column.heading)}</th>" for column in shown)
    lines = []
    for row in rows:
        cells = (column.cell(row, baseline) for column in shown)
        texts = "".join(f"<td>{escape(cell.text) if cell else '–'}</td>" for cell in cells)
        name = f"<b>{escape(row.name)}</b>" if row.name == chosen else escape(row.name)
        lines.append(f"<tr><th>{name}</th>{texts}</tr>")
    body = "".join(lines)
    return f"<table><thead><tr><th></th>{heading}</tr></thead><tbody>{body}</tbody></table>"


def _quality(row: VariantReport, baseline: VariantReport) -> TableCell:
    quality = row.quality
    return TableCell(formatting.percent(quality.value), formatting.interval(quality.interval))


def _points(row: VariantReport, baseline: VariantReport) -> TableCell:
    return TableCell(formatting.points(row.quality.value, baseline.quality.value))


def _agreement(row: VariantReport, baseline: VariantReport) -> TableCell | None:
    agreement = row.quality.agreement
    return None if agreement is None else TableCell(formatting.percent(agreement))


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
        below = ", ".join(filter(None, (ratio, "noisy" if mine.noisy else "")))
        return TableCell(formatting.quantiles(mine.p50_ms, mine.p95_ms), below)

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


@dataclass(frozen=True, slots=True)
class RefusedOp:
    """Operations that the Edge TPU is predicted to reject for the same reason.

    ``obstacle``: the cause in the first of them; ``lost``: number of operations that run on the
    CPU only because they come after one of these; ``rule``: source and confidence of the rule.
    """

    op: str
    count: int
    reason: str
    obstacle: str
    change: str
    lost: int
    rule: str


def counts(images: Mapping[str, int], subsets: Sequence[Mapping[str, int]]) -> list[dict[str, Any]]:
    """Return per class its images, the width of its bar (0–1), and its images in each subset."""
    largest = max(images.values())
    return [
        {"label": label, "count": count, "width": count / largest, **per_subset}
        for (label, count), per_subset in zip(images.items(), subsets, strict=True)
    ]


def refusals(prediction: EdgeTpuReport) -> list[RefusedOp]:
    """Group the operations that the Edge TPU is predicted to reject by kind and reason."""
    groups: dict[tuple[str, str, str], list[RefusedOpReport]] = {}
    for refusal in prediction.refused:
        key = (refusal.op, refusal.reason, refusal.change)
        groups.setdefault(key, []).append(refusal)
    return [
        RefusedOp(
            op=op,
            count=len(group),
            reason=reason,
            obstacle=group[0].obstacle,
            change=change,
            lost=sum(sum((refusal.lost_after or {}).values()) for refusal in group),
            rule=f"{group[0].source}, {group[0].confidence}",
        )
        for (op, reason, change), group in groups.items()
    ]


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Flatten nested values to (dotted name, text).

    >>> flat({"seed": 0, "training": {"dropout": 0.2, "flip": True, "epochs": None}})
    [('seed', '0'), ('training.dropout', '0.2'), ('training.flip', 'yes'), ('training.epochs', '–')]
    """
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += flat(value, f"{name}.")
        else:
            rows.append((name, value_text(value)))
    return rows


def value_text(value: Any) -> str:
    """Format a plain value: a number, yes or no, a list, or a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(value_text, value)) or "–"
    return str(value)
