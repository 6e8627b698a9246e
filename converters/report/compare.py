"""Results side by side: all variants of several conversions, and whether they can be compared."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from converters.output_dir import REPORT_FILE
from converters.report import saved
from converters.report.rows import BASELINE, VariantRow, rows
from converters.selection.pareto import pareto_front
from edge.errors import UsageError
from edge.terminal.text import printable

SORTS: dict[str, tuple[Callable[[VariantRow], float | None], int]] = {
    "accuracy": (lambda row: row.accuracy, -1),
    "agreement": (lambda row: row.agreement, -1),
    "time": (lambda row: row.timing.p50_ms, 1),
    "size": (lambda row: row.bytes, 1),
    "gzip": (lambda row: row.gzip_bytes, 1),
    "operations": (lambda row: row.multiply_adds, 1),
    "sparsity": (lambda row: row.sparsity, -1),
}
"""What variants can be sorted by, and whether the better is the lower (1) or the higher (-1)."""


@dataclass(frozen=True, slots=True)
class ComparedResult:
    """An earlier result as it is compared.

    ``name``: unique among those compared; ``tested``: sha256 of the test images' files;
    ``processor``: what it was timed on; ``chosen``: the variant in its model.tflite.
    """

    name: str
    path: Path
    created: str
    classes: tuple[str, ...]
    tested: frozenset[str]
    processor: str
    chosen: str
    rows: tuple[VariantRow, ...]


@dataclass(frozen=True, slots=True)
class ComparisonEntry:
    """A variant of one of the results; ``pareto_front``: no other of any result beats it."""

    result: ComparedResult
    row: VariantRow
    front: bool

    @property
    def chosen(self) -> bool:
        return self.row.name == self.result.chosen


@dataclass(frozen=True, slots=True)
class Comparison:
    """``entries`` in the order they are shown; ``warnings`` say what is not comparable."""

    results: tuple[ComparedResult, ...]
    entries: tuple[ComparisonEntry, ...]
    baseline: VariantRow
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """What ``edge compare --json`` prints; figures that a result lacks are null."""
        return {
            "baseline": {"result": self.results[0].name, "variant": self.baseline.name},
            "warnings": list(self.warnings),
            "results": [_about(result) for result in self.results],
            "variants": [_figures(entry, self.baseline) for entry in self.entries],
        }


def sorted_by(comparison: Comparison, key: str) -> Comparison:
    """Sorted by one of :data:`SORTS`, the best first; entries without the figure come last."""
    figure, sign = SORTS[key]

    def rank(entry: ComparisonEntry) -> tuple[bool, float]:
        value = figure(entry.row)
        return value is None, sign * (value or 0)

    return replace(comparison, entries=tuple(sorted(comparison.entries, key=rank)))


def compare_results(places: Sequence[Path]) -> Comparison:
    """Read results and set their variants side by side.

    Args:
        places: folders of results, or their report.json; the first one's int8 is the baseline.

    Raises:
        UsageError: a place without a result, or named twice.
    """
    names = _names(places)
    results = tuple(_read(place, name) for place, name in zip(places, names, strict=True))
    every = [(result, row) for result in results for row in result.rows]
    best = pareto_front([(row.accuracy, row.timing.p50_ms) for _, row in every])
    return Comparison(
        results=results,
        entries=tuple(ComparisonEntry(*pair, on) for pair, on in zip(every, best, strict=True)),
        baseline=next(row for row in results[0].rows if row.name == BASELINE),
        warnings=_warnings(results),
    )


def _names(places: Sequence[Path]) -> list[str]:
    """The folders' names, or their whole paths where two share a name."""
    folders = [place.parent if place.name == REPORT_FILE else place for place in places]
    whole = [folder.resolve() for folder in folders]
    for place, path in zip(places, whole, strict=True):
        if whole.count(path) > 1:
            raise UsageError(
                "each result once", f"{place} twice", "pass it once", code="duplicate-result"
            )
    short = [path.name for path in whole]
    unique = len(set(short)) == len(short)
    return [
        printable(name if unique else str(path)) for name, path in zip(short, whole, strict=True)
    ]


def _read(place: Path, name: str) -> ComparedResult:
    record = saved.load(place)
    try:
        result = ComparedResult(
            name=name,
            path=place,
            created=printable(record["created"]),
            classes=tuple(record["dataset"]["classes"]),
            tested=frozenset(record["split"]["test"]),
            processor=printable(record["environment"]["cpu"]),
            chosen=printable(record["chosen"]),
            rows=tuple(rows(record)),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise _broken(place, f"{type(error).__name__}: {error}") from error
    if not {BASELINE, result.chosen} <= {row.name for row in result.rows}:
        raise _broken(place, f"no variant {BASELINE} or {result.chosen}")
    return result


def _broken(place: Path, why: str) -> UsageError:
    return UsageError(
        f"a complete {REPORT_FILE}",
        f"a damaged one in {place} ({why})",
        "convert the dataset again",
        code="result-invalid",
    )


def _warnings(results: Sequence[ComparedResult]) -> tuple[str, ...]:
    """What keeps the figures of different results from being compared."""
    found = []
    if others := _differing(results, lambda r: (r.classes, r.tested)):
        found.append(
            f"Accuracies come from different test images: {others} other classes or another "
            f"test subset than {results[0].name}, which may explain the differences."
        )
    if others := _differing(results, lambda r: r.processor):
        found.append(
            f"Latencies come from different computers: {results[0].name} was measured on "
            f"{results[0].processor}; {others} another processor."
        )
    runners = {row.timing.runner() for result in results for row in result.rows}
    if len(runners) > 1:
        found.append(f"Latencies come from different interpreters: {'; '.join(sorted(runners))}.")
    return tuple(found)


def _differing(results: Sequence[ComparedResult], key: Callable[[ComparedResult], Hashable]) -> str:
    """The results whose key is not that of the first, as the start of a sentence; or nothing."""
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


def _figures(entry: ComparisonEntry, baseline: VariantRow) -> dict[str, Any]:
    row = entry.row
    facts = asdict(row)
    return {
        "result": entry.result.name,
        "variant": facts.pop("name"),
        "chosen": entry.chosen,
        "pareto": entry.front,
        **facts,
        "against_baseline": {
            "points": 100 * (row.accuracy - baseline.accuracy),
            "bytes": row.bytes / baseline.bytes,
            "gzip_bytes": row.gzip_bytes / baseline.gzip_bytes,
            "p50_ms": row.timing.p50_ms / baseline.timing.p50_ms,
        },
    }
