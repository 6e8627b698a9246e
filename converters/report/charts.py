"""Learning curves as inline SVG that takes its colors from the page, light or dark."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from converters.report.plot_style import PAGE, for_the_page, style

_LINES = ("-", "--", ":")
_LOGARITHMIC_FROM = 50
_PERCENT = " (%)"
"""How the label of a panel of accuracies ends."""


def curve_svg(curve: Mapping[str, Any], key: str) -> str:
    """One curve of the record as an ``<svg>`` without ids or addresses of its own.

    Accuracies and losses get a panel each, as they share no unit.

    Args:
        curve: ``x_label``, ``y_label``, ``x``, ``series``; None stands for no value.
        key: prefix of the ids, so that several drawings can be on one page.
    """
    from matplotlib.figure import Figure

    panels = _panels(curve)
    with style(PAGE, key):
        figure = Figure(figsize=(4.8, 1.0 + 1.75 * len(panels)), layout="constrained")
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axis, (label, series) in zip(axes, panels, strict=True):
            _draw(axis, curve["x"], series, label)
        _scale(axes[-1], curve["x"])
        axes[-1].set_xlabel(curve["x_label"])
        return for_the_page(figure, key)


def describe(curve: Mapping[str, Any]) -> str:
    """The curve in words, for those who cannot see it: first, best and last values."""
    parts = []
    for name, values in curve["series"].items():
        known = [value for value in values if value is not None]
        if known:
            best = max(known) if "accuracy" in name else min(known)
            parts.append(f"{name} from {known[0]:.3g} to {known[-1]:.3g}, best {best:.3g}")
    return f"{curve['title']} by {curve['x_label']}: {'; '.join(parts)}."


def _panels(curve: Mapping[str, Any]) -> list[tuple[str, dict[str, Sequence[float | None]]]]:
    series = curve["series"]
    shares = {name: values for name, values in series.items() if "accuracy" in name}
    rest = {name: values for name, values in series.items() if name not in shares}
    panels = []
    if shares:
        panels.append((_name(shares, "accuracy") + _PERCENT, _times(shares, 100)))
    if rest:
        panels.append((_name(rest, "loss" if shares else curve["y_label"]), rest))
    return panels


def _name(series: Mapping[str, Any], several: str) -> str:
    """A panel with one line is called after it; one with several has a legend."""
    return next(iter(series)) if len(series) == 1 else several


def _times(
    series: Mapping[str, Sequence[float | None]], factor: float
) -> dict[str, Sequence[float | None]]:
    return {
        name: [None if value is None else factor * value for value in values]
        for name, values in series.items()
    }


def _draw(
    axis: Any, x: Sequence[float], series: Mapping[str, Sequence[float | None]], label: str
) -> None:
    for place, (name, values) in enumerate(series.items()):
        known = [math.nan if value is None else value for value in values]
        axis.plot(
            x,
            known,
            label=name,
            color=PAGE.series[place % len(PAGE.series)],
            linestyle=_LINES[place % len(_LINES)],
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


def _scale(axis: Any, x: Sequence[float]) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter

    if min(x) > 0 and max(x) / min(x) >= _LOGARITHMIC_FROM and len(x) <= 30:
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(numticks=7))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.minorticks_off()
    elif all(float(value).is_integer() for value in x):
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
