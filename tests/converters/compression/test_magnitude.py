"""Magnitude pruning: zeros reach the file, and the other weights compensate."""

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from errors import raises_code

from converters import tflite as quantize
from converters.compression import magnitude
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.keras_models import pointwise
from converters.compression.magnitude import allocate, refit
from converters.tf import clone_model, keras
from edge.modelfile import tflite
from edge.modelfile.operations import model_cost

# An epoch is one step here. Steps of 2e-3 lost some teachers on the way.
OPTIONS = magnitude.MagnitudeOptions(sparsity=0.5, epochs=20, learning_rate=3e-4)


def predict(model: Any, context: RecipeContext) -> np.ndarray:  # type: ignore[type-arg]
    pixels = context.dataset.pixels[context.split.validation]
    return np.asarray(model(context.dataset.preprocessing.normalize(pixels), training=False))


def same(some: np.ndarray, others: np.ndarray) -> float:  # type: ignore[type-arg]
    """Return the share of images with the same predicted class."""
    return float((some.argmax(1) == others.argmax(1)).mean())


def cut(model: Any, share: float) -> Any:
    """A copy without the smallest weights of each 1×1 convolution."""
    copy = clone_model(model)
    for layer in pointwise(copy):
        (kernel,) = layer.get_weights()
        layer.set_weights([kernel * (np.abs(kernel) >= np.quantile(np.abs(kernel), share))])
    return copy


@pytest.fixture(scope="module")
def pruned(context: RecipeContext) -> RecipeState:
    return magnitude.run(RecipeState(context.teacher), OPTIONS, context)


def test_the_file_has_the_requested_sparsity(pruned: RecipeState, context: RecipeContext) -> None:
    content = quantize.to_float32(pruned.model)
    assert model_cost(tflite.parse(content, "pruned")).sparsity == pytest.approx(0.5, abs=0.005)
    samples, preprocessing = context.calibration, context.dataset.preprocessing
    packed = [
        len(gzip.compress(quantize.to_int8(model, samples, preprocessing)))
        for model in (pruned.model, context.teacher)
    ]
    assert packed[0] < 0.85 * packed[1]  # names and scales take a good part of so small a file


def test_predictions_stay_close_to_the_teacher(pruned: RecipeState, context: RecipeContext) -> None:
    expected = predict(context.teacher, context)
    at_once = predict(cut(context.teacher, 0.55), context)
    recovered = predict(pruned.model, context)
    assert np.abs(recovered - expected).mean() < 0.7 * np.abs(at_once - expected).mean()
    assert same(recovered, expected) > same(at_once, expected) + 0.1


def test_the_model_is_plain_and_the_teacher_untouched(
    pruned: RecipeState, context: RecipeContext
) -> None:
    teacher = context.teacher
    assert [layer.name for layer in pruned.model.layers] == [layer.name for layer in teacher.layers]
    assert not any((layer.get_weights()[0] == 0).any() for layer in pointwise(teacher))


def test_the_model_can_be_saved_and_compressed_again(
    pruned: RecipeState, context: RecipeContext, tmp_path: Path
) -> None:
    pruned.model.save(tmp_path / "model.keras")
    again = keras().models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(predict(again, context), predict(pruned.model, context))


def test_most_zeros_come_early_and_the_last_round_has_all() -> None:
    steps = np.diff(
        [0, *magnitude.sparsity_schedule(magnitude.MagnitudeOptions(sparsity=0.8, rounds=4))]
    )
    assert steps.sum() == pytest.approx(0.8)
    assert (np.diff(steps) < 0).all()


def test_details_and_notes_describe_the_pruning(pruned: RecipeState) -> None:
    (details,) = pruned.details
    assert details["recovery"]["epochs"] == OPTIONS.epochs
    zeros = {layer.name: (layer.get_weights()[0] == 0).mean() for layer in pointwise(pruned.model)}
    assert details["layers"] == pytest.approx(zeros)
    assert f"{details['zeros']:.1%}" in pruned.notes[0]
    assert "int8" in pruned.notes[0] and "Edge TPU" in pruned.notes[0]


@pytest.mark.usefixtures("untraced")
def test_a_seed_decides_the_weights(context: RecipeContext) -> None:
    short = replace(OPTIONS, rounds=1, epochs=2)
    first, again = (magnitude.run(RecipeState(context.teacher), short, context) for _ in range(2))
    np.testing.assert_allclose(
        predict(again.model, context), predict(first.model, context), atol=0.02
    )


def test_zeros_are_spread_by_what_they_distort() -> None:
    """A layer of equal weights cannot spare any before one whose weights are mostly tiny."""
    layers = keras().layers
    image = keras().Input((4, 4, 8))
    flow = layers.Conv2D(40, 1, use_bias=False, name="even")(image)
    flow = layers.Conv2D(40, 1, use_bias=False, name="uneven")(flow)
    model = keras().Model(image, flow)
    model.get_layer("even").set_weights([np.ones((1, 1, 8, 40))])
    kernel = np.full((1, 1, 40, 40), 1e-3)
    kernel[0, 0, :20] = 1
    model.get_layer("uneven").set_weights([kernel])
    shares = allocate(model, 0.4)
    assert shares["even"] == 0
    assert shares["uneven"] == pytest.approx(0.4 * 1920 / 1600, abs=0.01)


def test_more_zeros_than_the_pruned_layers_have_weights(context: RecipeContext) -> None:
    with raises_code("sparsity-too-high", found="0.95", kind="ConversionError") as raised:
        allocate(context.teacher, 0.95)
    most = float(raised.value.fix.rpartition(" ")[2])
    assert 0.7 <= most < 0.9
    assert f"{most:g}" in raised.value.expected
    assert allocate(context.teacher, most)


def test_a_model_without_1x1_convolutions() -> None:
    layers = keras().layers
    image = keras().Input((8, 8, 3))
    scores = layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(image)))
    with raises_code("sparsity-too-high", fix="prune step", kind="ConversionError"):
        allocate(keras().Model(image, scores), 0.5)


@pytest.mark.parametrize("wrong", [{"sparsity": 1.5}, {"sparsity": 0.0}, {"rounds": 0}])
def test_options_out_of_range(wrong: dict[str, float]) -> None:
    with raises_code("option-out-of-range", expected=next(iter(wrong)), kind="UsageError"):
        magnitude.MagnitudeOptions(**wrong)  # type: ignore[arg-type]


def test_weights_that_are_left_make_up_for_those_that_are_gone() -> None:
    """Every second channel repeats the one before, so its weights can take over."""
    layers = keras().layers
    image = keras().Input((4, 4, 8))
    flow = layers.Conv2D(6, 1, use_bias=False, name="first")(image)
    whole = keras().Model(image, layers.Conv2D(5, 1, use_bias=False, name="second")(flow))
    rng = np.random.default_rng(0)
    inputs = np.repeat(rng.normal(size=(20, 4, 4, 4)), 2, axis=3).astype(np.float32)
    pruned = clone_model(whole)
    (kernel,) = pruned.get_layer("first").get_weights()
    kernel[:, :, ::2] = 0
    pruned.get_layer("first").set_weights([kernel])
    expected = whole(inputs).numpy()
    assert np.abs(pruned(inputs).numpy() - expected).mean() > 0.2 * np.abs(expected).mean()
    assert list(refit(pruned, whole, {"first", "second"}, inputs)) == ["first", "second"]
    assert np.abs(pruned(inputs).numpy() - expected).mean() < 0.01 * np.abs(expected).mean()
    assert not pruned.get_layer("first").get_weights()[0][:, :, ::2].any()


def test_refitting_brings_deep_layers_nearer_to_the_teacher(context: RecipeContext) -> None:
    teacher, last = context.teacher, "block_6_expand"
    inputs = context.dataset.preprocessing.normalize(context.calibration)

    def error(model: Any) -> float:
        given, expected = (
            keras().Model(m.input, m.get_layer(last).output)(inputs) for m in (model, teacher)
        )
        return float(np.square(given - expected).mean())

    student = cut(teacher, 0.5)
    before = error(student)
    for _ in refit(student, teacher, {layer.name for layer in pointwise(student)}, inputs):
        pass
    assert error(student) < 0.8 * before
