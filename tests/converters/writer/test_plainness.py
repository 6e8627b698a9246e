"""Only networks that the writer writes as they are count as plain MobileNetV2."""

from typing import Any

import pytest

from converters import tf
from converters.tf import keras
from converters.writer.plainness import is_plain_mobilenet_v2

if not tf.is_installed():
    pytest.skip("TensorFlow is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def features() -> Any:
    """Input and embedding of a whole network, small and untrained."""
    base = keras().applications.MobileNetV2((32, 32, 3), 0.35, include_top=False, weights=None)
    pooled = keras().layers.GlobalAveragePooling2D()(base.output)
    return base.input, keras().layers.Dropout(0.2)(pooled)


def classifier(features: Any, activation: str = "softmax", name: str = "head") -> Any:
    image, embedding = features
    head = keras().layers.Dense(3, activation=activation, name=name)
    return keras().Model(image, head(embedding))


def test_a_whole_network_with_a_softmax_is_plain(features: Any) -> None:
    assert is_plain_mobilenet_v2(classifier(features))


@pytest.mark.parametrize("other", [{"activation": "sigmoid"}, {"name": "scores"}])
def test_another_head_is_not(features: Any, other: dict[str, str]) -> None:
    assert not is_plain_mobilenet_v2(classifier(features, **other))


def test_another_padding_is_not_although_all_weights_fit(features: Any) -> None:
    from converters.compression.xnnpack import to_symmetric_padding

    assert not is_plain_mobilenet_v2(to_symmetric_padding(classifier(features)))


def test_a_part_of_the_network_is_not(micro_model_and_variants: tuple[Any, object]) -> None:
    assert not is_plain_mobilenet_v2(micro_model_and_variants[0])
