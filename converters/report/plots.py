"""Plots of the report: learning curves and reliability."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from converters.report.axes import AxisScale, frame, titles
from converters.report.drawing import (
    INK,
    SERIES,
    Bar,
    Drawing,
    Label,
    Marker,
    Point,
    Polyline,
    Shape,
    text_width,
    to_svg,
)
from converters.report.sections import CurveReport, ReliabilityBinReport
from edge.quantities import counted

_DASHES = (None, (5.0, 2.5), (1.0, 2.0))
_LOGARITHMIC_FROM = 50
_PERCENT = " (%)"
"""Suffix of the label of a panel of accuracies."""

_WIDTH, _PANEL, _BETWEEN, _LEFT, _RIGHT, _BELOW = 346.0, 104.0, 26.0, 52.0, 14.0, 36.0
"""Of curves, in points: width, height of a panel and space above it, and the margins."""

_MARKED = 12
"""Values up to which each is marked."""

_DIAGRAM = (317.0, 302.0)
"""Width and height of a reliability diagram, in points."""

_GAP = 0.7
"""Of a bar to the edges of its bin, in points."""


def curve_svg(curve: CurveReport) -> str:
    """Render a curve of the report as an ``<svg>``, accuracies and losses in separate panels.

    ``curve``: None in a series stands for no value.
    """
    panels = _panels(curve)
    height = _BELOW + len(panels) * (_PANEL + _BETWEEN)
    scale = _x_scale(curve.x)
    ticks = scale.ticks(6, whole=all(float(value).is_integer() for value in curve.x))
    shapes: list[Shape] = []
    for row, (label, series) in enumerate(panels):
        bottom = _BELOW + (len(panels) - 1 - row) * (_PANEL + _BETWEEN)
        last = row == len(panels) - 1
        y = _y_scale(series, label.endswith(_PERCENT), bottom)
        shapes += frame(scale, y, ticks, y.ticks(5), labeled=last)
        shapes += titles(scale, y, curve.x_label if last else "", label)
        shapes += _series(curve.x, series, scale, y)
        if len(series) > 1:
            shapes += _legend(series, scale.start, y.end + 8)
    return to_svg(Drawing(_WIDTH, height, shapes))


def describe_curve(curve: CurveReport) -> str:
    """Describe a curve by its first, best and last values, as the plot's alternative text."""
    parts = []
    for name, values in curve.series.items():
        known = [value for value in values if value is not None]
        if known:
            best = max(known) if "accuracy" in name else min(known)
            parts.append(f"{name} from {known[0]:.3g} to {known[-1]:.3g}, best {best:.3g}")
    return f"{curve.title} by {curve.x_label}: {'; '.join(parts)}."


def _panels(curve: CurveReport) -> list[tuple[str, Mapping[str, Sequence[float | None]]]]:
    series = curve.series
    shares = {name: values for name, values in series.items() if "accuracy" in name}
    rest = {name: values for name, values in series.items() if name not in shares}
    panels: list[tuple[str, Mapping[str, Sequence[float | None]]]] = []
    if shares:
        panels.append((_panel_label(shares, "accuracy") + _PERCENT, _scaled(shares, 100)))
    if rest:
        panels.append((_panel_label(rest, "loss" if shares else curve.y_label), rest))
    return panels


def _panel_label(series: Mapping[str, Any], common: str) -> str:
    """Return the name of the only series, or a common label where there are several."""
    return next(iter(series)) if len(series) == 1 else common


def _scaled(
    series: Mapping[str, Sequence[float | None]], factor: float
) -> dict[str, Sequence[float | None]]:
    return {
        name: [None if value is None else factor * value for value in values]
        for name, values in series.items()
    }


def _x_scale(x: Sequence[float]) -> AxisScale:
    low, high = min(x), max(x)
    start, end = _LEFT, _WIDTH - _RIGHT
    if low > 0 and high / low >= _LOGARITHMIC_FROM and len(x) <= 30:
        return AxisScale(low / 1.2, high * 1.2, start, end, logarithmic=True)
    pad = 0.04 * (high - low) or 0.5
    return AxisScale(low - pad, high + pad, start, end)


def _y_scale(
    series: Mapping[str, Sequence[float | None]], percent: bool, bottom: float
) -> AxisScale:
    known = [value for values in series.values() for value in values if value is not None] or [0.0]
    pad = 0.12 * (max(known) - min(known)) or 0.05 * abs(known[0]) or 0.5
    low, high = min(known) - pad, max(known) + pad
    if percent:
        low, high = max(low, -1.0), min(high, 101.0)
    return AxisScale(low, high, bottom, bottom + _PANEL)


def _series(
    x: Sequence[float],
    series: Mapping[str, Sequence[float | None]],
    across: AxisScale,
    up: AxisScale,
) -> Iterator[Shape]:
    for number, values in enumerate(series.values()):
        color, dash = _style(number)
        for part in _parts(x, values, across, up):
            yield Polyline(part, color, 1.8, dash)
            if len(x) <= _MARKED:
                yield from (Marker(point, color=color, radius=2.2) for point in part)


def _parts(
    x: Sequence[float], values: Sequence[float | None], across: AxisScale, up: AxisScale
) -> list[list[Point]]:
    """Return the positions of a series, in parts between missing values."""
    parts: list[list[Point]] = [[]]
    for place, value in zip(x, values, strict=True):
        if value is None:
            parts.append([])
        else:
            parts[-1].append((across(place), up(value)))
    return [part for part in parts if part]


def _style(number: int) -> tuple[str, tuple[float, float] | None]:
    return SERIES[number % len(SERIES)], _DASHES[number % len(_DASHES)]


def _legend(names: Mapping[str, Any], left: float, bottom: float) -> Iterator[Shape]:
    for number, name in enumerate(names):
        color, dash = _style(number)
        yield Polyline(((left, bottom + 3), (left + 18, bottom + 3)), color, 1.8, dash)
        yield Label((left + 22, bottom), name, size=9)
        left += 34 + text_width(name, 9)


def reliability_svg(bins: Sequence[ReliabilityBinReport], unit: str = "images") -> str:
    """Render a reliability diagram: share correct by score, and below the number of images.

    DeGroot and Fienberg, The Statistician 32 (1983) 12; Guo et al. (ICML 2017), figure 1.

    Args:
        bins: of the report.
        unit: what is counted, plural.
    """
    width, height = _DIAGRAM
    scores = AxisScale(0, 100, 46, width - 12)
    shares = AxisScale(0, 102, 116, height - 8)
    images = AxisScale(0, 1.05 * max((entry.count for entry in bins), default=1), 40, 100)
    ticks = scores.ticks(5)
    shapes = frame(scores, shares, ticks, shares.ticks(6), labeled=False, upright_grid=False)
    shapes += titles(scores, shares, "", "correct (%)", gap=32)
    shapes += frame(scores, images, ticks, images.ticks(2, whole=True), upright_grid=False)
    shapes += titles(scores, images, "score (%)", unit, gap=32)
    for entry in bins:
        left, right = scores(100 * entry.low), scores(100 * entry.high)
        for scale, value, color, opacity in (
            (shares, 100 * entry.accuracy, SERIES[0], 0.8),
            (images, entry.count, INK, 0.35),
        ):
            tall = scale(value) - scale.start
            wide = right - left - 2 * _GAP
            shapes.append(Bar(left + _GAP, scale.start, wide, tall, color, opacity))
    diagonal = ((scores(0), shares(0)), (scores(100), shares(100)))
    return to_svg(Drawing(width, height, [*shapes, Polyline(diagonal, INK, 1.2, (4, 3))]))


def describe_reliability(bins: Sequence[ReliabilityBinReport], noun: str = "image") -> str:
    """Describe the diagram in words, as its alternative text; ``noun``: what the bins count."""
    listed = "; ".join(
        f"{100 * entry.low:.0f} to {100 * entry.high:.0f} %: {counted(entry.count, noun)}, "
        f"{100 * entry.accuracy:.0f} % correct"
        for entry in bins
    )
    return f"Share of correct predictions by score. {listed}."
