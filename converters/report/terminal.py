"""The short summary on the terminal after a conversion."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converters.report import words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_STYLES = {"pass": "bold green", "warn": "bold yellow", "fail": "bold red"}


def summary(record: Mapping[str, Any], out: Path, console: "Console | None" = None) -> None:
    """Print the variants, the verdict and where the result lies.

    Args:
        record: from :func:`converters.report.record.build`.
        out: the folder of the result, as it shall be shown.
        console: where to print; stdout by default.
    """
    from rich.console import Console
    from rich.text import Text

    shown = console or Console(highlight=False)
    verdict = record["verdict"]
    shown.print()
    shown.print(_table(record))
    latency = record["variants"][record["chosen"]]["latency"]
    tested = record["split"]["sizes"]["test"]
    shown.print(
        Text(
            f"On {words.number(tested, 'test picture')}, 95 % interval in brackets. "
            f"Times: {words.runner(latency)}.",
            style="dim",
        )
    )
    shown.print()
    shown.print(
        Text.assemble(
            (f"{verdict['status'].upper()}  ", _STYLES[verdict["status"]]), f"{verdict['reason']}."
        )
    )
    doubt = words.doubt(record)
    if doubt:
        shown.print(Text(doubt, style="yellow"))
    if verdict["classes"]:
        shown.print(Text(f"Classes that lose most: {', '.join(verdict['classes'])}."))
    if verdict["layers"]:
        worst = ", ".join(f"{row['layer']} ({row['snr_db']:.0f} dB)" for row in verdict["layers"])
        shown.print(Text(f"Layers furthest from float32: {worst}."))
    shown.print()
    # A path is for copying: never broken over lines, never read as markup.
    for what, name in (("Model", "model.tflite"), ("Report", "report.html")):
        shown.print(Text(f"{what + ':':<8}{out / name}"), soft_wrap=True)


def _table(record: Mapping[str, Any]) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("variant", no_wrap=True)
    for heading in ("accuracy", "agreement", "size", "gzipped", "p50"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in record["variants"].items():
        chosen = name == record["chosen"]
        cells = (
            name,
            f"{words.percent(row['accuracy'])} ({words.interval(row['accuracy_interval'])})",
            words.percent(row["agreement"]),
            words.size(row["bytes"]),
            words.size(row["gzip_bytes"]),
            words.milliseconds(row["p50_ms"]),
        )
        table.add_row(*(Text(cell) for cell in cells), style="bold" if chosen else None)
    return table
