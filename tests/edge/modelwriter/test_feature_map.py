import numpy as np
import pytest
import tiny_models
from errors import raises_code

from edge import interpreter
from edge.modelfile import tflite
from edge.modelwriter.feature_map import find_feature_map


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_the_mean_of_the_map_times_the_weights_is_the_logit(dtype: str) -> None:
    content = tiny_models.pooled_model(dtype)
    mapped = find_feature_map(tflite.parse(content))
    runtime = interpreter.load(mapped.content, name="mapped", delegate="cpu")
    pixels = np.random.default_rng(0).integers(0, 255, (1, 8, 8, 3))
    image = pixels / 127.5 - 1 if dtype == "float32" else pixels - 128
    scores, features = runtime.invoke(image.astype(dtype))
    logits = runtime.outputs[1].dequantize(features).mean((1, 2)) @ mapped.kernel.T
    expected = np.exp(logits) / np.exp(logits).sum()
    actual = runtime.outputs[0].dequantize(scores)
    assert np.abs(actual - expected).max() < (1e-6 if dtype == "float32" else 0.01)
    whole = interpreter.load(content, name="whole", delegate="cpu")
    assert np.array_equal(whole.invoke(image.astype(dtype))[0], scores)


def test_a_flattened_map_is_no_mean() -> None:
    with raises_code("model-without-feature-map", fix="occlusion"):
        find_feature_map(tflite.parse(tiny_models.color_model()))


def test_a_detector_has_no_last_layer() -> None:
    with raises_code("model-without-feature-map", fix="occlusion"):
        find_feature_map(tflite.parse(tiny_models.detector_model()))
