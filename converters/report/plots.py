"""Plots of the report as inline SVG in the colors of the page: learning curves, reliability."""

import io
import math
import re
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from converters.report.sections import CurveReport, ReliabilityBinReport
from edge.quantities import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LINE_STYLES = ("-", "--", ":")
_LOGARITHMIC_FROM = 50
_PERCENT = " (%)"
"""Suffix of the label of a panel of accuracies."""

_RELIABILITY_SIZE = (4.4, 4.2)
"""Inches, width and height."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Matplotlib colors: text and axes, background, and series."""

    ink: str
    paper: str
    series: tuple[str, str, str]


PAGE = Palette("#010203", "#010401", ("#010a01", "#010b01", "#010c01"))
"""Placeholders for the page's colors, which differ between light and dark mode."""

PAPER = Palette("#1d2327", "#ffffff", ("#1f6f64", "#b4532a", "#4a5fb0"))
"""Colors of a plot in its own file: those of the page in light mode."""


@contextmanager
def plot_style(palette: Palette, key: str) -> Iterator[None]:
    """Set the style to draw and save with: text stays text, and output is reproducible.

    Characters that matplotlib's font lacks are fine in SVG, which the viewer's fonts render; for
    other formats see :func:`missing_glyphs`.

    Args:
        palette: colors of text and axes.
        key: seed of the ids in the SVG.
    """
    from matplotlib import rc_context

    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": key,
        "font.family": "sans-serif",
        "font.size": 10,
        "text.color": palette.ink,
        "axes.edgecolor": palette.ink,
        "axes.labelcolor": palette.ink,
        "xtick.color": palette.ink,
        "ytick.color": palette.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.facecolor": palette.paper,
        "figure.facecolor": palette.paper,
        "savefig.facecolor": palette.paper,
        "text.parse_math": False,
    }
    with rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def prefetch() -> None:
    """Start importing matplotlib in the background: it takes a second, and is needed at the end."""
    threading.Thread(target=_import, name="import-matplotlib", daemon=True).start()


def _import() -> None:
    with suppress(ImportError):  # raised again by the plot that needs it
        pass


def missing_glyphs(text: str) -> str:
    """Return the characters of ``text`` that a PNG would show as empty boxes, each once."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties(family=["sans-serif"])))
    return "".join(letter for letter in dict.fromkeys(text) if not font.get_char_index(ord(letter)))


def page_svg(figure: "Figure", key: str) -> str:
    """Render a figure as an ``<svg>`` in the colors of the page, without URLs.

    Args:
        figure: drawn within ``plot_style(PAGE, key)``; call this within it, too.
        key: prefix of the ids, so that several plots fit on one page.
    """
    with io.StringIO() as file:
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    svg = re.sub(r'^<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1">', svg)
    svg = re.sub(r' id="([^"]*)"', rf' id="{key}-\1"', svg)
    svg = re.sub(r"url\(#", f"url(#{key}-", svg)
    svg = re.sub(r'xlink:href="#', f'href="#{key}-', svg)
    svg = svg.replace(PAGE.ink, "currentColor").replace(PAGE.paper, "var(--page)")
    for number, placeholder in enumerate(PAGE.series, 1):
        svg = svg.replace(placeholder, f"var(--series-{number})")
    return svg


def curve_svg(curve: CurveReport, key: str) -> str:
    """Render a curve of the report as an ``<svg>``, accuracies and losses in separate panels.

    Args:
        curve: None in a series stands for no value.
        key: prefix of the ids, so that several plots fit on one page.
    """
    from matplotlib.figure import Figure

    panels = _panels(curve)
    with plot_style(PAGE, key):
        figure = Figure(figsize=(4.8, 1.0 + 1.75 * len(panels)), layout="constrained")
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axis, (label, series) in zip(axes, panels, strict=True):
            _draw_panel(axis, curve.x, series, label)
        _set_scale(axes[-1], curve.x)
        axes[-1].set_xlabel(curve.x_label)
        return page_svg(figure, key)


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


def _draw_panel(
    axis: Any, x: Sequence[float], series: Mapping[str, Sequence[float | None]], label: str
) -> None:
    for index, (name, values) in enumerate(series.items()):
        known = [math.nan if value is None else value for value in values]
        axis.plot(
            x,
            known,
            label=name,
            color=PAGE.series[index % len(PAGE.series)],
            linestyle=_LINE_STYLES[index % len(_LINE_STYLES)],
            marker="o" if len(x) <= 12 else None,
            markersize=3.5,
            linewidth=1.8,
        )
    axis.set_ylabel(label)
    axis.grid(True, color=PAGE.ink, alpha=0.12, linewidth=0.8)
    if len(series) > 1:
        axis.legend(frameon=False, fontsize=9)
    axis.margins(y=0.12)
    if label.endswith(_PERCENT):
        low, high = axis.get_ylim()
        axis.set_ylim(max(low, -1), min(high, 101))


def _set_scale(axis: Any, x: Sequence[float]) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter

    if min(x) > 0 and max(x) / min(x) >= _LOGARITHMIC_FROM and len(x) <= 30:
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(numticks=7))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.minorticks_off()
    elif all(float(value).is_integer() for value in x):
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def reliability_svg(bins: Sequence[ReliabilityBinReport], key: str, unit: str = "images") -> str:
    """Render a reliability diagram: share correct by score, and below the number of images.

    DeGroot and Fienberg, The Statistician 32 (1983) 12; Guo et al. (ICML 2017), figure 1.

    Args:
        bins: of the report.
        key: prefix of the ids, so that several plots fit on one page.
        unit: what the bins count.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    lows = [100 * entry.low for entry in bins]
    widths = [100 * (entry.high - entry.low) for entry in bins]
    with plot_style(PAGE, key):
        figure = Figure(figsize=_RELIABILITY_SIZE, layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        look: dict[str, Any] = {"align": "edge", "edgecolor": PAGE.paper, "linewidth": 1.5}
        right = [100 * entry.accuracy for entry in bins]
        above.bar(lows, right, widths, color=PAGE.series[0], alpha=0.8, **look)
        above.plot([0, 100], [0, 100], color=PAGE.ink, linestyle=(0, (4, 3)), linewidth=1.2)
        above.set(xlim=(0, 100), ylim=(0, 102), ylabel="correct (%)")
        counts = [entry.count for entry in bins]
        below.bar(lows, counts, widths, color=PAGE.ink, alpha=0.35, **look)
        below.set(xlabel="score (%)", ylabel=unit)
        below.yaxis.set_major_locator(MaxNLocator(nbins=2, integer=True))
        for axis in (above, below):
            axis.grid(True, axis="y", color=PAGE.ink, alpha=0.12, linewidth=0.8)
            axis.set_axisbelow(True)
        return page_svg(figure, key)


def describe_reliability(bins: Sequence[ReliabilityBinReport], noun: str = "image") -> str:
    """Describe the diagram in words, as its alternative text; ``noun``: what the bins count."""
    listed = "; ".join(
        f"{100 * entry.low:.0f} to {100 * entry.high:.0f} %: {counted(entry.count, noun)}, "
        f"{100 * entry.accuracy:.0f} % correct"
        for entry in bins
    )
    return f"Share of correct predictions by score. {listed}."
