"""A map of middles becomes points; models with other outputs are left to other heads."""

import numpy as np
import pytest

from edge.interpreter import TensorSpec
from edge.tasks.detect.heads import centers

LOW = -9.0


def spec(name: str, shape: tuple[int, ...], scale: float = 0.0, zero_point: int = 0) -> TensorSpec:
    dtype = "int8" if scale else "float32"
    return TensorSpec(name=name, shape=shape, dtype=dtype, scale=scale, zero_point=zero_point)


SPECS = (spec("centers/8", (1, 4, 6, 2)), spec("offsets/8", (1, 4, 6, 2)))
SIZE = (48, 32)


def outputs() -> tuple[np.ndarray, np.ndarray]:
    return np.full((1, 4, 6, 2), LOW, np.float32), np.zeros((1, 4, 6, 2), np.float32)


def head(specs: tuple[TensorSpec, ...] = SPECS) -> centers.CentersHead:
    matched = centers.match(specs, SIZE, {"object_sizes": [[0.25, 0.5], [0.125, 0.25]]})
    assert matched is not None
    return matched


def middles(boxes: np.ndarray) -> np.ndarray:
    return np.round((boxes[:, :2] + boxes[:, 2:]) / 2 * np.array(SIZE), 3)


def test_a_point_is_in_its_cell_and_has_a_box_of_its_class() -> None:
    heat, offsets = outputs()
    heat[0, 1, 4, 1] = 0.0
    offsets[0, 1, 4] = [0.25, -0.5]
    found = head()((heat, offsets), 0.4)
    assert (found.classes.tolist(), found.scores.tolist()) == ([1], [0.5])
    np.testing.assert_allclose(middles(found.boxes), [[4.75 * 8, 1.0 * 8]])
    np.testing.assert_allclose(found.boxes[0, 2:] - found.boxes[0, :2], [0.125, 0.25], atol=1e-6)


def test_the_highest_of_neighbors_counts_for_each_class() -> None:
    heat, offsets = outputs()
    heat[0, 0:3, 0:3, 0] = 1.0
    heat[0, 1, 1, 0] = 2.0
    heat[0, 1, 2, 1] = 0.5  # another class right beside it
    heat[0, 3, 5, 0] = 1.5
    found = head()((heat, offsets), 0.3)
    assert sorted(zip(found.classes.tolist(), middles(found.boxes).tolist(), strict=True)) == [
        (0, [12.0, 12.0]), (0, [44.0, 28.0]), (1, [20.0, 12.0]),
    ]  # fmt: skip


@pytest.mark.parametrize("turns", range(4))
def test_equal_neighbors_are_one_object(turns: int) -> None:
    """As quantized maps have them."""
    heat = np.zeros((5, 5, 1), np.int8)
    heat[2, 1:4] = 9
    peaks = centers.find_peaks(np.rot90(heat, turns))
    assert np.count_nonzero(peaks & (np.rot90(heat, turns) == 9)) == 1


def test_peaks_are_those_of_a_plain_search() -> None:
    heat = np.random.default_rng(0).integers(-4, 4, (9, 7, 3)).astype(np.int8)
    peaks = centers.find_peaks(heat)
    for row, column, place in np.ndindex(heat.shape):
        window = heat[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2, place]
        own = heat[row, column, place]
        if np.count_nonzero(window == window.max()) == 1:
            assert peaks[row, column, place] == (own == window.max())
        elif own < window.max():
            assert not peaks[row, column, place]


def test_quantized_outputs_are_decoded_alike() -> None:
    specs = tuple(spec(each.name, each.shape, 0.05, -10) for each in SPECS)
    rng = np.random.default_rng(0)
    codes = [rng.integers(0, 256, each.shape) for each in SPECS]
    raw = [(each - 128).astype(np.int8) for each in codes]
    real = [(each.astype(np.float32) + 10) * np.float32(0.05) for each in raw]
    quantized, expected = head(specs)(tuple(raw), 0.3), head()(tuple(real), 0.3)
    assert len(expected.scores) > 2
    np.testing.assert_allclose(quantized.boxes, expected.boxes, atol=1e-5)
    np.testing.assert_allclose(quantized.scores, expected.scores, atol=1e-5)


def test_a_score_that_is_no_number_is_kept_for_the_detector_to_report() -> None:
    heat, offsets = outputs()
    heat[0, 0, 0, 0] = np.nan
    assert np.isnan(head()((heat, offsets), 0.5).scores).any()


@pytest.mark.parametrize(
    "values",
    [None, {}, {"object_sizes": [[0.1, 0.2]]}, {"object_sizes": [[0.1, "x"], [0.1, 0.2]]},
     {"object_sizes": [[0.1, 0.0], [0.1, 0.2]]}, {"object_sizes": 7}],
)  # fmt: skip
def test_without_sizes_objects_are_four_cells_large(values: dict | None) -> None:
    matched = centers.match(SPECS, SIZE, values)
    assert matched is not None and not matched.sized
    assert matched.sizes == ((32 / 48, 1.0), (32 / 48, 1.0))


@pytest.mark.parametrize(
    "specs",
    [
        SPECS[:1],
        (SPECS[0], spec("offsets/16", (1, 4, 6, 2))),
        (SPECS[0], spec("offsets/8", (1, 4, 6, 4))),
        (spec("centers/0", (1, 4, 6, 2)), spec("offsets/0", (1, 4, 6, 2))),
        (spec("centers/8", (1, 2, 3, 2)), spec("offsets/8", (1, 2, 3, 2))),
        (spec("output_0", (1, 4, 6, 2)), spec("output_1", (1, 4, 6, 2))),
        (*SPECS, spec("more", (1, 4, 6, 2))),
    ],
)
def test_other_outputs_are_no_centers(specs: tuple[TensorSpec, ...]) -> None:
    assert centers.match(specs, SIZE) is None
