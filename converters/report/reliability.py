"""The reliability diagram: whether a score of 90 % is right nine times in ten."""

from collections.abc import Mapping, Sequence
from typing import Any

from converters.report.plot_style import PAGE, for_the_page, style

_SIZE = (4.4, 4.2)


def svg(bins: Sequence[Mapping[str, Any]], key: str) -> str:
    """Bars of how often answers are right over their score, and below how many there are.

    DeGroot and Fienberg, The Statistician 32 (1983) 12; Guo et al. (ICML 2017), figure 1.

    Args:
        bins: of the record: ``low``, ``high``, ``count``, ``accuracy``.
        key: prefix of the ids, so that several drawings can be on one page.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    lows = [100 * entry["low"] for entry in bins]
    widths = [100 * (entry["high"] - entry["low"]) for entry in bins]
    with style(PAGE, key):
        figure = Figure(figsize=_SIZE, layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        look: dict[str, Any] = {"align": "edge", "edgecolor": PAGE.paper, "linewidth": 1.5}
        right = [100 * entry["accuracy"] for entry in bins]
        above.bar(lows, right, widths, color=PAGE.series[0], alpha=0.8, **look)
        above.plot([0, 100], [0, 100], color=PAGE.ink, linestyle=(0, (4, 3)), linewidth=1.2)
        above.set(xlim=(0, 100), ylim=(0, 102), ylabel="correct (%)")
        counts = [entry["count"] for entry in bins]
        below.bar(lows, counts, widths, color=PAGE.ink, alpha=0.35, **look)
        below.set(xlabel="score (%)", ylabel="images")
        below.yaxis.set_major_locator(MaxNLocator(nbins=2, integer=True))
        for axis in (above, below):
            axis.grid(True, axis="y", color=PAGE.ink, alpha=0.12, linewidth=0.8)
            axis.set_axisbelow(True)
        return for_the_page(figure, key)


def describe(bins: Sequence[Mapping[str, Any]]) -> str:
    """The diagram in words, for those who cannot see it."""
    listed = "; ".join(
        f"{100 * entry['low']:.0f} to {100 * entry['high']:.0f} %: {entry['count']} images, "
        f"{100 * entry['accuracy']:.0f} % correct"
        for entry in bins
    )
    return f"Share of correct predictions by score. {listed}."
