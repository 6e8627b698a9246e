"""Plot of the task's metric over latency with the Pareto front and its labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from converters.report import formatting, label_placement
from converters.report.axes import AxisScale, frame, titles
from converters.report.drawing import (
    INK,
    MARKERS,
    SERIES,
    Drawing,
    Label,
    Marker,
    Polyline,
    Shape,
    text_width,
)

_LOGARITHMIC_FROM = 8
"""Ratio of the longest to the shortest time from which the scale is logarithmic."""

_LEFT, _RIGHT, _BELOW, _ABOVE = 52.0, 12.0, 52.0, 10.0
"""Margins in points."""

_LEGEND_ROW, _LEGEND_COLUMNS = 15.0, 3


@dataclass(frozen=True, slots=True)
class ParetoPoint:
    """A variant in the plot.

    ``group``: the result it belongs to, which determines color and marker; ``quality`` and
    ``interval`` are shares (0–1); ``front``: it is on the Pareto front; ``chosen``: it became
    model.tflite.
    """

    name: str
    group: str
    p50_ms: float
    quality: float
    interval: tuple[float, float]
    front: bool
    chosen: bool


def describe(points: Sequence[ParetoPoint], metric: str) -> str:
    """Describe the plot in words, as its alternative text; ``metric``: name of the task's."""
    best = [point for point in points if point.front]
    listed = ", ".join(
        f"{p.name} ({formatting.percent(p.quality)} in {formatting.milliseconds(p.p50_ms)})"
        for p in sorted(best, key=lambda point: point.p50_ms)
    )
    number = formatting.number(len(points), "variant")
    return f"{formatting.heading(metric)} by latency of {number}. Pareto front: {listed}."


def draw(points: Sequence[ParetoPoint], metric: str, size: tuple[float, float]) -> Drawing:
    """Draw points with their intervals and labels, and the Pareto front as a staircase.

    Args:
        points: at least one.
        metric: name of the task's metric.
        size: width and height in points.
    """
    width, height = size
    groups = list(dict.fromkeys(point.group for point in points))
    rows = -(-len(groups) // _LEGEND_COLUMNS) if len(groups) > 1 else 0
    x, y = _scales(points, width, height - rows * _LEGEND_ROW)
    shapes = frame(x, y, x.ticks(9), y.ticks(6))
    below = "median latency (ms)\nfilled: no other is as accurate and as fast"
    shapes += titles(x, y, below, f"{metric} (%)")
    shapes += _staircase(points, x, y)
    colors = {group: SERIES[number % len(SERIES)] for number, group in enumerate(groups)}
    for number, group in enumerate(groups):
        own = [point for point in points if point.group == group]
        shapes += _points(own, _shape(number), colors[group], x, y)
    first = sorted(points, key=lambda point: (not point.chosen, not point.front))
    shapes += _labels(first, colors, x, y)
    if rows:
        shapes += _legend(colors, width, height)
    return Drawing(width, height, shapes)


def _scales(points: Sequence[ParetoPoint], width: float, top: float) -> tuple[AxisScale, AxisScale]:
    times = [p.p50_ms for p in points]
    low = 100 * min(p.interval[0] for p in points)
    high = 100 * max(p.interval[1] for p in points)
    pad = max(0.08 * (high - low), 1.0)
    y = AxisScale(max(low - pad, -1), min(high + pad, 101), _BELOW, top - _ABOVE)
    if max(times) / min(times) >= _LOGARITHMIC_FROM:
        x = AxisScale(min(times) / 1.6, max(times) * 1.6, _LEFT, width - _RIGHT, logarithmic=True)
    else:
        span = max(max(times) - min(times), 0.2 * max(times))
        ends = max(0, min(times) - 0.15 * span), max(times) + 0.2 * span
        x = AxisScale(*ends, _LEFT, width - _RIGHT)
    return x, y


def _shape(number: int) -> str:
    return list(MARKERS)[number % len(MARKERS)]


def _points(
    points: Sequence[ParetoPoint], shape: str, color: str, x: AxisScale, y: AxisScale
) -> Iterator[Shape]:
    for point in points:
        place = x(point.p50_ms)
        ends = [(place, y(100 * bound)) for bound in point.interval]
        yield Polyline(ends, color, 1.0, opacity=0.45)
    for point in points:
        yield Marker((x(point.p50_ms), y(100 * point.quality)), shape, color, point.front)


def _staircase(points: Sequence[ParetoPoint], x: AxisScale, y: AxisScale) -> Iterator[Shape]:
    """Draw the best quality within a latency as steps, from the fastest variant on."""
    best = sorted((p.p50_ms, 100 * p.quality) for p in points if p.front)
    corners = []
    for (time, quality), after in zip(best, [*(t for t, _ in best[1:]), x.high], strict=True):
        corners += [(x(time), y(quality)), (x(after), y(quality))]
    if corners:
        yield Polyline(corners, INK, 1.0, (4, 3), 0.5)


def _labels(
    points: Sequence[ParetoPoint], colors: dict[str, str], x: AxisScale, y: AxisScale
) -> Iterator[Shape]:
    """Write the names next to their points."""
    centers = np.array([(x(p.p50_ms), y(100 * p.quality)) for p in points])
    ends = np.array([[y(100 * bound) for bound in p.interval] for p in points])
    sizes = np.array([(text_width(p.name, 10, p.chosen), 10.0) for p in points])
    bars = np.column_stack([centers[:, 0] - 1, ends[:, 0], centers[:, 0] + 1, ends[:, 1]])
    inside = (x.start, y.start, x.end, y.end)
    placed = label_placement.place(centers, sizes, bars, inside)
    for point, center, label in zip(points, centers.tolist(), placed, strict=True):
        color = colors[point.group]
        if label.leader is not None:
            yield Polyline((tuple(center), label.leader), color, 0.6, opacity=0.5)
        left, bottom = label.box[:2]
        at = left, bottom + 2
        yield Label(at, point.name, color, bold=point.chosen, covering=True)


def _legend(colors: dict[str, str], width: float, height: float) -> Iterator[Shape]:
    column = (width - _LEFT - _RIGHT) / _LEGEND_COLUMNS
    for number, (group, color) in enumerate(colors.items()):
        row, place = divmod(number, _LEGEND_COLUMNS)
        left, bottom = _LEFT + place * column, height - 12 - row * _LEGEND_ROW
        yield Marker((left + 4, bottom + 3.5), _shape(number), color)
        yield Label((left + 12, bottom), group, size=9)
