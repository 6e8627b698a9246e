"""Table of ``edge compare`` on the terminal."""

from typing import TYPE_CHECKING

from converters.report.columns import Column, columns
from converters.report.compare import Comparison, ComparisonEntry
from converters.report.variant import BASELINE

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

FRONT = "◆"
MISSING = "–"
_OPTIONAL = ("unknown", "agreement", "sparsity", "gzip", "operations", "points", "size", "edgetpu")
"""Columns that a narrow terminal omits, the least important first."""

_UNBOUNDED = 10_000


def show(comparison: Comparison, console: "Console | None" = None) -> None:
    """Print the table, its legend, and warnings on what cannot be compared.

    Args:
        comparison: its entries are in the order of the lines.
        console: to print to; by default stdout, of unlimited width where that is no terminal.
    """
    from rich.console import Console
    from rich.text import Text

    shown = console or Console(highlight=False)
    every = columns([entry.row for entry in comparison.entries])
    if not shown.is_terminal and console is None:
        shown = Console(highlight=False, width=_UNBOUNDED)
    kept = _fitting(comparison, every, shown)
    shown.print()
    shown.print(_table(comparison, kept))
    shown.print()
    shown.print(Text(_legend(comparison), style="dim"))
    if omitted := [column.heading for column in every if column not in kept]:
        shown.print(Text(f"No room for: {', '.join(omitted)}; see --json.", style="dim"))
    for warning in comparison.warnings:
        shown.print(Text(f"Note: {warning}", style="yellow"))
    for entry in comparison.entries:
        if entry.row.gain:
            shown.print(Text(f"{entry.result.name}, {entry.row.name}: {entry.row.gain}"))


def _legend(comparison: Comparison) -> str:
    baseline = comparison.results[0]
    predicted = any(entry.row.edgetpu for entry in comparison.entries)
    return (
        f"{FRONT} no other is both as accurate and as fast. Ratios and points: relative to "
        f"{BASELINE} of {baseline.name}. Times: median / 95th percentile of one inference, "
        f"{comparison.baseline.timing.interpreter} on {baseline.processor}."
        f"{' Edge TPU: operations predicted to run there, not run.' if predicted else ''}"
    )


def _fitting(
    comparison: Comparison, every: tuple[Column, ...], console: "Console"
) -> tuple[Column, ...]:
    """Return the columns that fit, the optional ones as far as there is room."""
    usual = f"time-{comparison.baseline.timing.threads}"
    times = [c.key for c in every if c.key.startswith("time-") and c.key != usual]
    unbounded = console.options.update(max_width=_UNBOUNDED)
    kept = every
    for optional in (*_OPTIONAL[:2], *times, *_OPTIONAL[2:]):
        width = console.measure(_table(comparison, kept), options=unbounded).maximum
        if width <= console.width:
            break
        kept = tuple(column for column in kept if column.key != optional)
    return kept


def _table(comparison: Comparison, kept: tuple[Column, ...]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    table.add_column("result", overflow="fold", max_width=18)
    table.add_column("")
    table.add_column("variant", no_wrap=True)
    for column in kept:
        heading = _lines(column.heading, column.note)
        table.add_column(heading, justify="right", no_wrap=True)
    for entry in comparison.entries:
        cells = [column.cell(entry.row, comparison.baseline) for column in kept]
        table.add_row(
            entry.result.name,
            FRONT if entry.front else "",
            _lines(entry.row.name, _marks(comparison, entry)),
            *(_lines(cell.text, cell.below) if cell else _lines(MISSING, "") for cell in cells),
            style="bold" if entry.chosen else None,
        )
    return table


def _marks(comparison: Comparison, entry: ComparisonEntry) -> str:
    marks = [
        "baseline" if entry.row is comparison.baseline else "",
        "model.tflite" if entry.chosen else "",
    ]
    return ", ".join(filter(None, marks))


def _lines(first: str, second: str) -> "Text":
    """Join two lines, the second one dim; text from files is never read as markup."""
    from rich.text import Text

    return Text.assemble(first, (f"\n{second}" if second else "", "not bold dim"))
