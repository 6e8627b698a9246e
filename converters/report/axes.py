"""Axes of a plot: scales with ticks, and the frame around what is drawn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from converters.report.drawing import Label, Point, Polyline, Shape

_GRID = 0.12
_TICK_SIZE = 9.0


@dataclass(frozen=True, slots=True)
class AxisScale:
    """Maps values from ``low`` to ``high`` to positions from ``start`` to ``end`` in points."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the position of a value."""
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = math.log(value), math.log(low), math.log(high)
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self, most: int, whole: bool = False) -> list[float]:
        """Return round values within the scale, about ``most`` of them at most.

        ``whole``: integers only.
        """
        if self.logarithmic:
            return self._powers(most)
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(times * power for times in (1, 2, 5, 10) if times * power >= rough * 0.999)
        step = max(step, 1.0) if whole else step
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]

    def _powers(self, most: int) -> list[float]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for times in ((1, 2, 5), (1,)):
            values = [factor * 10.0**power for power in powers for factor in times]
            inside = [v for v in values if self.low * 0.999 <= v <= self.high * 1.001]
            if len(inside) <= most:
                break
        return inside


def frame(
    x: AxisScale,
    y: AxisScale,
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
    *,
    labeled: bool = True,
    upright_grid: bool = True,
) -> list[Shape]:
    """Draw the grid, the axes on the left and below, and the numbers at the ticks.

    ``labeled``: whether the horizontal axis has numbers; ``upright_grid``: and upright lines.
    """
    shapes: list[Shape] = [
        _thin((x.start, y(value)), (x.end, y(value)), opacity=_GRID) for value in y_ticks
    ]
    if upright_grid:
        shapes += [_thin((x(v), y.start), (x(v), y.end), opacity=_GRID) for v in x_ticks]
    shapes += [_thin((x(value), y.start), (x(value), y.start - 3)) for value in x_ticks]
    shapes += [_thin((x.start, y(value)), (x.start - 3, y(value))) for value in y_ticks]
    shapes += [
        Label((x.start - 6, y(value) - 3), f"{value:g}", size=_TICK_SIZE, anchor="end")
        for value in y_ticks
    ]
    if labeled:
        shapes += [
            Label((x(value), y.start - 13), f"{value:g}", size=_TICK_SIZE, anchor="middle")
            for value in x_ticks
        ]
    corners = ((x.start, y.end), (x.start, y.start), (x.end, y.start))
    return [*shapes, Polyline(corners, width=0.8)]


def titles(x: AxisScale, y: AxisScale, below: str, beside: str, gap: float = 36.0) -> list[Shape]:
    """Write what is along the axes; ``below`` may have several lines."""
    lines = [
        Label(((x.start + x.end) / 2, y.start - 27 - 12 * row), line, anchor="middle")
        for row, line in enumerate(below.splitlines())
    ]
    middle = (y.start + y.end) / 2
    return [*lines, Label((x.start - gap, middle), beside, anchor="middle", turned=True)]


def _thin(start: Point, end: Point, opacity: float = 1.0) -> Polyline:
    return Polyline((start, end), width=0.8, opacity=opacity)
