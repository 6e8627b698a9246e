"""A scorer's answers are the network's, and stay when it is trained on."""

from typing import Any

import numpy as np
import pytest

from converters.compression.scoring import scorer
from converters.tf import keras


@pytest.fixture(scope="module")
def whole() -> Any:
    """A whole MobileNetV2, small and untrained, which runs in an interpreter."""
    layers = keras().layers
    base = keras().applications.MobileNetV2((32, 32, 3), 0.35, include_top=False, weights=None)
    pooled = layers.GlobalAveragePooling2D()(base.output)
    return keras().Model(base.input, layers.Dense(3, activation="softmax", name="head")(pooled))


def test_scores_are_those_of_the_network_when_it_was_read(whole: Any, seed: int) -> None:
    inputs = np.random.default_rng(seed).uniform(-1, 1, (4, 32, 32, 3)).astype(np.float32)
    score, expected = scorer(whole), np.asarray(whole(inputs, training=False))
    kernel, bias = whole.get_layer("head").get_weights()
    whole.get_layer("head").set_weights([kernel, bias + np.arange(3)])
    np.testing.assert_allclose(score(inputs), expected, atol=1e-5)
