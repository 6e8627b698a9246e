"""The architecture as a table is the architecture as Keras builds it."""

import functools
from typing import Any

import pytest
from errors import raises_code

from converters.backbone import mobilenet_v2


@functools.cache
def build(alpha: float) -> Any:
    return mobilenet_v2.build(alpha, 128)


@pytest.mark.parametrize("alpha", [0.35, 1.4])
def test_the_table_of_layers_is_that_of_the_model(alpha: float) -> None:
    model = build(alpha)
    built = [
        (layer.name, tuple(tuple(w.shape) for w in layer.weights))
        for layer in model.layers
        if layer.weights
    ]
    assert [(layer.name, layer.shapes) for layer in mobilenet_v2.layers(alpha)] == built


def test_the_model_is_flat_and_ends_in_a_feature_map() -> None:
    model = build(0.35)
    assert model.input_shape == (None, 128, 128, 3)
    assert model.output_shape == (None, 4, 4, 1280)
    assert not any(hasattr(layer, "layers") for layer in model.layers)


def test_a_wrong_alpha_names_the_nearest() -> None:
    with raises_code("unsupported-alpha", found="0.45", fix="--alpha 0.5"):
        mobilenet_v2.check_alpha(0.45)


@pytest.mark.parametrize(
    ("size", "published", "nearest"), [(100, True, 96), (256, True, 224), (250, False, 256)]
)
def test_a_wrong_size_names_the_nearest(size: int, published: bool, nearest: int) -> None:
    with raises_code("unsupported-input-size", fix=f"--size {nearest}"):
        mobilenet_v2.check_size(size, published)


def test_own_weights_allow_other_multiples_of_32() -> None:
    assert mobilenet_v2.check_size(256, published=False) == 256
