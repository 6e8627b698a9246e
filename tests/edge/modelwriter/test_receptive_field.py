import numpy as np
import pytest
import tiny_models

from edge.modelfile import tflite
from edge.modelwriter.receptive_field import CellCenters, cell_centers

FEATURES = 2


@pytest.mark.parametrize(
    ("padded", "first"),
    [(False, 1.0), (True, 0.5)],  # the middle of two pixels; the first pixel of the padded image
)
def test_padding_moves_the_centers_of_cells(padded: bool, first: float) -> None:
    file = tflite.parse(tiny_models.pooled_model(padded=padded))
    assert cell_centers(file, FEATURES) == 2 * (CellCenters(2, first, 8),)


def test_cells_that_divide_the_side_evenly_are_where_positions_are() -> None:
    assert np.allclose(CellCenters.even(3).positions(3), [0, 1, 2])
    assert np.allclose(CellCenters(2, 0.5, 8).positions(4), [0.25, 1.25, 2.25, 3.25])
