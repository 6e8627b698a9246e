"""Post-training quantization: each mode gives a file with the network's outputs that runs."""

from typing import Any

import numpy as np
import pytest
from errors import raises_code
from micro_files import runs_on_tflite_runtime, scores

from converters import tflite as quantize
from converters.backbone import mobilenet_v2
from converters.compression import methods
from converters.compression.channels.blocks import find_blocks, keep_channels
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.keras_models import pointwise
from converters.tf import clone_model, keras
from edge.interpreter import load

MODES = ("float32", "float16", "dynamic", "int8", "int16x8")


def quantized(mode: str, context: RecipeContext, **options: str) -> RecipeState:
    method = methods.find("quantize", mode)
    return method.run(RecipeState(context.teacher), method.options(**options), context)


@pytest.fixture(scope="module")
def states(context: RecipeContext) -> dict[str, RecipeState]:
    return {mode: quantized(mode, context) for mode in MODES}


@pytest.mark.parametrize(
    ("mode", "tolerance"),
    [("float32", 1e-4), ("float16", 0.01), ("dynamic", 0.05), ("int8", 0.05), ("int16x8", 0.05)],
)
def test_a_file_has_the_outputs_of_the_network(
    states: dict[str, RecipeState], context: RecipeContext, mode: str, tolerance: float
) -> None:
    pixels = context.dataset.pixels[context.split.test]
    inputs = context.dataset.preprocessing.normalize(pixels)
    expected = np.asarray(context.teacher(inputs, training=False))
    content = states[mode].content
    assert content is not None
    assert np.abs(scores(content, pixels) - expected).mean() < tolerance


@pytest.mark.parametrize("mode", MODES)
def test_every_file_runs_on_tflite_runtime(states: dict[str, RecipeState], mode: str) -> None:
    content = states[mode].content
    assert content is not None
    assert runs_on_tflite_runtime(content)


def test_dense_layers_of_dynamic_stay_within_the_versions_of_tflite_runtime(
    states: dict[str, RecipeState],
) -> None:
    from edge.modelfile import tflite

    content = states["dynamic"].content
    assert content is not None
    versions = [o.version for o in tflite.parse(content, "dynamic").graphs[0].operators]
    assert max(versions) < 12


def test_16_bits_are_nearer_to_float_than_8(
    states: dict[str, RecipeState], context: RecipeContext
) -> None:
    pixels = context.dataset.pixels[context.split.test]

    def error(mode: str) -> float:
        content, expected = states[mode].content, states["float32"].content
        assert content is not None
        assert expected is not None
        return float(np.abs(scores(content, pixels) - scores(expected, pixels)).mean())

    assert error("int16x8") < error("int8")


@pytest.fixture(scope="module")
def whole() -> Any:
    """A whole MobileNetV2, small and untrained, with its last third of channels removed."""
    layers = keras().layers
    base = mobilenet_v2.build(0.35, 96)
    pooled = layers.GlobalAveragePooling2D()(base.output)
    model = keras().Model(base.input, layers.Dense(3, activation="softmax", name="head")(pooled))
    blocks = find_blocks(model)
    return keep_channels(
        model, {block.name: np.arange(block.channels * 2 // 3) for block in blocks}
    )


@pytest.mark.parametrize("mode", ["float32", "float16", "dynamic", "int8"])
def test_a_whole_network_needs_no_converter(
    whole: Any, context: RecipeContext, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(quantize, "_convert", lambda converter: pytest.fail("TensorFlow's"))
    method = methods.find("quantize", mode)
    content = method.run(RecipeState(whole), method.options(), context).content
    assert content is not None
    assert runs_on_tflite_runtime(content)
    pixels = context.dataset.pixels[context.split.test]
    expected = np.asarray(whole(context.dataset.preprocessing.normalize(pixels), training=False))
    assert np.abs(scores(content, pixels) - expected).mean() < 0.02


@pytest.mark.parametrize("kind", ["uint8", "int8", "float32"])
def test_int8_has_the_given_input_and_output_type(context: RecipeContext, kind: str) -> None:
    content = quantized("int8", context, input_type=kind, output_type=kind).content
    assert content is not None
    runtime = load(content, name="int8", delegate="cpu")
    assert (runtime.inputs[0].dtype, runtime.outputs[0].dtype) == (kind, kind)


@pytest.mark.parametrize("mode", ["int8", "qat", "pqat"])
def test_an_unknown_type_suggests_the_nearest(mode: str) -> None:
    with raises_code("unknown-option-value", fix="'uint8'", kind="UsageError"):
        methods.find("quantize", mode).options(input_type="unit8")


def test_an_unlike_type_suggests_the_default() -> None:
    with raises_code("unknown-option-value", found="'double'", fix="use uint8"):
        quantize.check_types("double")


def test_a_sparse_file_is_smaller_with_the_same_outputs(context: RecipeContext) -> None:
    model = clone_model(context.teacher)
    for layer in pointwise(model):
        (kernel,) = layer.get_weights()
        layer.set_weights([kernel * (np.abs(kernel) >= np.quantile(np.abs(kernel), 0.8))])

    def convert(mode: str) -> bytes:
        method = methods.find("quantize", mode)
        content = method.run(RecipeState(model), method.options(), context).content
        assert content is not None
        return content

    sparse, dense = convert("sparse"), convert("float32")
    assert len(sparse) < 0.8 * len(dense)
    assert runs_on_tflite_runtime(sparse)
    pixels = context.dataset.pixels[context.split.test]
    np.testing.assert_allclose(scores(sparse, pixels), scores(dense, pixels), atol=1e-5)


def test_a_dense_model_is_not_stored_sparsely(context: RecipeContext) -> None:
    with raises_code("model-not-pruned", expected="67%", found="0%", kind="ConversionError"):
        quantized("sparse", context)


def test_notes_name_the_cost_of_a_mode(states: dict[str, RecipeState]) -> None:
    assert "Edge TPU" in " ".join(states["dynamic"].notes)
    assert "XNNPACK" in " ".join(states["int16x8"].notes)
