"""Labels of the plot of accuracy over latency: next to their points, and apart from each other."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from converters.report.label_placement import PlacedLabel, place

INSIDE = (60.0, 50.0, 620.0, 300.0)
SMALL = (40.0, 50.0, 345.0, 330.0)


def shares_area(first: PlacedLabel, second: PlacedLabel) -> bool:
    """True if two labels overlap, or would be read as one line."""
    gap_x = max(first.box[0] - second.box[2], second.box[0] - first.box[2])
    gap_y = max(first.box[1] - second.box[3], second.box[1] - first.box[3])
    return gap_x < 5 and gap_y < 0


def variants(inside: tuple[float, ...], number: int) -> NDArray[np.float64]:
    """Points as of a conversion: pairs of the same latency, and many of nearly the same."""
    usual = [(0.9, 0.9), (0.91, 0.9), (0.45, 0.88), (0.44, 0.9), (0.45, 0.87), (0.455, 0.89),
             (0.2, 0.7), (0.25, 0.85), (0.8, 0.9)]  # fmt: skip
    low, size = np.array(inside[:2]), np.array(inside[2:]) - inside[:2]
    return low + np.array(usual[:number]) * size


@pytest.mark.parametrize("inside", [INSIDE, SMALL])
@pytest.mark.parametrize("number", [1, 2, 4, 9])
def test_no_label_lies_on_another_or_outside(inside: tuple[float, ...], number: int) -> None:
    points = variants(inside, number)
    sizes = np.tile([72.0, 12.0], (number, 1))
    bars = np.column_stack([points - np.array([1, 40]), points + np.array([1, 30])])
    labels = place(points, sizes, bars, inside)
    assert not [pair for pair in combinations(labels, 2) if shares_area(*pair)]
    for label in labels:
        assert label.box[0] > inside[0] and label.box[2] < inside[2]
        assert label.box[1] >= inside[1] and label.box[3] <= inside[3]
        for x, y in points:
            assert not (label.box[0] < x < label.box[2] and label.box[1] < y < label.box[3])


def test_a_lone_label_lies_beside_its_point_without_a_line() -> None:
    points = np.array([[300.0, 200.0]])
    (label,) = place(points, np.array([[60.0, 12.0]]), np.zeros((1, 4)), INSIDE)
    assert label.leader is None
    assert label.box[0] - 300 == pytest.approx(8)


def test_a_line_leads_to_a_point_whose_label_is_elsewhere() -> None:
    crowd = np.array([[300.0 + 3 * n, 200.0 + n] for n in range(8)])
    labels = place(crowd, np.tile([90.0, 12.0], (8, 1)), np.zeros((8, 4)), INSIDE)
    assert not [pair for pair in combinations(labels, 2) if shares_area(*pair)]
    for (x, y), label in zip(crowd, labels, strict=True):
        nearest = np.clip((x, y), label.box[:2], label.box[2:])
        if np.hypot(*(nearest - (x, y))) > 13:
            assert label.leader == pytest.approx(tuple(nearest))
