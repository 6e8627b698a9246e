"""Preprocessing by a lookup table equals the formula."""

import numpy as np
import pytest

from edge.interpreter import TensorSpec
from edge.preprocessing import Preprocessing, apply_table, input_table

HALF = (127.5,)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "float32"])
def test_the_lookup_table_equals_the_formula(dtype):
    mean, std = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)
    spec = TensorSpec("image", (1, 5, 7, 3), dtype, 0.02, -6 if dtype == "int8" else 122)
    preprocessing = Preprocessing(7, 5, mean, std)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    inputs = apply_table(input_table(spec, preprocessing), pixels)
    real = preprocessing.normalize(pixels)
    if dtype == "float32":
        expected = real
    else:
        limits = np.iinfo(dtype)
        expected = np.clip(np.rint(real / 0.02 + spec.zero_point), limits.min, limits.max)
    assert inputs.shape == (1, 5, 7, 3)
    assert inputs.dtype == dtype
    np.testing.assert_allclose(inputs[0], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "float32"])
def test_a_table_is_ready_for_every_frame(dtype):
    spec = TensorSpec("image", (1, 5, 7, 3), dtype, 0.02, 0)
    for mean in (HALF, (123.7, 116.3, 103.5)):  # a value for all channels, or one for each
        table = input_table(spec, Preprocessing(7, 5, mean, HALF))
        assert (table.shape, table.dtype) == ((256, 3), dtype)
        assert table.flags.c_contiguous


def test_a_quantized_input_of_raw_pixels_needs_no_table():
    pixels = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    preprocessing = Preprocessing(8, 8, HALF, HALF)
    for zero in (127, 128):  # both are rounded forms of the same range
        spec = TensorSpec("image", (1, 8, 8, 3), "uint8", 1 / 127.5, zero)
        np.testing.assert_array_equal(
            apply_table(input_table(spec, preprocessing), pixels)[0], pixels
        )
    spec = TensorSpec("image", (1, 8, 8, 3), "int8", 1 / 127.5, -1)
    shifted = apply_table(input_table(spec, preprocessing), pixels)[0]
    np.testing.assert_array_equal(shifted, pixels.astype(int) - 128)
