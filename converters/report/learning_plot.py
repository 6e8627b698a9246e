"""Plot of the learning curve: accuracy over the number of photos."""

from collections.abc import Sequence

from converters.report.analysis import CurvePointReport
from converters.report.axes import AxisScale, frame, titles
from converters.report.drawing import SERIES, Drawing, Label, Marker, Polyline, Shape, to_svg
from converters.report.formatting import percent
from edge.quantities import counted

_SIZE = (374.0, 240.0)
"""Width and height in points."""

_DOTTED = (2.0, 2.5)


def learning_curve_svg(points: Sequence[CurvePointReport]) -> str:
    """Render measured points, and the fitted curve with its interval, as an ``<svg>``."""
    width, height = _SIZE
    low = min(min(p.low, p.fitted if p.measured is None else p.measured) for p in points)
    across = AxisScale(points[0].photos / 1.1, points[-1].photos * 1.1, 46, width - 10, True)
    up = AxisScale(max(0.0, 100 * low - 3), 101, 44, height - 8)
    shapes: list[Shape] = frame(across, up, across.ticks(8), up.ticks(6))
    shapes += titles(across, up, "training photos", "accuracy (%)", gap=32)

    def line(values: Sequence[float]) -> list[tuple[float, float]]:
        return [(across(p.photos), up(100 * v)) for p, v in zip(points, values, strict=True)]

    for bound in ([p.low for p in points], [p.high for p in points]):
        shapes.append(Polyline(line(bound), SERIES[0], 1.0, _DOTTED))
    shapes.append(Polyline(line([p.fitted for p in points]), SERIES[0], 1.8))
    shapes += [
        Marker((across(p.photos), up(100 * p.measured)), color=SERIES[1], radius=3)
        for p in points
        if p.measured is not None
    ]
    left, bottom = across((points[0].photos * points[-1].photos) ** 0.5), up.start + 8
    shapes.append(Marker((left + 9, bottom + 29), color=SERIES[1], radius=3))
    shapes.append(Label((left + 24, bottom + 26), "measured", size=9))
    for row, (name, dash) in enumerate((("95 % interval", _DOTTED), ("power law", None))):
        y = bottom + 13 * row
        shapes.append(Polyline(((left, y + 3), (left + 18, y + 3)), SERIES[0], 1.8, dash))
        shapes.append(Label((left + 24, y), name, size=9))
    return to_svg(Drawing(width, height, shapes))


def describe_learning_curve(points: Sequence[CurvePointReport]) -> str:
    """Describe the plot in words, as its alternative text."""
    listed = "; ".join(
        f"{counted(round(p.photos), 'photo')}: {percent(p.measured)}"
        for p in points
        if p.measured is not None
    )
    last = points[-1]
    return (
        f"Accuracy by number of training photos. Measured: {listed}. Expected with "
        f"{last.photos:.0f}: {percent(last.fitted)}, from {percent(last.low)} to "
        f"{percent(last.high)}."
    )
