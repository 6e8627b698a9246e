"""A model file opens with its labels and its preprocessing, and names images."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from errors import raises_code

import edge
from edge import benchmark, interpreter
from edge.interpreter import TensorSpec
from edge.modelfile import tflite
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.preprocessing import Preprocessing, apply_table, input_table
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


@pytest.mark.parametrize("dtype", ["uint8", "int8", "float32"])
def test_the_lookup_table_equals_the_formula(dtype):
    mean, std = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)
    spec = TensorSpec("image", (1, 5, 7, 3), dtype, 0.02, -6 if dtype == "int8" else 122)
    preprocessing = Preprocessing(7, 5, mean, std)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    inputs = apply_table(input_table(spec, preprocessing), pixels)
    real = preprocessing.normalize(pixels)
    if dtype == "float32":
        expected = real
    else:
        limits = np.iinfo(dtype)
        expected = np.clip(np.rint(real / 0.02 + spec.zero_point), limits.min, limits.max)
    assert inputs.shape == (1, 5, 7, 3)
    assert inputs.dtype == dtype
    np.testing.assert_allclose(inputs[0], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "float32"])
def test_a_table_is_ready_for_every_frame(dtype):
    spec = TensorSpec("image", (1, 5, 7, 3), dtype, 0.02, 0)
    for mean in (HALF, (123.7, 116.3, 103.5)):  # a value for all channels, or one for each
        table = input_table(spec, Preprocessing(7, 5, mean, HALF))
        assert (table.shape, table.dtype) == ((256, 3), dtype)
        assert table.flags.c_contiguous


def test_a_quantized_input_of_raw_pixels_needs_no_table():
    pixels = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    preprocessing = Preprocessing(8, 8, HALF, HALF)
    for zero in (127, 128):  # both are rounded forms of the same range
        spec = TensorSpec("image", (1, 8, 8, 3), "uint8", 1 / 127.5, zero)
        np.testing.assert_array_equal(
            apply_table(input_table(spec, preprocessing), pixels)[0], pixels
        )
    spec = TensorSpec("image", (1, 8, 8, 3), "int8", 1 / 127.5, -1)
    shifted = apply_table(input_table(spec, preprocessing), pixels)[0]
    np.testing.assert_array_equal(shifted, pixels.astype(int) - 128)


def test_measure_counts_what_it_ran(tiny_model):
    runtime = interpreter.load(tiny_model(), name="m")
    timing = benchmark.measure(runtime, min_runs=10, max_runs=20, seconds=0.01)
    assert 10 <= timing.runs <= 20
    assert 0 < timing.p50_ms <= timing.p95_ms
    assert benchmark.percentiles([4.0, 1.0, 2.0, 3.0]) == (2.5, pytest.approx(3.85))


def test_compared_models_are_timed_in_turns(tiny_model):
    ran = []

    class Recorded(interpreter.Runtime):
        def invoke(self, *arrays):
            ran.append(self.name)
            return super().invoke(*arrays)

    runtimes = []
    for name in ("one", "other"):
        runtime = interpreter.load(tiny_model(), name=name)
        runtime.__class__, runtime.name = Recorded, name
        runtimes.append(runtime)
    timings = benchmark.measure_in_turns(runtimes, rounds=3, seconds=0)
    turns = [name for name, _ in itertools.groupby(ran)]
    assert turns == ["one", "other"] * 4  # the first invoke of each, then the rounds
    assert [timing.runs for timing in timings] == [18, 18]
    assert all(0 < timing.p50_ms <= timing.p95_ms for timing in timings)
