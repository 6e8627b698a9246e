"""Weights of any width become layers without BatchNorm."""

import numpy as np
import pytest
import written_backbone
from errors import raises_code
from written_networks import run

from converters.backbone.mobilenet_v2 import Weights
from converters.writer.float_files import to_float32
from converters.writer.folding import fold
from edge.modelwriter.heads import LinearLayer


@pytest.fixture
def weights() -> Weights:
    return written_backbone.weights()


def test_a_folded_layer_is_convolution_and_norm(weights: Weights) -> None:
    stem = fold(weights, 96).blocks[0].layers[0]
    (kernel,), (gamma, beta, mean, variance) = weights["Conv1"], weights["bn_Conv1"]
    scale = gamma / np.sqrt(variance + 1e-3)
    np.testing.assert_allclose(stem.kernel, np.moveaxis(kernel * scale, 3, 0), rtol=1e-5)
    np.testing.assert_allclose(stem.bias, beta - mean * scale, rtol=1e-4, atol=1e-6)
    assert (stem.stride, stem.relu6) == (2, True)


def test_shortcuts_and_strides_are_those_of_mobilenet_v2(weights: Weights) -> None:
    blocks = fold(weights, 96).blocks
    assert [block.shortcut for block in blocks if block.shortcut] == [
        f"block_{i}_add" for i in (2, 4, 5, 7, 8, 9, 11, 12, 14, 15)
    ]
    strides = [layer.stride for block in blocks for layer in block.layers]
    assert np.prod(strides) == 32
    assert len(strides) == 52


def test_channels_that_nothing_reads_can_be_left_out(weights: Weights, inputs: np.ndarray) -> None:
    silent, pruned = written_backbone.narrowed(weights)
    whole, narrow = (to_float32(fold(each, 96)) for each in (silent, pruned))
    assert len(narrow) < 0.9 * len(whole)
    np.testing.assert_allclose(
        run(narrow, inputs[:1]), run(whole, inputs[:1]), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("layer", "arrays"),
    [
        ("block_3_expand", []),
        ("block_3_expand", [np.zeros((1, 1, 9, 48), np.float32)]),
        ("block_3_depthwise", [np.zeros((3, 3, 47, 1), np.float32)]),
        ("block_3_project_BN", [np.ones(7, np.float32)] * 4),
        ("Conv_1", [np.zeros((320, 1280), np.float32)]),
    ],
)
def test_weights_of_another_architecture(
    weights: Weights, layer: str, arrays: list[np.ndarray]
) -> None:
    with raises_code("weights-layout-mismatch", found=layer, kind="WeightsError"):
        fold(weights | {layer: arrays}, 96)


def test_a_head_for_other_features(weights: Weights) -> None:
    with raises_code("weights-layout-mismatch", found="7 inputs after 1280 channels"):
        fold(weights, 32, LinearLayer(np.ones((7, 2), np.float32), np.ones(2, np.float32)))


def test_a_shortcut_needs_equal_widths(weights: Weights) -> None:
    kernel, norm = weights["block_2_project"][0], weights["block_2_project_BN"]
    narrow = {
        "block_2_project": [kernel[..., :5]],
        "block_2_project_BN": [array[:5] for array in norm],
    }
    with raises_code("weights-layout-mismatch", found="5 channels added to 16"):
        fold(weights | narrow, 96)
