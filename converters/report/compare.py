"""Comparison of reports: one table of the variants of several results."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converters.artifacts import REPORT_FILE
from converters.report.codec import to_plain
from converters.report.evidence import VerdictReport
from converters.report.model import ACCURACY, Report
from converters.report.sections import MetricReport
from converters.report.tables import Column, columns
from converters.report.text import noise_warning
from converters.report.variant import BASELINE, VariantReport
from converters.report.verdict_text import STATUS_NAMES, overall_status
from converters.selection.select import pareto_front
from edge.errors import UsageError, did_you_mean
from edge.terminal import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

SORTS: dict[str, tuple[Callable[[VariantReport], float | None], int]] = {
    "accuracy": (lambda row: row.quality.value, -1),
    "agreement": (lambda row: row.quality.agreement, -1),
    "time": (lambda row: row.timing.p50_ms, 1),
    "size": (lambda row: row.bytes, 1),
    "gzip": (lambda row: row.gzip_bytes, 1),
    "operations": (lambda row: row.multiply_adds, 1),
    "sparsity": (lambda row: row.sparsity, -1),
}
"""Figures to sort variants by, and whether lower (1) or higher (-1) is better.

"accuracy" is the metric of the task, whatever its name.
"""


@dataclass(frozen=True, slots=True)
class ComparedResult:
    """An earlier result in a comparison.

    ``name``: unique among those compared; ``task`` and its ``metric``; ``tested``: sha256 of the
    test images' files; ``processor`` that it was timed on; ``chosen``: the variant in its
    model.tflite, and the ``verdict`` on it, with its ``status`` (see
    :mod:`converters.report.verdict_text`).
    """

    name: str
    path: Path
    created: str
    task: str
    metric: MetricReport
    classes: tuple[str, ...]
    tested: frozenset[str]
    processor: str
    chosen: str
    verdict: VerdictReport
    status: str
    rows: tuple[VariantReport, ...]


@dataclass(frozen=True, slots=True)
class ComparisonEntry:
    """A variant of one of the results; ``front``: it is on the Pareto front of all of them."""

    result: ComparedResult
    row: VariantReport
    front: bool

    @property
    def chosen(self) -> bool:
        """True if the variant is the one in model.tflite."""
        return self.row.name == self.result.chosen


@dataclass(frozen=True, slots=True)
class Comparison:
    """Variants to compare: ``entries`` in order, and ``warnings`` on what is not comparable."""

    results: tuple[ComparedResult, ...]
    entries: tuple[ComparisonEntry, ...]
    baseline: VariantReport
    warnings: tuple[str, ...]

    @property
    def metric(self) -> MetricReport:
        """The metric that all results are judged by."""
        return self.results[0].metric

    def to_dict(self) -> dict[str, Any]:
        """Return the output of ``edge compare --json``; figures that a result lacks are null."""
        return {
            "baseline": {"result": self.results[0].name, "variant": self.baseline.name},
            "warnings": list(self.warnings),
            "results": [_about(result) for result in self.results],
            "variants": [_figures(entry, self.baseline) for entry in self.entries],
        }


def sorted_by(comparison: Comparison, key: str) -> Comparison:
    """Sort by one of :data:`SORTS`, best first; entries without the figure come last.

    Raises:
        UsageError: an unknown key.
    """
    if key not in SORTS:
        raise UsageError(
            f"one of {', '.join(SORTS)}",
            repr(key),
            did_you_mean(key, SORTS, "use accuracy"),
            code="unknown-option-value",
        )
    figure, sign = SORTS[key]

    def rank(entry: ComparisonEntry) -> tuple[bool, float]:
        value = figure(entry.row)
        return value is None, sign * (value or 0)

    return replace(comparison, entries=tuple(sorted(comparison.entries, key=rank)))


def compare_results(paths: Sequence[Path]) -> Comparison:
    """Read results and compare their variants.

    Args:
        paths: folders of results, or their report.json; the first one's int8 is the baseline.

    Raises:
        UsageError: no path, a path without a result, or given twice.
    """
    if not paths:
        raise UsageError(
            "at least one result",
            "none",
            "give the folder that 'edge convert' wrote",
            code="missing-argument",
        )
    names = _names(paths)
    results = tuple(_read(path, name) for path, name in zip(paths, names, strict=True))
    _check_tasks(results)
    every = [(result, row) for result in results for row in result.rows]
    best = pareto_front([(row.quality.value, row.timing.p50_ms) for _, row in every])
    return Comparison(
        results=results,
        entries=tuple(ComparisonEntry(*pair, on) for pair, on in zip(every, best, strict=True)),
        baseline=next(row for row in results[0].rows if row.name == BASELINE),
        warnings=_warnings(results),
    )


def _check_tasks(results: Sequence[ComparedResult]) -> None:
    first = results[0]
    for other in results[1:]:
        if (other.task, other.metric.key) != (first.task, first.metric.key):
            raise UsageError(
                f"results of one task, {first.task} as {first.name}",
                f"{other.task}, {other.name}",
                "compare results of each task by themselves",
                code="results-of-different-tasks",
            )


def _names(paths: Sequence[Path]) -> list[str]:
    """Return the folders' names, or their full paths where two share a name."""
    folders = [path.parent if path.name == REPORT_FILE else path for path in paths]
    resolved = [folder.resolve() for folder in folders]
    for given, path in zip(paths, resolved, strict=True):
        if resolved.count(path) > 1:
            raise UsageError(
                "each result once", f"{given} twice", "pass it once", code="duplicate-result"
            )
    short = [path.name for path in resolved]
    unique = len(set(short)) == len(short)
    return [
        printable(name if unique else str(path)) for name, path in zip(short, resolved, strict=True)
    ]


def _read(path: Path, name: str) -> ComparedResult:
    report = _printable_report(Report.load(path))
    return ComparedResult(
        name=name,
        path=path,
        created=report.created,
        task=report.task,
        metric=report.metric,
        classes=report.dataset.classes,
        tested=frozenset(report.split.test),
        processor=report.environment.cpu,
        chosen=report.chosen,
        verdict=report.verdict,
        status=overall_status(report),
        rows=tuple(report.variants.values()),
    )


def _printable_report(report: Report) -> Report:
    """Replace control characters in all strings: a file from elsewhere cannot steer a terminal."""
    return Report.from_dict(_printable(to_plain(report)))


def _printable(plain: Any) -> Any:
    if isinstance(plain, str):
        return printable(plain)
    if isinstance(plain, dict):
        return {printable(key): _printable(value) for key, value in plain.items()}
    return [_printable(value) for value in plain] if isinstance(plain, list) else plain


def _warnings(results: Sequence[ComparedResult]) -> tuple[str, ...]:
    """Name what keeps the figures of different results from being compared."""
    warnings = []
    if others := _differing(results, lambda r: (r.classes, r.tested)):
        warnings.append(
            f"{_plural(results[0].metric)} come from different test images: {others} other classes "
            f"or another "
            f"test subset than {results[0].name}, which may explain the differences."
        )
    if others := _differing(results, lambda r: r.processor):
        warnings.append(
            f"Latencies come from different computers: {results[0].name} was measured on "
            f"{results[0].processor}; {others} another processor."
        )
    runners = {row.timing.runner() for result in results for row in result.rows}
    if len(runners) > 1:
        warnings.append(
            f"Latencies come from different interpreters: {'; '.join(sorted(runners))}."
        )
    if noise := noise_warning(row for result in results for row in result.rows):
        warnings.append(noise)
    return tuple(warnings)


def _plural(metric: MetricReport) -> str:
    return "Accuracies" if metric.key == ACCURACY.key else f"Values of {metric.name}"


def _differing(results: Sequence[ComparedResult], key: Callable[[ComparedResult], Hashable]) -> str:
    """Name the results whose key differs from the first, as the start of a sentence; or ""."""
    names = [result.name for result in results[1:] if key(result) != key(results[0])]
    return f"{', '.join(names)} {'has' if len(names) == 1 else 'have'}" if names else ""


def _about(result: ComparedResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "path": str(result.path),
        "created": result.created,
        "processor": result.processor,
        "test_pictures": len(result.tested),
        "chosen": result.chosen,
        "status": result.status,
        "verdict": to_plain(result.verdict),
    }


def _figures(entry: ComparisonEntry, baseline: VariantReport) -> dict[str, Any]:
    row, prediction, threshold = entry.row, entry.row.edgetpu, entry.row.threshold
    return {
        "result": entry.result.name,
        "variant": row.name,
        "chosen": entry.chosen,
        "pareto": entry.front,
        entry.result.metric.key: row.quality.value,
        "interval": list(row.quality.interval),
        "agreement": row.quality.agreement,
        "bytes": row.bytes,
        "gzip_bytes": row.gzip_bytes,
        "timing": to_plain(row.timing),
        "timings": [to_plain(timing) for timing in row.timings],
        "sparsity": row.sparsity,
        "multiply_adds": row.multiply_adds,
        "edgetpu": prediction
        and {
            "status": prediction.status,
            "mapped": prediction.mapped,
            "on_cpu": prediction.on_cpu,
        },
        "unknown": threshold and {"score": threshold.score, "coverage": threshold.coverage},
        "gain": row.gain,
        "against_baseline": {
            "points": 100 * (row.quality.value - baseline.quality.value),
            "bytes": row.bytes / baseline.bytes,
            "gzip_bytes": row.gzip_bytes / baseline.gzip_bytes,
            "p50_ms": row.timing.p50_ms / baseline.timing.p50_ms,
        },
    }


FRONT = "◆"
MISSING = "–"
_OPTIONAL = ("unknown", "agreement", "sparsity", "gzip", "operations", "points", "size", "edgetpu")
"""Columns that a narrow terminal omits, the least important first."""

_UNBOUNDED = 10_000


def show_table(comparison: Comparison, console: "Console | None" = None) -> None:
    """Print the table, its legend, and warnings on what cannot be compared.

    Args:
        comparison: its entries are in the order of the lines.
        console: to print to; by default stdout, of unlimited width where that is no terminal.
    """
    from rich.console import Console
    from rich.text import Text

    shown = console or Console(highlight=False)
    every = columns([entry.row for entry in comparison.entries], comparison.metric.name)
    if not shown.is_terminal and console is None:
        shown = Console(highlight=False, width=_UNBOUNDED)
    kept = _fitting(comparison, every, shown)
    shown.print()
    shown.print(_table(comparison, kept))
    shown.print()
    shown.print(Text(_legend(comparison), style="dim"))
    if omitted := [column.heading for column in every if column not in kept]:
        shown.print(Text(f"No room for: {', '.join(omitted)}; see --json.", style="dim"))
    for result in comparison.results:
        shown.print(Text(_verdict(result)))
    for warning in comparison.warnings:
        shown.print(Text(f"Note: {warning}", style="yellow"))
    for entry in comparison.entries:
        if entry.row.gain:
            shown.print(Text(f"{entry.result.name}, {entry.row.name}: {entry.row.gain}"))


def _verdict(result: ComparedResult) -> str:
    verdict = result.verdict
    low, high = verdict.interval
    return (
        f"{result.name}: {STATUS_NAMES[result.status].upper()}. {result.chosen} loses "
        f"{verdict.drop:.1f} points compared to float32 ({low:.1f} to {high:.1f}), "
        f"{verdict.max_drop:g} allowed."
    )


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
