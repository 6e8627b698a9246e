"""Quantization-aware training: the int8 file has the outputs of the trained network."""

import gzip
from typing import Any

import numpy as np
import pytest
from errors import raises_code
from micro_files import runs_on_tflite_runtime, scores

from converters import tflite as quantize
from converters.compression import qat
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.keras_models import pointwise
from converters.compression.qat import equalize_depthwise
from converters.tf import clone_model, keras, tfmot
from edge.interpreter import load
from edge.modelfile import tflite
from edge.modelfile.operations import model_cost

OPTIONS = qat.QatOptions(epochs=2)


def predict(model: Any, context: RecipeContext) -> np.ndarray:  # type: ignore[type-arg]
    pixels = context.dataset.pixels[context.split.validation]
    return np.asarray(model(context.dataset.preprocessing.normalize(pixels), training=False))


def uneven(model: Any) -> Any:
    """A copy with the same outputs, with depthwise channels of very different sizes."""
    copy = clone_model(model)
    rng = np.random.default_rng(0)
    for layer in copy.layers:
        if isinstance(layer, keras().layers.DepthwiseConv2D):
            factor = np.exp(rng.uniform(-4, 0, layer.get_weights()[0].shape[2])).astype(np.float32)
            norm = copy.get_layer(f"{layer.name}_BN")
            gamma, beta, mean, variance = norm.get_weights()
            layer.set_weights([layer.get_weights()[0] * factor[:, None]])
            norm.set_weights([gamma / factor, beta, mean * factor, variance])
    return copy


@pytest.fixture(scope="module")
def trained(context: RecipeContext) -> RecipeState:
    return qat.run_qat(RecipeState(uneven(context.teacher)), OPTIONS, context)


@pytest.fixture(scope="module")
def sparse(context: RecipeContext) -> Any:
    """The teacher without the smaller half of its 1×1 convolutions' weights."""
    model = clone_model(context.teacher)
    for layer in pointwise(model):
        (kernel,) = layer.get_weights()
        layer.set_weights([kernel * (np.abs(kernel) >= np.median(np.abs(kernel)))])
    return model


def test_the_file_has_the_outputs_of_the_trained_network(
    trained: RecipeState, context: RecipeContext
) -> None:
    assert trained.content is not None
    pixels = context.dataset.pixels[context.split.validation]
    error = np.abs(scores(trained.content, pixels) - predict(trained.model, context)).mean()
    assert error < 0.05


def test_a_channel_without_weights_keeps_its_bias(context: RecipeContext) -> None:
    model = clone_model(context.teacher)
    layer, norm = model.get_layer("block_2_expand"), model.get_layer("block_2_expand_BN")
    (kernel,) = layer.get_weights()
    gamma, beta, *rest = norm.get_weights()
    kernel[..., :8], beta[:8] = 0, 4
    layer.set_weights([kernel])
    norm.set_weights([gamma, beta, *rest])
    wrapped = tfmot().quantization.keras.quantize_model(equalize_depthwise(model))
    qat.calibrate_ranges(wrapped, context)
    qat.floor_weight_ranges(wrapped)
    content = quantize.from_qat_model(wrapped, context.dataset.preprocessing)
    pixels = context.dataset.pixels[context.split.validation]
    assert np.abs(scores(content, pixels) - predict(model, context)).mean() < 0.05


def test_the_file_is_whole_in_8_bits_and_runs_on_tflite_runtime(trained: RecipeState) -> None:
    assert trained.content is not None
    runtime = load(trained.content, name="qat", delegate="cpu")
    assert runtime.inputs[0].dtype == runtime.outputs[0].dtype == "uint8"
    assert runtime.inputs[0].scale == pytest.approx(2 / 255, rel=1e-5)
    assert runtime.inputs[0].zero_point in {127, 128}
    (graph,) = tflite.parse(trained.content, "qat").graphs
    assert not {t.dtype for t in graph.tensors} & {"float32", "float16"}
    assert runs_on_tflite_runtime(trained.content)


def test_the_trained_model_is_plain(trained: RecipeState, context: RecipeContext) -> None:
    names = [layer.name for layer in context.teacher.layers]
    assert [layer.name for layer in trained.model.layers] == names
    assert trained.details[0]["recovery"]["epochs"] == OPTIONS.epochs
    assert not np.array_equal(
        trained.model.get_layer("head").get_weights()[0],
        context.teacher.get_layer("head").get_weights()[0],
    )


def test_ranges_come_from_the_calibration_set_and_not_from_their_start(
    context: RecipeContext,
) -> None:
    model = equalize_depthwise(context.teacher)
    wrapped = tfmot().quantization.keras.quantize_model(model)
    expected = predict(model, context)
    before = np.abs(predict(wrapped, context) - expected).mean()
    qat.calibrate_ranges(wrapped, context)
    after = np.abs(predict(wrapped, context) - expected).mean()
    assert after < 0.25 * before
    assert after < 0.05


@pytest.mark.usefixtures("untraced")
def test_other_input_and_output_types(context: RecipeContext) -> None:
    options = qat.QatOptions(epochs=1, input_type="int8", output_type="float32")
    content = qat.run_qat(RecipeState(context.teacher), options, context).content
    assert content is not None
    runtime = load(content, name="qat", delegate="cpu")
    assert (runtime.inputs[0].dtype, runtime.outputs[0].dtype) == ("int8", "float32")


@pytest.mark.usefixtures("untraced")
def test_zeros_stay_zeros(sparse: Any, trained: RecipeState, context: RecipeContext) -> None:
    state = qat.run_pqat(RecipeState(sparse), OPTIONS, context)
    assert state.content is not None
    assert runs_on_tflite_runtime(state.content)
    for before, after in zip(pointwise(sparse), pointwise(state.model), strict=True):
        gone = before.get_weights()[0] == 0
        assert not after.get_weights()[0][gone].any()
        assert not np.array_equal(before.get_weights()[0], after.get_weights()[0])
    expected = model_cost(tflite.parse(quantize.to_float32(sparse), "sparse")).sparsity
    assert model_cost(tflite.parse(state.content, "pqat")).sparsity >= expected - 0.001
    assert trained.content is not None
    assert len(gzip.compress(state.content)) < 0.9 * len(gzip.compress(trained.content))


def test_a_model_without_zeros_has_none_to_keep(context: RecipeContext) -> None:
    with raises_code("model-not-pruned", fix='step = "prune"', kind="ConversionError"):
        qat.run_pqat(RecipeState(context.teacher), OPTIONS, context)


def test_equalized_kernels_give_the_same_outputs(context: RecipeContext) -> None:
    model = uneven(context.teacher)
    even = equalize_depthwise(model)
    np.testing.assert_allclose(predict(even, context), predict(model, context), atol=1e-4)
    for layer in even.layers:
        if isinstance(layer, keras().layers.DepthwiseConv2D):
            np.testing.assert_allclose(np.abs(layer.get_weights()[0]).max((0, 1, 3)), 1, rtol=1e-5)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"learning_rate": -1.0}, {"label_weight": 2.0}])
def test_options_out_of_range(wrong: dict[str, Any]) -> None:
    with raises_code("option-out-of-range", expected=next(iter(wrong)), kind="UsageError"):
        qat.QatOptions(**wrong)
