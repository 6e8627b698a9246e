"""New heads on old backbones say what numpy says."""

from pathlib import Path

import numpy as np
import pytest
import tiny_models
from errors import raises_code
from written_networks import FEATURES, SIDE, Small, run, run_each, softmax

from edge.modelfile import metadata, operations, structure, tflite
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.modelwriter.embedding import Extractor, behead
from edge.modelwriter.heads import OUTPUT_TYPES, LinearLayer, append_float_head, append_int8_head


def layer(features: int, classes: int = 5, seed: int = 0) -> LinearLayer:
    rng = np.random.default_rng(seed)
    kernel = rng.normal(0, 2 / np.sqrt(features), (features, classes)).astype(np.float32)
    return LinearLayer(kernel, rng.normal(0, 0.5, classes).astype(np.float32))


def pixels(content: bytes, count: int = 20) -> list[np.ndarray]:
    """Random inputs of a model."""
    rng = np.random.default_rng(3)
    (tensor,) = tflite.parse(content).inputs
    if tensor.dtype == "float32":
        return list(rng.uniform(-1, 1, (count, *tensor.shape)).astype(np.float32))
    limits = np.iinfo(tensor.dtype)
    values = rng.integers(limits.min, limits.max + 1, (count, *tensor.shape))
    return list(values.astype(tensor.dtype))


def expected(extractor: Extractor, head: LinearLayer, images: list[np.ndarray]) -> np.ndarray:
    embeddings = run_each(extractor.content, images).reshape(len(images), -1)
    return head.logits(embeddings)


@pytest.mark.parametrize("output", OUTPUT_TYPES)
@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
def test_a_float_head_is_exact(dtype: str, output: str) -> None:
    extractor = behead(tiny_models.color_model(dtype))
    head = layer(extractor.dimension)
    images = pixels(extractor.content)
    content = append_float_head(extractor, head, output)
    scores = run_each(content, images)
    scores_by_numpy = softmax(expected(extractor, head, images))
    np.testing.assert_allclose(
        scores, scores_by_numpy, atol=1e-6 if output == "float32" else 0.51 / 256
    )
    assert tflite.parse(content).outputs[0].dtype == output


@pytest.mark.parametrize("output", OUTPUT_TYPES)
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_an_int8_head_is_close_and_quantized_throughout(dtype: str, output: str) -> None:
    extractor = behead(tiny_models.color_model(dtype))
    head = layer(extractor.dimension)
    images = pixels(extractor.content)
    logits = expected(extractor, head, images)
    content = append_int8_head(extractor, head, logits, output)
    scores = run_each(content, images)
    assert np.abs(scores - softmax(logits)).max() < 0.02
    assert (scores.argmax(1) == logits.argmax(1)).mean() >= 0.9
    file = tflite.parse(content)
    kind = operations.quantization(file)["kind"]
    assert kind == (
        "full integer" if output != "float32" else "full integer inside, float at the ends"
    )
    structure.check(file, "head")


def test_a_new_head_on_a_network_keeps_its_backbone() -> None:
    small = Small()
    extractor = behead(small.content())
    head = LinearLayer(small.head.T, small.head_bias)
    image = np.random.default_rng(5).uniform(-1, 1, (1, SIDE, SIDE, 3)).astype(np.float32)
    np.testing.assert_array_equal(
        run(append_float_head(extractor, head), image), run(small.content(), image)
    )


def test_a_head_replaces_a_head_and_takes_metadata() -> None:
    once = append_float_head(behead(Small().content()), layer(FEATURES, 3))
    about = ModelMetadata(labels=("a", "b", "c"), mean=(127.5,), std=(127.5,))
    described = write_metadata(once, about)
    assert metadata.read(described) == about
    again = append_float_head(behead(described), layer(FEATURES, 3))
    assert again == once


def test_a_compiled_extractor_gets_its_head_on_the_cpu() -> None:
    content = append_float_head(behead(tiny_models.compiled_extractor(0.02)), layer(5))
    file = tflite.parse(content)
    assert file.for_edgetpu
    first, *others = file.main.operators
    start, size = first.custom_options
    assert content[start : start + size] == tiny_models.EXECUTABLE
    assert [op.code for op in others] == [6, 22, 9, 25]  # DEQUANTIZE to SOFTMAX
    structure.check(file, "compiled")


def test_a_head_of_another_size_is_refused() -> None:
    extractor = behead(Small().content())
    with raises_code("head-mismatch", expected="6 features", found="7", kind="UsageError"):
        append_float_head(extractor, layer(7))
    with raises_code("head-mismatch", found="float32"):
        append_int8_head(extractor, layer(FEATURES), np.zeros((1, 5), np.float32))


@pytest.mark.parametrize(
    ("kernel", "bias"),
    [
        (np.zeros((3, 2)), np.zeros(3)),
        (np.zeros(3), np.zeros(3)),
        (np.full((3, 2), np.nan), np.zeros(2)),
        (np.zeros((3, 2)), np.full(2, np.inf)),
    ],
)
def test_weights_that_are_no_layer(kernel: np.ndarray, bias: np.ndarray) -> None:
    with raises_code("head-mismatch", kind="UsageError"):
        LinearLayer(kernel.astype(np.float32), bias.astype(np.float32))


@pytest.mark.realdata
@pytest.mark.parametrize("file", ["mobilenet_v1_0.25_128_quant", "tf2_mobilenet_v2_1.0_224_ptq"])
def test_new_heads_on_real_backbones(test_data: Path, file: str) -> None:
    extractor = behead((test_data / "models" / f"{file}.tflite").read_bytes())
    head = layer(extractor.dimension)
    images = pixels(extractor.content, 3)
    logits = expected(extractor, head, images)
    exact = run_each(append_float_head(extractor, head), images)
    np.testing.assert_allclose(exact, softmax(logits), atol=1e-5)
    integer = append_int8_head(extractor, head, logits)
    close = run_each(integer, images)
    assert np.abs(close - exact).max() < 0.03
