"""Parameters, sparsity and multiply-adds of model files."""

from dataclasses import replace

import numpy as np
import pytest
from errors import raises_code

from edge.modelfile import tflite
from edge.modelfile.operations import DENSIFY, model_cost
from edge.modelfile.tflite import OpInfo


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
def test_a_dense_layer_with_two_thirds_zeros(tiny_model, dtype):
    cost = model_cost(tflite.parse(tiny_model(dtype)))
    assert cost.multiply_adds == cost.parameters == 3 * 48
    assert cost.sparsity == pytest.approx(2 / 3)


def test_zeros_are_counted_by_the_zero_point(tiny_model):
    file = tflite.parse(tiny_model("uint8"))
    moved = _with_weights(file, zero_points=(127,))
    assert model_cost(moved).sparsity == pytest.approx(1 / 3)  # 127 stood for the largest weight
    by_row = _with_weights(file, zero_points=(127, 0, 0), axis=0)
    assert model_cost(by_row).sparsity == pytest.approx((1 / 3 + 2 / 3 + 2 / 3) / 3)


def test_weights_that_a_sparse_tensor_omits_are_zero(tiny_model):
    """A sparse encoding holds the values that are left, and an operation unpacks them."""
    file = tflite.parse(tiny_model("float32"))
    weights = file.main.tensors[4]
    start, size = file.buffers[weights.buffer]
    values = np.frombuffer(file.content[start : start + size], np.float32)
    left = values[values != 0][:36].tobytes()
    at = len(file.content)
    content = file.content + left
    buffers = list(file.buffers)
    buffers[weights.buffer] = (at, len(left))
    unpack = OpInfo(DENSIFY, "", 1, (4,), (len(file.main.tensors),))
    dense = next(op for op in file.main.operators if op.code == 9)
    behind = replace(dense, inputs=(1, len(file.main.tensors), -1))
    others = tuple(behind if op is dense else op for op in file.main.operators)
    graph = replace(
        file.main,
        tensors=(*file.main.tensors, replace(weights, buffer=0)),
        operators=(unpack, *others),
    )
    sparse = replace(file, content=content, buffers=tuple(buffers), graphs=(graph,))
    cost = model_cost(sparse)
    assert cost.parameters == cost.multiply_adds == 144
    assert cost.sparsity == pytest.approx(1 - 36 / 144)


def test_more_weights_than_the_shape_holds(tiny_model):
    file = _with_weights(tflite.parse(tiny_model("int8")), shape=(3, 4))
    with raises_code("model-damaged", found="weights"):
        model_cost(file)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "parameters", "multiply_adds"),
    [
        # As published: 3.4 M weights and 300 M, 0.47 M and 14 M multiply-adds (arXiv 1801.04381,
        # 1704.04861); these classifiers have 1,001 classes.
        ("mobilenet_v2_1.0_224_quant.tflite", 3.49e6, 300e6),
        ("mobilenet_v1_0.25_128_quant.tflite", 0.47e6, 13.6e6),
    ],
)
def test_costs_of_mobilenets_match_the_published_figures(
    test_data, name, parameters, multiply_adds
):
    cost = model_cost(tflite.parse((test_data / "models" / name).read_bytes()))
    assert cost.parameters == pytest.approx(parameters, rel=0.01)
    assert cost.multiply_adds == pytest.approx(multiply_adds, rel=0.01)
    assert 0 < cost.sparsity < 0.05


@pytest.mark.realdata
def test_operations_compiled_for_the_edge_tpu_are_not_counted(test_data):
    name = "mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    cost = model_cost(tflite.parse((test_data / "models" / name).read_bytes()))
    assert (cost.parameters, cost.multiply_adds, cost.sparsity) == (0, 0, 0)


def _with_weights(file, **changes):
    """The file with its weights declared differently."""
    tensors = list(file.main.tensors)
    tensors[4] = replace(tensors[4], **changes)
    return replace(file, graphs=(replace(file.main, tensors=tuple(tensors)),))
