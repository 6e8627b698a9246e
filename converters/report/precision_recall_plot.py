"""Plot of a detector as inline SVG: precision by recall of each class."""

from collections.abc import Mapping, Sequence

from converters.report.axes import AxisScale, frame, titles
from converters.report.drawing import INK, SERIES, Drawing, Label, Point, Polyline, Shape, to_svg

_SIZE = (374.0, 302.0)
"""Width and height in points."""

_NAMED = 9
"""Classes whose curves are told apart: three colors, each in three line styles."""

_DASHES = (None, (5.0, 2.5), (1.0, 2.0))


def precision_recall_svg(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Render precision by recall of each class as an ``<svg>``.

    ``curves``: by class, ``{"recall": …, "precision": …}``, 0 to 1; of more than 9 classes those
    beyond are drawn faintly and have no name.
    """
    width, height = _SIZE
    across, up = AxisScale(0, 101, 46, width - 10), AxisScale(0, 102, 40, height - 8)
    shapes: list[Shape] = frame(across, up, across.ticks(6), up.ticks(6))
    shapes += titles(across, up, "recall (%)", "precision (%)", gap=32)
    shown = {name: curve for name, curve in curves.items() if curve["recall"]}
    named = list(shown)[:_NAMED]
    for number, (name, curve) in enumerate(shown.items()):
        corners = [(across(100 * x), up(100 * y)) for x, y in _steps(curve)]
        if name not in named:
            shapes.append(Polyline(corners, INK, 1.0, opacity=0.25))
            continue
        color, dash = SERIES[number % 3], _DASHES[number // 3]
        bottom = up.start + 8 + 13 * (len(named) - 1 - number)
        sample = ((across.start + 8, bottom + 3), (across.start + 28, bottom + 3))
        shapes += [Polyline(corners, color, 1.8, dash), Polyline(sample, color, 1.8, dash)]
        shapes.append(Label((across.start + 33, bottom), name, size=9))
    return to_svg(Drawing(width, height, shapes))


def _steps(curve: Mapping[str, Sequence[float]]) -> list[Point]:
    """Return the corners of a curve: a precision holds from the recall before up to its own.

    At its highest recall a curve falls to 0, so that its end shows where others lie upon it.
    """
    corners: list[Point] = []
    before = 0.0
    for recall, precision in zip(curve["recall"], curve["precision"], strict=True):
        corners += [(before, precision), (recall, precision)]
        before = recall
    return [*corners, (before, 0.0)]


def describe_precision_recall(
    curves: Mapping[str, Mapping[str, Sequence[float]]], precisions: Mapping[str, float]
) -> str:
    """Describe the plot by the average precision of each class, as its alternative text."""
    listed = "; ".join(f"{name} {100 * precisions[name]:.0f} %" for name in curves)
    return f"Precision by recall at an IoU of 0.5. Average precision: {listed}."
