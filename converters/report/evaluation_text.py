"""Words and tables of an evaluation, for the terminal and the page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from converters.evaluation.records import Evaluation, PairedDrop
from converters.evaluation.tasks import EVALUATIONS
from converters.metrics.resampling import Bounds
from converters.report import formatting


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric with its heading, formatted; ``interval``: "" without one."""

    heading: str
    value: str
    interval: str


def figures(evaluation: Evaluation) -> list[Figure]:
    """Return all metrics, the most important first; those that are undefined are left out."""
    headings = EVALUATIONS[evaluation.task].headings
    return [
        Figure(headings[name], formatting.percent(value), _bounds(evaluation.intervals.get(name)))
        for name, value in evaluation.metrics.items()
        if value is not None
    ]


def further(evaluation: Evaluation) -> Iterator[str]:
    """Yield sentences on further figures of the task."""
    details = evaluation.details
    best = details.get("best_f1")
    if best is not None:
        yield (
            f"The best F1, {formatting.percent(best['f1'])}, is reached with a score threshold of "
            f"{formatting.percent(best['score'])}: precision "
            f"{formatting.percent(best['precision'])}, recall {formatting.percent(best['recall'])}."
        )
    counts = details.get("counts")
    if counts is not None:
        low, high = counts["interval"]
        more = "too many" if counts["bias"] > 0 else "too few"
        yield (
            f"An image has {counts['mean']:.1f} objects on average, and the count is wrong by "
            f"{counts['error']:.1f} of them (95 % interval {low:.1f} to {high:.1f}): "
            f"{abs(counts['bias']):.1f} {more} in the mean."
        )
    alarms = details.get("false_alarms_per_100")
    if alarms is not None:
        yield (
            f"On images without these objects there are {alarms:.1f} false alarms per 100 images "
            f"above {formatting.percent(details['threshold'])}."
        )


def class_headings(evaluation: Evaluation) -> list[str]:
    """Return the headings of the figures per class."""
    return list(EVALUATIONS[evaluation.task].class_headings.values())


def class_rows(evaluation: Evaluation) -> list[tuple[str, list[str]]]:
    """Return each class with its formatted figures, the worst first."""
    task = EVALUATIONS[evaluation.task]

    def cell(row: Mapping[str, float | int | Bounds | None], key: str) -> str:
        value = row[key]
        if isinstance(value, int):
            return f"{value:,}"
        if not isinstance(value, float):
            return "–"
        interval = row["interval"]
        bounds = f" ({formatting.interval(interval)})" if isinstance(interval, tuple) else ""
        return formatting.percent(value) + (bounds if key == task.class_main else "")

    def rank(item: tuple[str, Mapping[str, float | int | Bounds | None]]) -> float:
        value = item[1][task.class_main]
        return value if isinstance(value, float) else 2.0

    rows = sorted(evaluation.per_class.items(), key=rank)
    return [(label, [cell(row, key) for key in task.class_headings]) for label, row in rows]


def main_figures(evaluation: Evaluation) -> Iterator[tuple[str, float]]:
    """Yield each class with the share that it is judged by, 0 where that is undefined."""
    for label, row in evaluation.per_class.items():
        value = row[EVALUATIONS[evaluation.task].class_main]
        yield label, value if isinstance(value, float) else 0.0


def time_sentence(evaluation: Evaluation) -> str:
    """Say how long an image takes."""
    timed = evaluation.time
    threads = formatting.number(timed.threads, "thread")
    return (
        f"Latency per image, with preparing it and reading the outputs: "
        f"{formatting.milliseconds(timed.p50_ms)} (95th percentile "
        f"{formatting.milliseconds(timed.p95_ms)}), of which the model "
        f"{formatting.milliseconds(timed.invoke_ms)}; {timed.interpreter}, {timed.delegate}, "
        f"{threads}, on this computer"
    )


def comparison(evaluation: Evaluation) -> Iterator[str]:
    """Yield sentences on the second model; nothing without one."""
    against = evaluation.against
    if against is None:
        return
    headings = EVALUATIONS[evaluation.task].headings
    other = Path(against.reference).name
    if other == Path(evaluation.model).name:
        other = against.reference
    for drop in against.drops:
        yield _drop(drop, headings[drop.metric], other)
    for effect in against.effects:
        yield formatting.sentence(effect)
    ratio = formatting.ratio(evaluation.time.p50_ms, against.time.p50_ms)
    yield (
        f"An image takes {ratio} the time: {formatting.milliseconds(evaluation.time.p50_ms)} "
        f"instead of {formatting.milliseconds(against.time.p50_ms)}."
    )


def _drop(drop: PairedDrop, heading: str, reference: str) -> str:
    low, high = (f"{100 * bound:+.1f}".replace("-", "−") for bound in drop.interval)
    points = f"{abs(100 * drop.drop):.1f} points"
    size = f"{points} less than" if drop.drop > 0 else f"{points} more than"
    verdict = "too few images to prove a difference" if drop.drop else "no difference shows"
    if drop.proven:
        verdict = "proven to be lower" if drop.drop > 0 else "proven to be higher"
    return (
        f"{heading} {formatting.percent(drop.value)}, {size if drop.drop else 'the same as'} "
        f"{reference} ({formatting.percent(drop.reference)}). The drop lies between {low} and "
        f"{high} points (95 %): {verdict}."
    )


def _bounds(bounds: Bounds | None) -> str:
    return "" if bounds is None else formatting.interval(bounds)
