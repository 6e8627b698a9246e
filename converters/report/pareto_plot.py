"""Plot of accuracy over latency with the Pareto front and its labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from converters.report import formatting, label_placement
from converters.report.plots import PAGE, Palette, page_svg, plot_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
    fonts = [_font(p, groups.index(p.group), palette) for p in first]
    _write_labels(axis, first, fonts)
    return figure


def _write_labels(
    axis: Any, points: Sequence["ParetoPoint"], fonts: Sequence[dict[str, Any]]
) -> None:
    """Write the names next to their points; the axes are drawn, with their final limits."""
    import numpy as np

    renderer, to_display = axis.figure.canvas.get_renderer(), axis.transData.transform
    extents = []
    for point, font in zip(points, fonts, strict=True):
        probe = axis.text(0, 0, point.name, **font)
        extents.append(probe.get_window_extent(renderer))
        probe.remove()
    centers = to_display([(point.p50_ms, 100 * point.accuracy) for point in points])
    ends = np.array(
        [to_display([(p.p50_ms, 100 * bound) for bound in p.interval])[:, 1] for p in points]
    )
    labels = label_placement.place(
        centers,
        np.array([(extent.width, extent.height) for extent in extents]),
        np.column_stack([centers[:, 0] - 1, ends[:, 0], centers[:, 0] + 1, ends[:, 1]]),
        axis.get_window_extent(renderer).extents,
    )
    for point, center, label, font in zip(points, centers, labels, fonts, strict=True):
        _draw_label(axis, center, label, point.name, font)


def _draw_label(
    axis: Any, center: Any, label: label_placement.PlacedLabel, name: str, font: dict[str, Any]
) -> None:
    to_axes = axis.transAxes.inverted().transform
    if label.leader is not None:
        (x0, y0), (x1, y1) = to_axes([center, label.leader])
        look = {"color": font.get("color"), "linewidth": 0.6, "alpha": 0.5, "zorder": 1}
        axis.plot([x0, x1], [y0, y1], transform=axis.transAxes, **look)
    x, y = to_axes(label.box[:2])
    background = {"facecolor": axis.figure.get_facecolor(), "edgecolor": "none", "pad": 0.5}
    look = {"ha": "left", "va": "bottom", "bbox": background, "zorder": 4}
    axis.text(x, y, name, transform=axis.transAxes, **look, **font)


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
