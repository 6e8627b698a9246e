"""The short summary on the terminal after a conversion."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converters.report import formatting, text
from edge.terminal.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_STYLES = {"pass": "bold green", "warn": "bold yellow", "fail": "bold red"}
_FRONT = "◆"


def summary(record: Mapping[str, Any], out: Path, console: "Console | None" = None) -> None:
    """Print the variants, the verdict, what was chosen and where the result lies.

    Args:
        record: from :func:`converters.report.model.build`.
        out: the folder of the result, as it shall be shown.
        console: where to print; stdout by default.
    """
    from rich.console import Console
    from rich.text import Text

    shown = console or Console(highlight=False)
    shown.print()
    shown.print(_table(record))
    shown.print(Text(_legend(record), style="dim"))
    for paragraph in (_judgement, _choice, _board, _about_files):
        lines = list(paragraph(record))
        if lines:
            shown.print()
        for line in lines:
            shown.print(line)
    # Commands and paths are for copying: never broken over lines, never read as markup.
    if record["compiled"] and not record["compiled"]["compiler"]:
        from converters.edgetpu import installation

        shown.print()
        shown.print(Text(installation.install_instructions().rstrip()), soft_wrap=True)
    shown.print()
    for what, name in _places(record):
        shown.print(Text(f"{what + ':':<10}{out / name}"), soft_wrap=True)


def _table(record: Mapping[str, Any]) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("variant", no_wrap=True)
    for heading in ("accuracy", "agree", "size", "gzip", "p50", "TPU"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in record["variants"].items():
        mark = _FRONT if name in record["choice"]["pareto"] else " "
        accuracy = formatting.percent(row["accuracy"])
        cells = (
            f"{printable(name)} {mark}",
            f"{accuracy} ({formatting.interval(row['accuracy_interval'])})",
            formatting.percent(row["agreement"]),
            formatting.size(row["bytes"]),
            formatting.size(row["gzip_bytes"]),
            formatting.milliseconds(row["p50_ms"]),
            _mapped(row["edgetpu"]),
        )
        chosen = name == record["chosen"]
        table.add_row(*(Text(cell) for cell in cells), style="bold" if chosen else None)
    return table


def _mapped(edgetpu: Mapping[str, Any]) -> str:
    """How much of a file the Edge TPU is foreseen to take."""
    if edgetpu["status"] != "partly":
        return str(edgetpu["status"])
    total = edgetpu["mapped"] + sum(edgetpu["cpu"].values())
    return f"{edgetpu['mapped']}/{total}"


def _legend(record: Mapping[str, Any]) -> str:
    latency = record["variants"][record["chosen"]]["latency"]
    tested = record["split"]["sizes"]["test"]
    return (
        f"Accuracy on {formatting.number(tested, 'test image')}, with 95 % interval. Times: "
        f"{formatting.runner(latency)}. TPU: operations predicted to run on the Edge TPU. "
        f"{_FRONT} no other is both as accurate and faster."
    )


def _judgement(record: Mapping[str, Any]) -> Iterator["Text"]:
    """The verdict, and what suffers."""
    from rich.text import Text

    verdict = record["verdict"]
    yield Text.assemble(
        (f"{verdict['status'].upper()}  ", _STYLES[verdict["status"]]), f"{verdict['reason']}."
    )
    doubt = text.baseline_warning(record)
    if doubt:
        yield Text(doubt, style="yellow")
    if verdict["classes"]:
        yield Text(f"Classes that lose the most: {', '.join(verdict['classes'])}.")
    if verdict["layers"]:
        worst = ", ".join(f"{row['layer']} ({row['snr_db']:.0f} dB)" for row in verdict["layers"])
        yield Text(f"Layers that differ most from float32: {worst}.")


def _choice(record: Mapping[str, Any]) -> Iterator["Text"]:
    """Why this variant, and what came of compiling it."""
    from rich.text import Text

    choice = record["choice"]
    if not choice["met"]:
        yield Text.assemble(("NO    ", _STYLES["fail"]), f"{choice['reason']}.")
    elif len(record["variants"]) > 3 or choice["failures"]:
        yield Text(f"Chosen: {choice['reason']}.")
    if record["compiled"]:
        yield from map(Text, record["compiled"]["notes"])


def _board(record: Mapping[str, Any]) -> Iterator["Text"]:
    """What the chosen file would take on the board."""
    from rich.text import Text

    if record["board"] is not None:
        yield Text(text.estimated_latency(record))


def _about_files(record: Mapping[str, Any]) -> Iterator["Text"]:
    """What recipes did not gain, and what scores mean."""
    from rich.text import Text

    for name, row in record["variants"].items():
        if row["gain"]:
            yield Text(f"{printable(name)}: {row['gain']}")
    confidence = record["confidence"]
    errors = (confidence["test"]["ece_before"], confidence["test"]["ece_after"])
    before, after = map(formatting.percent, errors)
    temperature = confidence["temperature"]
    said = f"temperature {temperature:.2f}; calibration error {before} before, {after} after"
    yield Text(f"Scores: {said if temperature != 1 else f'calibration error {after}'}.")
    threshold = record["variants"][record["chosen"]]["threshold"]
    if threshold:
        from converters.verification.calibration import ScoreThreshold

        yield Text(ScoreThreshold(**threshold).words())


def _places(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Model", "model.tflite"
    compiled = record["compiled"]
    if compiled and compiled["file"]:
        yield "Edge TPU", compiled["file"]
    yield "Report", "report.html"
