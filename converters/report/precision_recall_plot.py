"""Plots of a detector as inline SVG: precision by recall, and scores against what is correct."""

from collections.abc import Mapping, Sequence
from typing import Any

from converters.report.plots import PAGE, page_svg, plot_style

_SIZE = (5.2, 4.2)
"""Inches, width and height."""

_NAMED = 9
"""Classes whose curves are told apart: three colors, each in three line styles."""

_STYLES = ("-", "--", ":")


def precision_recall_svg(curves: Mapping[str, Mapping[str, Sequence[float]]], key: str) -> str:
    """Render precision by recall of each class as an ``<svg>``.

    Args:
        curves: by class, ``{"recall": …, "precision": …}``, 0 to 1; of more than 9 classes those
            beyond are drawn faintly and have no name.
        key: prefix of the ids, so that several plots fit on one page.
    """
    from matplotlib.figure import Figure

    shown = {name: curve for name, curve in curves.items() if curve["recall"]}
    with plot_style(PAGE, key):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axis = figure.subplots()
        for index, (name, curve) in enumerate(shown.items()):
            look: dict[str, Any] = {"color": PAGE.ink, "alpha": 0.25, "linewidth": 1.0}
            if index < _NAMED:
                color, style = PAGE.series[index % 3], _STYLES[index // 3]
                look = {"color": color, "linestyle": style, "linewidth": 1.8, "label": name}
            recall = [0.0, *(100 * value for value in curve["recall"])]
            precision = [100 * value for value in curve["precision"]]
            axis.plot(recall, [precision[0], *precision], drawstyle="steps-pre", **look)
        axis.set(xlim=(0, 101), ylim=(0, 102), xlabel="recall (%)", ylabel="precision (%)")
        axis.grid(True, color=PAGE.ink, alpha=0.12, linewidth=0.8)
        axis.set_axisbelow(True)
        if shown:
            axis.legend(frameon=False, fontsize=9, loc="lower left")
        return page_svg(figure, key)


def describe_precision_recall(
    curves: Mapping[str, Mapping[str, Sequence[float]]], precisions: Mapping[str, float]
) -> str:
    """Describe the plot by the average precision of each class, as its alternative text."""
    listed = "; ".join(f"{name} {100 * precisions[name]:.0f} %" for name in curves)
    return f"Precision by recall at an IoU of 0.5. Average precision: {listed}."
