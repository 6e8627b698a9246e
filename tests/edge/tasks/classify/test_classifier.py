"""A model file opens with its labels and its preprocessing, and names images."""

from dataclasses import replace

import numpy as np
import pytest
from errors import raises_code

import edge
from edge.modelfile import tflite
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.results import Classification, ClassScore
from edge.tasks.classify.classifier import Classifier

COLORS = ("red", "green", "blue")
HALF = (127.5,)


def with_labels(content, labels=COLORS, mean=HALF, std=HALF, threshold=None):
    about = ModelMetadata(labels=labels, mean=mean, std=std, threshold=threshold)
    return write_metadata(content, about)


@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
def test_images_are_classified_with_every_dtype(tiny_model, red, dtype, logits):
    model = Classifier.from_bytes(with_labels(tiny_model(dtype, logits=logits)), name="colors")
    assert model.notes == ()
    for channel, color in enumerate(COLORS):
        result = model.predict(np.roll(red, channel, axis=2)[..., ::-1])
        assert result.best.label == color
        assert result.best.index == channel
        assert 0.95 < result.best.score <= 1
        assert sum(entry.score for entry in result.classes) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
def test_a_single_sigmoid_tells_two_classes_apart(tiny_model, red, dtype):
    content = with_labels(tiny_model(dtype, classes=1, sigmoid=True), labels=("other", "red"))
    model = Classifier.from_bytes(content, name="m")
    for image, label, index in ((red[..., ::-1], "red", 1), (red, "other", 0)):
        best = model.predict(image).best
        assert (best.label, best.index) == (label, index)
        assert 0.95 < best.score <= 1
    assert sum(entry.score for entry in model.predict(red).classes) == pytest.approx(1)
    assert model.settings().labels == ("other", "red")


def test_one_label_of_a_single_sigmoid_names_what_it_finds(tiny_model, red):
    content = with_labels(tiny_model("float32", classes=1, sigmoid=True), labels=("red",))
    model = Classifier.from_bytes(content, name="m")
    assert model.predict(red[..., ::-1]).best.label == "red"
    assert model.predict(red).best.label == "not red"
    numbered = Classifier.from_bytes(tiny_model("float32", classes=1, sigmoid=True), name="m")
    assert numbered.predict(red[..., ::-1]).best.label == "class 1"
    with raises_code("labels-count-mismatch", expected="2", found="3"):
        Classifier.from_bytes(with_labels(tiny_model(classes=1, sigmoid=True)), name="m")


def test_a_single_number_that_is_no_probability_is_refused(tiny_model, red):
    number = tiny_model("float32", classes=1, logits=True)
    with raises_code("model-wrong-task", found="without a sigmoid", fix="--labels"):
        Classifier.from_bytes(number, name="m")
    logit = Classifier.from_bytes(with_labels(number, labels=("other", "red")), name="m")
    assert logit.predict(red[..., ::-1]).best.label == "red"
    assert 0.95 < logit.predict(red).best.score < 1
    always_1 = tiny_model("float32", classes=1)  # a softmax of a single value
    with raises_code("model-wrong-task"):
        Classifier.from_bytes(always_1, name="m")


def test_top_limits_the_classes(tiny_model, red):
    model = Classifier.from_bytes(with_labels(tiny_model()), name="colors")
    assert len(replace(model, top=1).predict(red[..., ::-1]).classes) == 1
    assert len(replace(model, top=10).predict(red[..., ::-1]).classes) == 3


def test_labels_of_the_user_come_first(tiny_model, tmp_path, red):
    path = tmp_path / "m.tflite"
    path.write_bytes(with_labels(tiny_model()))
    (tmp_path / "own.txt").write_text("rouge\nvert\nbleu\n")
    assert Classifier.open(path).predict(red[..., ::-1]).best.label == "red"
    assert (
        Classifier.open(path, labels=tmp_path / "own.txt").predict(red[..., ::-1]).best.label
        == "rouge"
    )


def test_labels_beside_a_model_without_metadata(tiny_model, tmp_path, red):
    path = tmp_path / "m.tflite"
    path.write_bytes(tiny_model())
    numbered = Classifier.open(path)
    assert numbered.predict(red[..., ::-1]).best.label == "class 0"
    assert any("--labels" in note for note in numbered.notes)
    (tmp_path / "labels.txt").write_text("rouge\nvert\nbleu\n")
    assert Classifier.open(path).labels == ("rouge", "vert", "bleu")


def test_missing_packed_labels_are_reported(tiny_model):
    content = with_labels(tiny_model())
    model = Classifier.from_bytes(content[: tflite.parse(content).end], name="m.tflite")
    assert any("labels.txt" in note for note in model.notes)


def test_a_wrong_number_of_labels_is_an_error(tiny_model, tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(with_labels(tiny_model(), labels=("red", "green")))
    with raises_code("labels-count-mismatch", expected="3", found="2"):
        edge.Classifier.open(path)


def test_a_float_model_without_normalization_gets_a_note(tiny_model):
    model = Classifier.from_bytes(tiny_model("float32"), name="m.tflite")
    assert any("-1 to 1" in note for note in model.notes)
    assert model.preprocessing.mean == HALF


def test_the_normalization_of_the_metadata_is_used(tiny_model, red):
    # With mean 0 and std 1000 all inputs are near 0, so that no color stands out.
    model = Classifier.from_bytes(
        with_labels(tiny_model("float32"), mean=(0.0,), std=(1000.0,)), name="m"
    )
    assert model.predict(red[..., ::-1]).best.score < 0.6


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_below_the_threshold_of_the_metadata_the_class_is_unknown(tiny_model, red, dtype):
    model = Classifier.from_bytes(with_labels(tiny_model(dtype), threshold=0.9), name="m")
    gray = np.full_like(red, 128)
    assert model.threshold == pytest.approx(0.9)
    assert not model.predict(red[..., ::-1]).unknown
    assert model.predict(gray[..., ::-1]).unknown
    result = replace(model, top=2).predict(gray[..., ::-1]).to_dict()
    assert (result["unknown"], result["threshold"]) == (True, 0.9)
    assert len(result["classes"]) == 2


def test_a_given_threshold_overrides_the_metadata(tiny_model, tmp_path, red):
    path = tmp_path / "m.tflite"
    path.write_bytes(with_labels(tiny_model(), threshold=0.9))
    gray = np.full_like(red, 128)
    lower, none = Classifier.open(path, threshold=0.2), Classifier.open(path, threshold=0)
    assert (lower.threshold, none.threshold) == (0.2, None)
    assert not lower.predict(gray[..., ::-1]).unknown
    assert none.predict(gray[..., ::-1]).to_dict().keys() == {"classes", "unknown"}
    with raises_code("invalid-option-value", found="80", fix="0.8"):
        Classifier.open(path, threshold=80)


def test_a_score_at_the_threshold_counts():
    score = ClassScore("cat", 0, 0.5)
    assert not Classification((score,), threshold=0.5).unknown
    assert Classification((score,), threshold=0.51).unknown
    assert not Classification((score,)).unknown


def test_a_model_of_another_task_is_reported(tiny_model):
    with raises_code("model-wrong-task", found="m.tflite"):
        Classifier.from_bytes(tiny_model("float32", classes=1), name="m.tflite")


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)],
)
def test_arrays_that_are_not_images_are_reported(tiny_model, image):
    model = Classifier.from_bytes(tiny_model(), name="m")
    with raises_code("invalid-image-array", expected="uint8"):
        model.predict(image)
    with raises_code("invalid-image-array", expected="[4, 4, 3]"):
        model.scores(image)
