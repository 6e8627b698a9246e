"""Plot of accuracy over latency with the Pareto front and its labels.

adjustText was tried for the placement of labels: in a crowded plot it leaves labels on each other
and on markers, and it places them nearer to another point than to their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin
from typing import TYPE_CHECKING, Any

from converters.report import formatting
from converters.report.plots import PAGE, Palette, page_svg, plot_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DISTANCES = (8, 12, 18, 26, 36, 48, 62, 78, 96, 116, 140)
"""Distances from the point to try, in points (1/72 inch)."""

_DIRECTIONS = tuple(pi * eighth / 8 for eighth in (0, 8, 2, 14, 6, 10, 4, 12, 1, 15, 7, 9, 3, 5))
_LEADER_DISTANCE = 13
"""From this distance on, a line connects the label with its point."""

_MARGIN = 2
_POINT = 5
_OVERLAP_COST, _BAR_COST, _OUTSIDE_COST = 10, 0.15, 100
"""Cost per square point of a label on another label or marker, on a bar, and outside the axes."""

_AMBIGUOUS_COST = 120
"""Cost of a label that lies nearer to another point than to its own."""


@dataclass(frozen=True, slots=True)
class LabelBox:
    """A rectangle in display units."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: "LabelBox") -> float:
        """Return the area that two boxes share."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(0.0, wide) * max(0.0, high)

    def distance(self, x: float, y: float) -> float:
        """Return the distance of a point from the box; 0 inside."""
        nearest_x, nearest_y = self.nearest(x, y)
        return hypot(nearest_x - x, nearest_y - y)

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """Return the position in the box that is nearest to a point."""
        return min(max(x, self.left), self.right), min(max(y, self.bottom), self.top)

    @property
    def area(self) -> float:
        """Area in square display units."""
        return (self.right - self.left) * (self.top - self.bottom)


def place_labels(
    axis: Any,
    points: Sequence[tuple[float, float]],
    bars: Sequence[tuple[float, float]],
    names: Sequence[str],
    fonts: Sequence[dict[str, Any]],
) -> None:
    """Write ``names`` next to their points, each near its own and clear of everything else.

    Each in turn takes the nearest free position around its point, or the one that covers least.
    A label may lie over bars, as it has a background.

    Args:
        axis: the axes, drawn and with their final limits; display units are points (72 dpi).
        points: (x, y) in the units of the axes.
        bars: lower and upper end of the vertical bar through each point.
        names: one for each point.
        fonts: text properties of each label.
    """
    renderer = axis.figure.canvas.get_renderer()
    to_display = axis.transData.transform
    centers = [tuple(to_display(point)) for point in points]
    taken = [LabelBox(x - _POINT, y - _POINT, x + _POINT, y + _POINT) for x, y in centers]
    thin = [
        LabelBox(x - 1, to_display((0, low))[1], x + 1, to_display((0, high))[1])
        for (x, _), (low, high) in zip(centers, bars, strict=True)
    ]
    inside = LabelBox(*axis.get_window_extent(renderer).extents)
    for center, name, font in zip(centers, names, fonts, strict=True):
        probe = axis.text(0, 0, name, **font)
        extent = probe.get_window_extent(renderer)
        probe.remove()
        others = [other for other in centers if other != center]
        box = _best_box(center, others, extent.width, extent.height, inside, taken, thin)
        taken.append(box)
        _draw_label(axis, center, box, name, font)


def _best_box(
    center: tuple[float, float],
    others: Sequence[tuple[float, float]],
    width: float,
    height: float,
    inside: LabelBox,
    taken: Sequence[LabelBox],
    thin: Sequence[LabelBox],
) -> LabelBox:
    def cost(candidate: tuple[float, LabelBox]) -> float:
        distance, box = candidate
        grown = LabelBox(
            box.left - _MARGIN, box.bottom - _MARGIN, box.right + _MARGIN, box.top + _MARGIN
        )
        covered = sum(grown.overlap(other) for other in taken)
        crossed = sum(grown.overlap(bar) for bar in thin)
        outside = box.area - box.overlap(inside)
        own = box.distance(*center)
        ambiguous = any(box.distance(*other) < own for other in others)
        return (
            distance
            + _OVERLAP_COST * covered
            + _BAR_COST * crossed
            + _OUTSIDE_COST * outside
            + _AMBIGUOUS_COST * ambiguous
        )

    candidates = [
        (distance, _box_at(center, width, height, angle, distance))
        for distance in _DISTANCES
        for angle in _DIRECTIONS
    ]
    return min(candidates, key=cost)[1]


def _box_at(
    center: tuple[float, float], width: float, height: float, angle: float, distance: float
) -> LabelBox:
    """Return a box of this size whose nearest edge or corner is ``distance`` away at ``angle``."""
    x = center[0] + distance * cos(angle)
    y = center[1] + distance * sin(angle)
    left = x - width * (1 - _side(cos(angle))) / 2
    bottom = y - height * (1 - _side(sin(angle))) / 2
    return LabelBox(left, bottom, left + width, bottom + height)


def _side(component: float) -> float:
    """Return the side (-1, 0 or 1) of the point on which the box lies along one axis."""
    return 0.0 if abs(component) < 0.2 else 1.0 if component > 0 else -1.0


def _draw_label(
    axis: Any, center: tuple[float, float], box: LabelBox, name: str, font: dict[str, Any]
) -> None:
    to_axes = axis.transAxes.inverted().transform
    if box.distance(*center) >= _LEADER_DISTANCE:
        (x0, y0), (x1, y1) = to_axes([center, box.nearest(*center)])
        axis.plot(
            [x0, x1],
            [y0, y1],
            transform=axis.transAxes,
            color=font.get("color"),
            linewidth=0.6,
            alpha=0.5,
            zorder=1,
        )
    x, y = to_axes((box.left, box.bottom))
    background = {"facecolor": axis.figure.get_facecolor(), "edgecolor": "none", "pad": 0.5}
    look = {"ha": "left", "va": "bottom", "bbox": background, "zorder": 4}
    axis.text(x, y, name, transform=axis.transAxes, **look, **font)


_MARKERS = ("o", "s", "^", "D", "v", "P")
_LOGARITHMIC_FROM = 8
"""Ratio of the longest to the shortest time from which the scale is logarithmic."""


@dataclass(frozen=True, slots=True)
class ParetoPoint:
    """A variant in the plot.

    ``group``: the result it belongs to, which determines color and marker; ``accuracy`` and
    ``interval`` are shares (0–1); ``front``: it is on the Pareto front; ``chosen``: it became
    model.tflite.
    """

    name: str
    group: str
    p50_ms: float
    accuracy: float
    interval: tuple[float, float]
    front: bool
    chosen: bool


def svg(points: Sequence[ParetoPoint], key: str, size: tuple[float, float]) -> str:
    """Render the plot as SVG for the page; ``size`` (width, height) in inches at 72 units each."""
    with plot_style(PAGE, key):
        return page_svg(draw(points, PAGE, size), key)


def describe(points: Sequence[ParetoPoint]) -> str:
    """Describe the plot in words, as its alternative text."""
    best = [point for point in points if point.front]
    listed = ", ".join(
        f"{p.name} ({formatting.percent(p.accuracy)} in {formatting.milliseconds(p.p50_ms)})"
        for p in sorted(best, key=lambda point: point.p50_ms)
    )
    number = formatting.number(len(points), "variant")
    return f"Accuracy by latency of {number}. Pareto front: {listed}."


def draw(points: Sequence[ParetoPoint], palette: Palette, size: tuple[float, float]) -> "Figure":
    """Draw points with their intervals and labels, and the Pareto front as a staircase.

    Args:
        points: at least one.
        palette: colors; draw and save within ``plot_style`` of the same palette.
        size: width and height in inches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=72, layout="constrained")
    FigureCanvasAgg(figure)  # measures text
    axis = figure.subplots()
    groups = list(dict.fromkeys(point.group for point in points))
    for index, group in enumerate(groups):
        _scatter(axis, [p for p in points if p.group == group], group, index, palette)
    _scale(axis, points)
    _staircase(axis, points, palette)
    axis.set_xlabel("median latency (ms)\nfilled: no other is as accurate and as fast")
    axis.set_ylabel("accuracy (%)")
    axis.grid(True, color=palette.ink, alpha=0.12, linewidth=0.8)
    axis.set_axisbelow(True)
    if len(groups) > 1:
        figure.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=9)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    first = sorted(points, key=lambda point: (not point.chosen, not point.front))
    place_labels(
        axis,
        [(p.p50_ms, 100 * p.accuracy) for p in first],
        [(100 * p.interval[0], 100 * p.interval[1]) for p in first],
        [p.name for p in first],
        [_font(p, groups.index(p.group), palette) for p in first],
    )
    return figure


def _color(index: int, palette: Palette) -> str:
    return palette.series[index % len(palette.series)]


def _font(point: ParetoPoint, index: int, palette: Palette) -> dict[str, Any]:
    return {
        "fontsize": 10,
        "fontweight": "bold" if point.chosen else "normal",
        "color": _color(index, palette),
    }


def _scatter(
    axis: "Axes", points: Sequence[ParetoPoint], group: str, index: int, palette: Palette
) -> None:
    color, marker = _color(index, palette), _MARKERS[index % len(_MARKERS)]
    axis.errorbar(
        [p.p50_ms for p in points],
        [100 * p.accuracy for p in points],
        yerr=[
            [100 * (p.accuracy - p.interval[0]) for p in points],
            [100 * (p.interval[1] - p.accuracy) for p in points],
        ],
        fmt="none",
        ecolor=color,
        elinewidth=1,
        alpha=0.45,
        zorder=2,
    )
    for front in (True, False):
        shown = [p for p in points if p.front == front]
        axis.plot(
            [p.p50_ms for p in shown],
            [100 * p.accuracy for p in shown],
            marker,
            color=color,
            markerfacecolor=color if front else palette.paper,
            markersize=7,
            linestyle="none",
            label=group if front == any(p.front for p in points) else None,
            zorder=3,
        )


def _scale(axis: "Axes", points: Sequence[ParetoPoint]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    times = [p.p50_ms for p in points]
    low = 100 * min(p.interval[0] for p in points)
    high = 100 * max(p.interval[1] for p in points)
    pad = max(0.08 * (high - low), 1.0)
    axis.set_ylim(max(low - pad, -1), min(high + pad, 101))
    if max(times) / min(times) >= _LOGARITHMIC_FROM:
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlim(min(times) / 1.6, max(times) * 1.6)
    else:
        span = max(max(times) - min(times), 0.2 * max(times))
        axis.set_xlim(max(0, min(times) - 0.15 * span), max(times) + 0.2 * span)


def _staircase(axis: "Axes", points: Sequence[ParetoPoint], palette: Palette) -> None:
    """Draw the best accuracy within a latency as steps, from the fastest variant on."""
    best = sorted((p.p50_ms, 100 * p.accuracy) for p in points if p.front)
    if not best:
        return
    x = [time for time, _ in best] + [axis.get_xlim()[1]]
    y = [accuracy for _, accuracy in best] + [best[-1][1]]
    axis.plot(
        x, y, drawstyle="steps-post", color=palette.ink, linewidth=1, linestyle=(0, (4, 3)),
        alpha=0.5, zorder=1,
    )  # fmt: skip
