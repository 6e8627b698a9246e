from typing import Any

import numpy as np
import pytest
from errors import raises_code

from converters import tflite
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.tf import keras
from converters.tflite import Variant
from edge.interpreter import Runtime, load


def run(content: bytes, pixels: np.ndarray) -> np.ndarray:
    """Real scores [n, classes] of images fed as this file wants them."""
    runtime = load(content, name="test.tflite", delegate="cpu")
    fed = pixels if runtime.inputs[0].dtype == "uint8" else (pixels - np.float32(127.5)) / 127.5
    spec = runtime.outputs[0]
    return np.concatenate([spec.dequantize(runtime.invoke(p[None])[0]) for p in fed])


def test_variants_come_in_order_and_shrink(micro_variants: tuple[Variant, ...]) -> None:
    assert [v.name for v in micro_variants] == ["float32", "float16", "int8"]
    sizes = [len(v.content) for v in micro_variants]
    assert sizes[1] < 0.7 * sizes[0]  # the graph itself takes a good part of so small a file
    assert sizes[2] < 0.75 * sizes[0]


def test_float32_is_the_keras_model(
    micro_model_and_variants: tuple[Any, tuple[Variant, ...]], shapes: Dataset, shapes_split: Split
) -> None:
    model, variants = micro_model_and_variants
    pixels = shapes.pixels[shapes_split.test]
    expected = model(shapes.preprocessing.normalize(pixels), training=False).numpy()
    np.testing.assert_allclose(run(variants[0].content, pixels), expected, atol=1e-4)
    np.testing.assert_allclose(run(variants[1].content, pixels), expected, atol=0.02)


def test_int8_equals_float32_within_quantization_error(
    micro_variants: tuple[Variant, ...], shapes: Dataset, shapes_split: Split
) -> None:
    pixels = shapes.pixels[shapes_split.test]
    expected = run(micro_variants[0].content, pixels)
    got = run(micro_variants[2].content, pixels)
    assert np.ptp(expected, axis=0).min() > 0.5, "the model must tell its classes apart"
    assert np.abs(got - expected).mean() < 0.05
    assert (got.argmax(1) == expected.argmax(1)).mean() >= 0.9


def test_int8_is_quantized_throughout(micro_variants: tuple[Variant, ...]) -> None:
    runtime: Runtime = load(micro_variants[2].content, name="int8", delegate="cpu")
    assert runtime.inputs[0].dtype == runtime.outputs[0].dtype == "uint8"
    assert runtime.inputs[0].shape == (1, 96, 96, 3)
    assert "DEQUANTIZE" not in {op for op, _ in operations(micro_variants[2].content)}


def test_dense_layers_stay_within_the_versions_of_tflite_runtime(
    micro_variants: tuple[Variant, ...],
) -> None:
    versions = dict(operations(micro_variants[2].content))
    assert versions["FULLY_CONNECTED"] < 12


def operations(content: bytes) -> list[tuple[str, int]]:
    """(operation, version) of each operation code of a file."""
    from ai_edge_litert import schema_py_generated as schema

    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if not k.startswith("_")}
    codes = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0)).operatorCodes
    return [(names[max(c.builtinCode, c.deprecatedBuiltinCode)], c.version) for c in codes]


@pytest.mark.parametrize("brightest", [20, 60])
def test_input_scale_is_a_pixel_even_for_dark_images(
    micro_model_and_variants: tuple[Any, tuple[Variant, ...]], shapes: Dataset, brightest: int
) -> None:
    rng = np.random.default_rng(0)
    dark = rng.integers(10, brightest, (4, 96, 96, 3), np.uint8)
    untouched = dark.copy()
    content = tflite.to_int8(micro_model_and_variants[0], dark, shapes.preprocessing)
    spec = load(content, name="dark", delegate="cpu").inputs[0]
    assert spec.scale == pytest.approx(2 / 255, rel=1e-6)
    assert spec.zero_point in {127, 128}
    assert np.array_equal(dark, untouched)


def test_an_input_that_is_no_pixel_is_refused(
    micro_model_and_variants: tuple[Any, tuple[Variant, ...]],
    shapes: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dark = np.full((2, 96, 96, 3), 40, np.uint8)
    monkeypatch.setattr(
        tflite, "representative_samples", lambda images, p: (p.normalize(x)[None] for x in images)
    )
    with raises_code("input-range-mismatch", expected="-1 to 1", kind="ConversionError"):
        tflite.to_int8(micro_model_and_variants[0], dark, shapes.preprocessing)


def test_other_input_and_output_types(
    micro_model_and_variants: tuple[Any, tuple[Variant, ...]], shapes: Dataset
) -> None:
    content = tflite.to_int8(
        micro_model_and_variants[0], shapes.pixels[:2], shapes.preprocessing,
        input_type="int8", output_type="float32",
    )  # fmt: skip
    runtime = load(content, name="int8", delegate="cpu")
    assert (runtime.inputs[0].dtype, runtime.outputs[0].dtype) == ("int8", "float32")


def test_no_calibration_images(
    micro_model_and_variants: tuple[Any, tuple[Variant, ...]], shapes: Dataset
) -> None:
    with raises_code("no-calibration-images", kind="ConversionError"):
        tflite.to_int8(micro_model_and_variants[0], shapes.pixels[:0], shapes.preprocessing)


def test_a_model_the_converter_refuses_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    from converters.tf import tensorflow

    image = keras().Input((8, 8, 3))
    odd = keras().layers.Lambda(lambda x: tensorflow().raw_ops.MatrixInverse(input=x[:, :3, :3, 0]))
    with raises_code("model-not-convertible", kind="ConversionError") as raised:
        tflite.to_float32(keras().Model(image, odd(image)))
    assert "\n" not in str(raised.value)
    assert capfd.readouterr().err == ""
