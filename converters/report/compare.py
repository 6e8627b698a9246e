"""Comparison of results: the variants of several conversions, and their comparability."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from converters.output_dir import REPORT_FILE
from converters.report import saved
from converters.report.codec import to_plain
from converters.report.model import Report
from converters.report.variant import BASELINE, VariantReport
from converters.selection.pareto import pareto_front
from edge.errors import UsageError, did_you_mean
from edge.terminal.text import printable

SORTS: dict[str, tuple[Callable[[VariantReport], float | None], int]] = {
    "accuracy": (lambda row: row.accuracy, -1),
    "agreement": (lambda row: row.agreement, -1),
    "time": (lambda row: row.timing.p50_ms, 1),
    "size": (lambda row: row.bytes, 1),
    "gzip": (lambda row: row.gzip_bytes, 1),
    "operations": (lambda row: row.multiply_adds, 1),
    "sparsity": (lambda row: row.sparsity, -1),
}
"""Figures to sort variants by, and whether lower (1) or higher (-1) is better."""


@dataclass(frozen=True, slots=True)
class ComparedResult:
    """An earlier result in a comparison.

    ``name``: unique among those compared; ``tested``: sha256 of the test images' files;
    ``processor`` that it was timed on; ``chosen``: the variant in its model.tflite.
    """

    name: str
    path: Path
    created: str
    classes: tuple[str, ...]
    tested: frozenset[str]
    processor: str
    chosen: str
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
        UsageError: a path without a result, or given twice.
    """
    names = _names(paths)
    results = tuple(_read(path, name) for path, name in zip(paths, names, strict=True))
    every = [(result, row) for result in results for row in result.rows]
    best = pareto_front([(row.accuracy, row.timing.p50_ms) for _, row in every])
    return Comparison(
        results=results,
        entries=tuple(ComparisonEntry(*pair, on) for pair, on in zip(every, best, strict=True)),
        baseline=next(row for row in results[0].rows if row.name == BASELINE),
        warnings=_warnings(results),
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
    report = _printable_report(saved.load(path))
    return ComparedResult(
        name=name,
        path=path,
        created=report.created,
        classes=report.dataset.classes,
        tested=frozenset(report.split.test),
        processor=report.environment.cpu,
        chosen=report.chosen,
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
            f"Accuracies come from different test images: {others} other classes or another "
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
    return tuple(warnings)


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
    }


def _figures(entry: ComparisonEntry, baseline: VariantReport) -> dict[str, Any]:
    row, prediction, threshold = entry.row, entry.row.edgetpu, entry.row.threshold
    return {
        "result": entry.result.name,
        "variant": row.name,
        "chosen": entry.chosen,
        "pareto": entry.front,
        "accuracy": row.accuracy,
        "interval": list(row.accuracy_interval),
        "agreement": row.agreement,
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
            "points": 100 * (row.accuracy - baseline.accuracy),
            "bytes": row.bytes / baseline.bytes,
            "gzip_bytes": row.gzip_bytes / baseline.gzip_bytes,
            "p50_ms": row.timing.p50_ms / baseline.timing.p50_ms,
        },
    }
