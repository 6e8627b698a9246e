import numpy as np
import pytest
import tiny_models
from errors import raises_code

import edge
from edge.frame import BgrImage


@pytest.fixture
def halves() -> BgrImage:
    """An image with red on the left third, and blue on the rest."""
    image = np.zeros((24, 24, 3), np.uint8)
    image[:, :8, 2] = 255
    image[:, 8:, 0] = 255
    return image


def classifier(dtype: str = "float32") -> edge.Classifier:
    return edge.Classifier.from_bytes(tiny_models.pooled_classifier(dtype), name="tiny.tflite")


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_the_best_class_is_explained_by_what_has_its_color(dtype: str, halves: BgrImage) -> None:
    explanation = edge.Explainer.of(classifier(dtype)).predict(halves)
    assert explanation.best == explanation.explained
    assert explanation.explained.label == "blue"
    assert explanation.peak is not None
    assert explanation.peak[0] > 0.5
    columns = explanation.heatmap.mean(0)
    assert columns[:4].max() < 0.3 < columns[-8:].min()


def test_a_named_class_is_explained_though_another_is_best(halves: BgrImage) -> None:
    explanation = edge.Explainer.of(classifier(), "red").predict(halves)
    assert explanation.best.label == "blue"
    assert explanation.to_dict()["explained"]["label"] == "red"
    assert explanation.peak is not None
    assert explanation.peak[0] < 1 / 3


def test_nothing_speaks_for_a_class_that_is_not_in_the_image() -> None:
    black = np.zeros((8, 8, 3), np.uint8)
    black[..., 0] = 255
    explanation = edge.Explainer.of(classifier(), "red").predict(black)
    assert explanation.peak is None
    assert explanation.to_dict()["explained"]["peak"] is None


def test_a_class_that_there_is_not_is_refused() -> None:
    with raises_code("unknown-class"):
        edge.Explainer.of(classifier(), "purple")


def test_a_file_without_a_map_names_the_other_method() -> None:
    flat = edge.Classifier.from_bytes(tiny_models.color_classifier(), name="flat.tflite")
    with raises_code("model-without-feature-map", fix="occlusion"):
        edge.Explainer.of(flat)


def test_a_result_draws_its_map_on_its_image(halves: BgrImage) -> None:
    explanation = edge.Explainer.of(classifier()).predict(halves)
    large = np.full((240, 320, 3), 90, np.uint8)
    drawn = explanation.draw(large)
    assert drawn[200, 300].astype(int).sum() > drawn[200, 20].astype(int).sum()
    assert (large == 90).all()


def test_a_stream_shows_the_map_and_keeps_the_classes_of_the_classifier() -> None:
    plain, explained = (
        [output.result for output in edge.stream(task, "synthetic:64x48?seed=1", frames=3)]
        for task in (classifier(), edge.Explainer.of(classifier()))
    )
    for before, after in zip(plain, explained, strict=True):
        assert isinstance(after, edge.Explanation)
        assert after.classes == before.classes
        assert after.heatmap.shape == (16, 16)


def test_settings_of_the_classifier_can_be_changed(halves: BgrImage) -> None:
    explainer = edge.Explainer.of(classifier())
    changed = explainer.with_settings(
        edge.TaskSettings(0.99, ("red",), explainer.settings().labels)
    )
    result = changed.predict(halves)
    assert result.unknown
    assert [entry.label for entry in result.classes] == ["red"]
    assert result.explained.label == "red"
