"""EfficientNet-Lite, as TensorFlow's converter writes it, is a backbone to teach with.

The published files are not part of the tests: a small network of their operations stands in.
"""

from pathlib import Path

import color_photos
import efficientnet_lite
import numpy as np
import pytest
from efficientnet_lite import FEATURES, SIDE
from numpy.typing import NDArray

import edge
from converters import tflite as writing
from edge import interpreter
from edge.modelfile import tflite
from edge.modelwriter.embedding import behead
from edge.preprocessing import Preprocessing

MEAN, AVERAGE_POOL_2D, FULLY_CONNECTED, SOFTMAX = 40, 1, 9, 25


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    rng = np.random.default_rng(4)
    coarse = rng.integers(0, 256, (24, 4, 4, 3), np.uint8)
    return coarse.repeat(SIDE // 4, axis=1).repeat(SIDE // 4, axis=2)


@pytest.mark.parametrize("published", [True, False], ids=["pooled", "mean"])
def test_efficientnet_lite_loses_its_head_and_learns(
    images: NDArray[np.uint8], tmp_path: Path, published: bool
) -> None:
    preprocessing = Preprocessing(SIDE, SIDE)
    inputs = preprocessing.normalize(images)
    model = efficientnet_lite.classifier(inputs, published)
    content = writing.to_int8(model, images, preprocessing)
    before = {operation.code for operation in tflite.parse(content).main.operators}
    pooling = AVERAGE_POOL_2D if published else MEAN
    assert before >= {pooling, FULLY_CONNECTED, SOFTMAX}

    extractor = behead(content)
    assert (extractor.dimension, extractor.embedding.dtype) == (FEATURES, "int8")
    after = {operation.code for operation in tflite.parse(extractor.content).main.operators}
    assert not after & {FULLY_CONNECTED, SOFTMAX}
    runtime = interpreter.load(extractor.content, name="extractor", delegate="cpu", trusted=True)
    output = runtime.outputs[0]
    embeddings = np.concatenate([output.dequantize(runtime.invoke(i[None])[0]) for i in images])
    expected = efficientnet_lite.embedding(model, inputs)
    assert np.abs(embeddings.reshape(expected.shape) - expected).mean() < 0.1 * expected.std()

    backbone, photos = tmp_path / "efficientnet_lite.tflite", tmp_path / "photos"
    backbone.write_bytes(content)
    for color in ("red", "blue"):
        color_photos.write(photos / color, color, 6)
    taught = edge.teach(photos, backbone=backbone, say=print)
    classifier = edge.Classifier.open(taught.model)
    assert classifier.predict(color_photos.image("red", 77)).best.label == "red"
    assert classifier.predict(color_photos.image("blue", 77)).best.label == "blue"
