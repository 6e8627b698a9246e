import numpy as np
import pytest

from edge.modelwriter.quantization import MAX_BIAS, activation_range, quantize_layer


@pytest.mark.parametrize(
    ("low", "high", "zero_point"), [(0, 6, -128), (-1, 1, 0), (2, 5, -128), (-5, -2, 127)]
)
def test_a_range_covers_its_ends_and_has_an_exact_zero(
    low: float, high: float, zero_point: int
) -> None:
    scaled = activation_range(low, high)
    scale = float(scaled.scales[0])
    assert scaled.zero_point == pytest.approx(zero_point, abs=1)
    codes = np.array([-128, 127])
    covered = scale * (codes - scaled.zero_point)
    assert covered[0] <= min(low, 0) + scale
    assert covered[1] >= max(high, 0) - scale


def test_values_that_are_all_zero_have_a_scale() -> None:
    assert activation_range(0, 0).scales[0] > 0


def test_each_channel_uses_the_codes_from_minus_127_to_127() -> None:
    kernel = np.array([[0.1, -0.2], [-30, 3]], np.float32)
    layer, bias = quantize_layer("layer", kernel, np.array([0.5, 60], np.float32), 0.25, 0)
    np.testing.assert_array_equal(layer.data, [[64, -127], [-127, 13]])
    np.testing.assert_allclose(layer.quantization.scales, [0.2 / 127, 30 / 127], rtol=1e-6)
    real = bias.data * bias.quantization.scales
    np.testing.assert_allclose(real, [0.5, 60], rtol=1e-3)
    np.testing.assert_allclose(bias.quantization.scales, 0.25 * layer.quantization.scales)


def test_one_scale_for_a_whole_layer() -> None:
    kernel = np.array([[0.1, -0.2], [-30, 3]], np.float32)
    layer, bias = quantize_layer("layer", kernel, np.zeros(2, np.float32), 1.0, None)
    assert len(layer.quantization.scales) == len(bias.quantization.scales) == 1
    np.testing.assert_array_equal(layer.data, [[0, -1], [-127, 13]])


def test_a_dead_channel_keeps_its_bias() -> None:
    kernel = np.array([[1e-12, 0], [0, 0], [1, 0.5]], np.float32)
    bias = np.array([3, 2, 1], np.float32)
    layer, codes = quantize_layer("layer", kernel, bias, 0.02, 0)
    assert np.abs(codes.data.astype(np.int64)).max() <= MAX_BIAS
    np.testing.assert_allclose(codes.data * codes.quantization.scales, bias, rtol=1e-3)
    np.testing.assert_array_equal(layer.data[:, 0], [0, 0, 127])
