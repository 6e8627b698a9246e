"""A TFLite classifier gives its backbone back, float or quantized."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import micro_backbone
import numpy as np
import pytest
from errors import raises_code
from micro_model import PREPROCESSING, images

from converters.backbone import weights
from converters.tf import keras, tensorflow
from edge.image import decode_image
from edge.preprocessing import Preprocessing
from edge.terminal import suppress_native_stderr


@pytest.fixture(scope="module")
def model() -> Any:
    return micro_backbone.model()


@pytest.fixture(scope="module")
def copy() -> Any:
    """Another such model, to be given weights."""
    return micro_backbone.model(seed=1)


@dataclass(frozen=True)
class Traced:
    """A classifier and its function, which TensorFlow's converter takes."""

    classifier: Any
    function: Any


@pytest.fixture(scope="module")
def traced(model: Any) -> Traced:
    tf, layers = tensorflow(), keras().layers
    pooled = layers.GlobalAveragePooling2D()(model.output)
    whole = keras().Model(model.input, layers.Dense(3, activation="softmax")(pooled))
    function = tf.function(lambda x: whole(x, training=False))
    return Traced(whole, function.get_concrete_function(tf.TensorSpec([1, 96, 96, 3], tf.float32)))


def _convert(traced: Traced, kind: str) -> bytes:
    tf = tensorflow()
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [traced.function], traced.classifier
    )
    converter.experimental_lower_to_saved_model = False
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind == "int8":
        samples = PREPROCESSING.normalize(images(8, seed=9)[0])
        converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
    with suppress_native_stderr():
        return bytes(converter.convert())


@pytest.mark.parametrize(("kind", "likeness"), [("float32", 0.9999), ("float16", 0.999)])
def test_the_feature_map_comes_back(
    kind: str, likeness: float, model: Any, copy: Any, traced: Traced, tmp_path: Path
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(_convert(traced, kind))
    loaded = weights.load(str(path), None, None, 0)
    assert (loaded.alpha, loaded.size) == (0.35, 96)
    inputs = PREPROCESSING.normalize(images(2, seed=3)[0])
    want = model(inputs, training=False).numpy().ravel()
    for name, arrays in loaded.arrays.items():
        copy.get_layer(name).set_weights(arrays)
    got = copy(inputs, training=False).numpy().ravel()
    assert np.corrcoef(want, got)[0, 1] > likeness


def test_quantized_kernels_come_back_within_a_step(
    model: Any, traced: Traced, tmp_path: Path
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(_convert(traced, "int8"))
    loaded = weights.load(str(path), None, None, 0).arrays
    kernel = model.get_layer("block_3_expand").get_weights()[0]
    gamma, _, _, variance = model.get_layer("block_3_expand_BN").get_weights()
    want = kernel * (gamma / np.sqrt(variance + 1e-3))  # as BatchNorm is folded
    (got,) = loaded["block_3_expand"]
    step = np.abs(want).max(axis=(0, 1, 2)) / 127  # int8, symmetric, per output channel
    assert np.all(np.abs(got - want) <= 0.51 * step)


def test_a_file_that_is_no_tflite_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"not a model at all")
    with raises_code("weights-unreadable", found=str(path)):
        weights.load(str(path), None, None, 0)


@pytest.mark.realdata
@pytest.mark.parametrize(
    "name", ["mobilenet_v2_1.0_224_quant.tflite", "tf2_mobilenet_v2_1.0_224_ptq.tflite"]
)
def test_real_quantized_models_keep_their_embedding(name: str, test_data: Path) -> None:
    path = test_data / "models" / name
    loaded = weights.load(str(path), None, None, 0)
    model = loaded.build()
    for image in ("cat_720p.jpg", "owl.jpg", "hot_dog.jpg"):
        pixels = Preprocessing(224, 224).resize(
            decode_image((test_data / "images" / image).read_bytes())
        )
        got = model(Preprocessing(224, 224).normalize(pixels)[None], training=False).numpy()
        assert np.corrcoef(got.mean((0, 1, 2)), _own_embedding(path, pixels))[0, 1] > 0.97


def _own_embedding(path: Path, pixels: Any) -> Any:
    """Return the output of the model's own global average pooling for an image."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[None])
    interpreter.invoke()
    pooled = next(
        tensor
        for tensor in interpreter.get_tensor_details()
        if list(tensor["shape"]) == [1, 1, 1, 1280]
    )
    return interpreter.get_tensor(pooled["index"]).ravel().astype(np.float32)


@pytest.mark.realdata
@pytest.mark.parametrize(
    "name", ["mobilenet_v1_0.25_128_quant.tflite", "movenet_single_pose_lightning_ptq.tflite"]
)
def test_another_architecture_is_an_error(name: str, test_data: Path) -> None:
    with raises_code("weights-layout-mismatch", found=name):
        weights.load(str(test_data / "models" / name), None, None, 0)
