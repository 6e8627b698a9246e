"""Preprocessing by a lookup table equals the formula."""

import numpy as np
import pytest

from edge.interpreter import TensorSpec
from edge.preprocessing import (
    Preprocessing,
    apply_table,
    crop_square,
    input_table,
    input_transform,
    resize_to_input,
)

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


SHAPES = [(1, 1), (1, 5000), (5000, 1), (2, 3), (70_000, 1), (1, 40_000)]


@pytest.mark.parametrize("shape", SHAPES)
def test_images_of_any_proportion_fill_the_input(shape):
    white = np.full((*shape, 3), 255, np.uint8)
    fitted = resize_to_input(white, 32, 24, letterbox=True)
    transform = input_transform(shape[1], shape[0], 32, 24, letterbox=True)
    rows, columns = np.nonzero((fitted == 255).all(axis=2))
    assert columns.min() == transform.left
    assert rows.min() == transform.top
    assert columns.max() + 1 - transform.left == round(shape[1] * transform.scale_x)
    assert rows.max() + 1 - transform.top == round(shape[0] * transform.scale_y)
    assert (resize_to_input(white, 32, 24, letterbox=False) == 255).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_square_in_an_image_of_any_proportion(shape):
    white = np.full((*shape, 3), 255, np.uint8)
    square = crop_square(white, 0, 0, min(shape), 9)
    assert square.shape == (9, 9, 3)
    assert square[4, 4].min() > 127  # black is mixed in at the image's edge
    assert crop_square(white, 0, 0, max(shape), 9).shape == (9, 9, 3)


def test_a_square_of_a_very_long_image_is_the_part_that_is_meant():
    image = np.zeros((40, 40_000, 3), np.uint8)
    image[:, 20_000:20_040] = 255
    assert crop_square(image, 20_000, 0, 40, 8)[:, 1:-1].min() > 200
    assert crop_square(image, 20_080, 0, 40, 8).max() == 0
