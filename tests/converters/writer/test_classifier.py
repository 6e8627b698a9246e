"""A classifier as its weights."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import written_backbone
from errors import raises_code

from converters.backbone.mobilenet_v2 import Weights
from converters.writer.classifier import ClassifierNetwork
from converters.writer.float_files import to_float32
from converters.writer.folding import FoldedNetwork


def keras_like(weights: Weights, **more: list[np.ndarray]) -> Any:
    """What the network reads of a tf_keras model."""
    layers = [
        SimpleNamespace(name=name, get_weights=lambda arrays=arrays: arrays)
        for name, arrays in (weights | more).items()
    ]
    return SimpleNamespace(layers=layers, inputs=[SimpleNamespace(shape=(None, 96, 96, 3))])


def test_a_trained_model_is_read_with_its_head(network: FoldedNetwork) -> None:
    weights, head = written_backbone.weights(), network.head
    assert head is not None
    model = keras_like(weights, head=[head.kernel, head.bias], dropout=[])
    assert to_float32(ClassifierNetwork.from_model(model).folded()) == to_float32(network)


def test_a_model_without_a_head_is_refused() -> None:
    with raises_code("weights-layout-mismatch", expected="head", kind="WeightsError"):
        ClassifierNetwork.from_model(keras_like(written_backbone.weights()))
