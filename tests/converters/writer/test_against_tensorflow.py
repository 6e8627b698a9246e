"""The files equal those of TensorFlow's converter, and TensorFlow's interpreter runs them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import written_backbone
from ai_edge_litert import schema_py_generated as schema
from written_networks import run_each

from converters import tf
from converters.backbone import weights
from converters.progress import SilentProgress
from converters.writer.classifier import ClassifierNetwork
from converters.writer.float_files import to_float32
from converters.writer.folding import FoldedNetwork
from converters.writer.int8_file import to_int8
from converters.writer.ranges import Ranges
from edge.modelwriter.quantization import quantize_kernel

CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED = 3, 4, 9

if not tf.is_installed():
    pytest.skip("TensorFlow is not installed", allow_module_level=True)


@dataclass(frozen=True)
class Converted:
    """A tf_keras model of the network, and what TensorFlow converts it to."""

    model: Any
    float32: bytes
    int8: bytes


@pytest.fixture(scope="module")
def converted_by_tensorflow(network: FoldedNetwork, images: np.ndarray) -> Converted:
    from converters import tflite
    from converters.tasks.classify.head import assemble

    assert network.head is not None
    backbone = weights.load("builtin", None, network.size, 0, SilentProgress())
    model = assemble(backbone, len(network.head.bias), network.head.kernel, network.head.bias)
    preprocessing = written_backbone.PREPROCESSING
    return Converted(model, tflite.to_float32(model), tflite.to_int8(model, images, preprocessing))


def layers(content: bytes) -> list[tuple[int, int, Any, Any]]:
    """Code, version, weights and their scales of each operation of a file."""
    model = schema.ModelT.InitFromPackedBuf(content)
    (graph,) = model.subgraphs
    rows = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kernel = scales = None
        if code.builtinCode in (CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED):
            tensor = graph.tensors[operator.inputs[1]]
            kernel = np.asarray(model.buffers[tensor.buffer].data, np.uint8)
            scales = tensor.quantization and tensor.quantization.scale
        rows.append((code.builtinCode, code.version, kernel, scales))
    return rows


def test_float32_says_the_same(
    network: FoldedNetwork, converted_by_tensorflow: Converted, inputs: np.ndarray
) -> None:
    ours, theirs = to_float32(network), converted_by_tensorflow.float32
    np.testing.assert_allclose(
        run_each(ours, inputs[:8, None]), run_each(theirs, inputs[:8, None]), atol=1e-5
    )
    assert [row[:2] for row in layers(ours)] == [row[:2] for row in layers(theirs)]


def test_int8_has_the_same_operations_and_weights(
    network: FoldedNetwork, ranges: Ranges, converted_by_tensorflow: Converted
) -> None:
    ours, theirs = layers(to_int8(network, ranges)), layers(converted_by_tensorflow.int8)
    assert [row[:2] for row in ours] == [row[:2] for row in theirs]
    both = [(our, their) for our, their in zip(ours, theirs, strict=True) if our[2] is not None]
    # TensorFlow's 1/√variance is inexact in its last bit, which decides ties; the built-in weights,
    # which were float16, have some. From the same folded weights all codes are the same.
    steps = np.concatenate(
        [our[2].view(np.int8).astype(int) - their[2].view(np.int8) for our, their in both]
    )
    assert np.count_nonzero(steps) <= 1e-4 * len(steps)
    assert np.abs(steps).max() <= 1
    for our, their in both:
        np.testing.assert_allclose(our[3], their[3], rtol=1e-6)


def test_the_same_folded_weights_have_the_same_codes(converted_by_tensorflow: Converted) -> None:
    exact, codes = (
        layers(content)
        for content in (converted_by_tensorflow.float32, converted_by_tensorflow.int8)
    )
    quantized = [row for row in codes if row[2] is not None]
    for (code, _, kernel, _), (_, _, stored, scales) in zip(
        [row for row in exact if row[2] is not None], quantized, strict=True
    ):
        values = kernel.view(np.float32)
        # Output channels come first, but last in a depthwise convolution.
        axis = int(code == DEPTHWISE_CONV_2D)
        shaped = values.reshape((-1, len(scales)) if axis else (len(scales), -1))
        ours = quantize_kernel("layer", shaped, axis if len(scales) > 1 else None)
        np.testing.assert_array_equal(ours.data.ravel(), stored.view(np.int8))


def test_int8_agrees_with_float32_as_well(
    network: FoldedNetwork, ranges: Ranges, converted_by_tensorflow: Converted,
    images: np.ndarray, inputs: np.ndarray,
) -> None:  # fmt: skip
    truth = run_each(converted_by_tensorflow.float32, inputs[:, None])
    ours, theirs = (
        run_each(content, images[:, None])
        for content in (to_int8(network, ranges), converted_by_tensorflow.int8)
    )
    assert (ours.argmax(1) == truth.argmax(1)).sum() >= (theirs.argmax(1) == truth.argmax(1)).sum()
    assert np.abs(ours - truth).mean() <= 1.25 * np.abs(theirs - truth).mean() + 1 / 512


def test_a_trained_model_becomes_the_same_file(
    network: FoldedNetwork, converted_by_tensorflow: Converted
) -> None:
    trained = ClassifierNetwork.from_model(converted_by_tensorflow.model)
    assert to_float32(trained.folded()) == to_float32(network)


def test_tensorflow_lite_runs_the_int8_file(
    network: FoldedNetwork, ranges: Ranges, images: np.ndarray
) -> None:
    from converters.tf import tensorflow

    content = to_int8(network, ranges)
    interpreter = tensorflow().lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images[:1])
    interpreter.invoke()
    scores = interpreter.get_tensor(interpreter.get_output_details()[0]["index"]) / 256
    np.testing.assert_allclose(scores, run_each(content, images[:1, None]), atol=4 / 256)
