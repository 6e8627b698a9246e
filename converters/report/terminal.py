"""Summary on the terminal after a conversion."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from converters.report import formatting, text, verdict_text
from converters.report.model import Report
from converters.report.variant import EdgeTpuReport
from edge import next_steps
from edge.next_steps import NextStep
from edge.terminal import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_STYLES = {"pass": "bold green", "not-proven": "bold yellow", "fail": "bold red"}
_FRONT = "◆"


def summary(report: Report, out: Path, console: "Console | None" = None) -> None:
    """Print the variants, the verdict, the selection and the paths of the result.

    Args:
        report: of the conversion.
        out: the folder of the result, as it is shown.
        console: to print to; stdout by default.
    """
    from rich.console import Console
    from rich.text import Text

    shown = console or Console(highlight=False)
    shown.print()
    shown.print(_table(report))
    shown.print(Text(_legend(report), style="dim"))
    if noise := text.noise_warning(report.variants.values()):
        shown.print(Text(noise, style="yellow"))
    for paragraph in (_judgment, _choice, _board, _about_files):
        lines = list(paragraph(report))
        if lines:
            shown.print()
        for line in lines:
            shown.print(line)
    # Commands and paths are for copying: never broken over lines, never read as markup.
    if report.compiled and not report.compiled.compiler:
        from converters.edgetpu.runner import install_instructions

        shown.print()
        shown.print(Text(install_instructions().rstrip()), soft_wrap=True)
    shown.print()
    for label, name in _paths(report):
        shown.print(Text(f"{label + ':':<10}{out / name}"), soft_wrap=True)
    if report.next_steps:
        shown.print()
        steps = (NextStep(step.why, step.command) for step in report.next_steps)
        shown.print(Text("\n".join(next_steps.lines(steps))), soft_wrap=True)


def _table(report: Report) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("variant", no_wrap=True)
    agreeing = report.chosen_variant.quality.agreement is not None
    agree = ("agree",) if agreeing else ()
    for heading in (report.metric.name, *agree, "size", "gzip", "p50", "TPU"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in report.variants.items():
        mark = _FRONT if name in report.choice.pareto else " "
        quality, agreement = row.quality, row.quality.agreement
        cells = (
            f"{printable(name)} {mark}",
            f"{formatting.percent(quality.value)} ({formatting.interval(quality.interval)})",
            *(() if agreement is None else (formatting.percent(agreement),)),
            formatting.size(row.bytes),
            formatting.size(row.gzip_bytes),
            text.latency(row.timing),
            _mapped(row.edgetpu),
        )
        chosen = name == report.chosen
        table.add_row(*(Text(cell) for cell in cells), style="bold" if chosen else None)
    return table


def _mapped(prediction: EdgeTpuReport | None) -> str:
    """Return the share of operations that is predicted to run on the Edge TPU."""
    if prediction is None:
        return ""
    if prediction.status != "partly":
        return prediction.status
    return f"{prediction.mapped}/{prediction.operations}"


def _legend(report: Report) -> str:
    runner = report.chosen_variant.timing.runner()
    return (
        f"{formatting.heading(report.metric.name)} on {verdict_text.tested(report)}, with 95 % "
        f"interval. Times: {runner}. TPU: operations predicted to run on the Edge TPU. "
        f"{_FRONT} no other is both as accurate and faster."
    )


def _judgment(report: Report) -> Iterator["Text"]:
    """Yield the verdict, and the classes and layers that suffer."""
    from rich.text import Text

    verdict = report.verdict
    label = f"{verdict_text.STATUS_NAMES[verdict.status].upper()}  "
    first, *others = verdict_text.reasons(report)
    yield Text.assemble((label, _STYLES[verdict.status]), first)
    yield from map(Text, others)
    if summary := verdict_text.cross_validation_summary(report):
        yield Text(summary)
    if verdict.classes:
        yield Text(f"Classes that lose the most: {', '.join(verdict.classes)}.")
    if verdict.layers:
        worst = ", ".join(f"{row.layer} ({row.snr_db:.0f} dB)" for row in verdict.layers)
        yield Text(f"Layers that differ most from float32: {worst}.")


def _choice(report: Report) -> Iterator["Text"]:
    """Yield the reason of the selection, and the notes on compiling."""
    from rich.text import Text

    choice = report.choice
    if not choice.met:
        yield Text.assemble(("NO    ", _STYLES["fail"]), f"{choice.reason}.")
    elif len(report.variants) > 3 or choice.failures:
        yield Text(f"Chosen: {choice.reason}.")
    if report.compiled:
        yield from map(Text, report.compiled.notes)


def _board(report: Report) -> Iterator["Text"]:
    """Yield the estimated latency on the board."""
    from rich.text import Text

    if report.board is not None:
        yield Text(text.estimated_latency(report.board, report.chosen))


def _about_files(report: Report) -> Iterator["Text"]:
    """Yield recipes without a gain, and the meaning of the scores."""
    from rich.text import Text

    for name, row in report.variants.items():
        if row.gain:
            yield Text(f"{printable(name)}: {row.gain}")
    if report.calibration:
        temperature, test = report.calibration.temperature, report.calibration.test
        before, after = map(formatting.percent, (test.ece_before, test.ece_after))
        change = f"temperature {temperature:.2f}; calibration error {before} before, {after} after"
        yield Text(f"Scores: {change if temperature != 1 else f'calibration error {after}'}.")
    if threshold := report.chosen_variant.threshold:
        from converters.verification.calibration import ScoreThreshold

        yield Text(
            ScoreThreshold(
                threshold.precision, threshold.score, threshold.reached, threshold.lower,
                threshold.coverage, threshold.images,
            ).words()
        )  # fmt: skip


def _paths(report: Report) -> Iterator[tuple[str, str]]:
    yield "Model", "model.tflite"
    if report.compiled and report.compiled.file:
        yield "Edge TPU", report.compiled.file
    yield "Report", "report.html"
