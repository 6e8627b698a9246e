"""Axes have round ticks, and place values where they belong."""

import pytest

from converters.report.axes import AxisScale


@pytest.mark.parametrize(
    ("low", "high", "logarithmic", "ticks"),
    [
        (0, 100, False, [0, 20, 40, 60, 80, 100]),
        (0.31, 1.52, False, [0.5, 1.0, 1.5]),
        (-1, 101, False, [0, 20, 40, 60, 80, 100]),
        (0.9, 20, True, [1, 2, 5, 10, 20]),
        (1e-4, 2, True, [1e-4, 1e-3, 1e-2, 1e-1, 1]),
    ],
)
def test_ticks_are_round(low: float, high: float, logarithmic: bool, ticks: list[float]) -> None:
    scale = AxisScale(low, high, 0, 100, logarithmic)
    assert scale.ticks(6 if low in (0, -1, 0.9, 1e-4) else 3) == pytest.approx(ticks)


def test_counts_have_whole_ticks() -> None:
    assert AxisScale(0, 1.05, 0, 60).ticks(2, whole=True) == [0, 1]
    assert AxisScale(0, 31, 0, 60).ticks(2, whole=True) == [0, 20]


def test_values_are_placed_along_the_scale() -> None:
    assert AxisScale(10, 20, 100, 200)(12.5) == pytest.approx(125)
    assert AxisScale(1, 100, 0, 200, logarithmic=True)(10) == pytest.approx(100)
