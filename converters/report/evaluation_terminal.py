"""An evaluation on the terminal."""

import textwrap
from typing import TYPE_CHECKING

from converters.evaluation.records import Evaluation
from converters.report import evaluation_text as words
from edge.next_steps import WIDTH
from edge.quantities import counted
from edge.terminal import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_CLASSES = 30
"""Classes that are listed; the worst ones."""

_MISTAKES = 5


def show(evaluation: Evaluation, console: "Console | None" = None) -> None:
    """Print metrics, classes, latency, the comparison and the worst mistakes.

    Args:
        evaluation: what to print.
        console: to print to; stdout by default.
    """
    from rich.console import Console
    from rich.text import Text

    shown = console or Console(highlight=False)
    title = f"{evaluation.model} on {counted(evaluation.images, 'image')} of {evaluation.dataset}"
    shown.print(Text(printable(title), style="bold"), soft_wrap=True)
    shown.print()
    for figure in words.figures(evaluation):
        interval = f"  (95 % interval {figure.interval})" if figure.interval else ""
        shown.print(Text(f"  {figure.heading:<32}{figure.value:>8}{interval}"), soft_wrap=True)
    shown.print()
    shown.print(_table(evaluation))
    rest = len(evaluation.per_class) - _CLASSES
    if rest > 0:
        shown.print(Text(f"and {counted(rest, 'class')} with higher figures", style="dim"))
    for paragraph in (words.further, words.comparison):
        lines = list(paragraph(evaluation))
        if lines:
            shown.print()
        for line in lines:
            shown.print(Text(textwrap.fill(line, WIDTH)), soft_wrap=True)
    shown.print()
    time = textwrap.fill(f"{words.time_sentence(evaluation)}.", WIDTH)
    shown.print(Text(time, style="dim"), soft_wrap=True)
    if evaluation.mistakes:
        shown.print()
        shown.print(Text("Worst images:", style="bold"))
        for mistake in evaluation.mistakes[:_MISTAKES]:
            shown.print(Text(printable(f"  {mistake.name}: {mistake.words}")), soft_wrap=True)


def _table(evaluation: Evaluation) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    table.add_column("class, the worst first")
    for heading in words.class_headings(evaluation):
        table.add_column(heading, justify="right", no_wrap=True)
    for label, cells in words.class_rows(evaluation)[:_CLASSES]:
        table.add_row(Text(printable(label)), *(Text(cell) for cell in cells))
    return table
