"""Accuracy control: layers that int8 cannot represent stay in float, or the model is retrained."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from micro_files import runs_on_tflite_runtime, scores

from converters import tflite as quantize
from converters.compression import accuracy_control
from converters.compression.context import RecipeContext, RecipeState
from converters.tasks.classify.quality import ACCURACY
from converters.tf import clone_model
from converters.tflite import Variant
from converters.verification.evaluate import Predictions
from edge.interpreter import load
from edge.modelfile import tflite

MAX_DROP = 5.0
"""Points: one of the 30 images of the validation split, which any int8 may lose."""

HARD = "expanded_conv_project"
"""The layer whose output 8 bits cannot hold."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One epoch of training, where there is any."""
    monkeypatch.setattr(
        accuracy_control.qat, "QatOptions", partial(accuracy_control.qat.QatOptions, epochs=1)
    )


def accuracy(content: bytes, context: RecipeContext) -> float:
    subset = context.split.validation
    predicted = scores(content, context.dataset.pixels[subset]).argmax(1)
    return float((predicted == context.dataset.labels[subset]).mean())


@pytest.fixture(scope="module")
def hard(context: RecipeContext) -> Any:
    """A network with the same outputs, with one channel a thousand times as large as the others.

    With one scale for a whole tensor the others are rounded to nothing.
    """
    model = clone_model(context.teacher)
    norm, reader = model.get_layer(f"{HARD}_BN"), model.get_layer("block_1_expand")
    factor = np.where(np.arange(norm.input_shape[-1]) == 0, 1000, 1).astype(np.float32)
    gamma, beta, *rest = norm.get_weights()
    norm.set_weights([gamma * factor, beta * factor, *rest])
    reader.set_weights([reader.get_weights()[0] / factor[:, None]])
    return model


@pytest.fixture(scope="module")
def int8(hard: Any, context: RecipeContext) -> Predictions:
    content = quantize.to_int8(hard, context.calibration, context.dataset.preprocessing)
    return with_predictions(Variant("int8", content), context)


@pytest.fixture(scope="module")
def float32(hard: Any, context: RecipeContext) -> Predictions:
    return with_predictions(Variant("float32", quantize.to_float32(hard)), context)


def with_predictions(variant: Variant, context: RecipeContext) -> Predictions:
    """Add predictions on the validation split; the test split is not used."""
    predicted = scores(variant.content, context.dataset.pixels[context.split.validation])
    return Predictions(variant, validation=predicted, test=predicted[:0])


def controlled(
    hard: Any,
    int8: Predictions,
    float32: Predictions,
    context: RecipeContext,
    max_drop: float,
    target: str = "cpu",
) -> Variant:
    """The remedy for an int8 file of the network that is hard to quantize."""
    return accuracy_control.apply_accuracy_control(
        replace(context, teacher=hard),
        ACCURACY,
        accuracy(float32.variant.content, context),
        accuracy(int8.variant.content, context),
        lambda content: accuracy(content, context),
        max_drop,
        target,
    )


@pytest.fixture(scope="module")
def kept(hard: Any, int8: Predictions, float32: Predictions, context: RecipeContext) -> Variant:
    return controlled(hard, int8, float32, context, MAX_DROP)


def test_layers_in_float_restore_the_accuracy(
    kept: Variant, int8: Predictions, float32: Predictions, context: RecipeContext
) -> None:
    expected, before = (
        accuracy(predictions.variant.content, context) for predictions in (float32, int8)
    )
    assert before < expected - 0.2, "the network must be hard to quantize"
    assert accuracy(kept.content, context) >= expected - MAX_DROP / 100
    assert kept.name == "int8-controlled"
    now = accuracy(kept.content, context)
    assert kept.details[0]["validation_accuracy"] == now
    for figure in (f"float32 {expected:.1%}", f"int8 {before:.1%}", f"{now:.1%}"):
        assert figure in kept.notes[1]


def test_sensitive_layers_stay_in_float(kept: Variant) -> None:
    layers = kept.details[0]["layers"]
    assert HARD in layers
    assert "block_1_expand" in layers, "its input must not be rounded either"
    kinds = [t.dtype for t in tflite.parse(kept.content, "kept").graphs[0].tensors]
    assert kinds.count("int8") > kinds.count("float32") > 0


def test_the_file_takes_pixels_and_runs_on_tflite_runtime(kept: Variant) -> None:
    runtime = load(kept.content, name="kept", delegate="cpu")
    assert runtime.inputs[0].dtype == runtime.outputs[0].dtype == "uint8"
    assert runtime.inputs[0].scale == pytest.approx(2 / 255, rel=1e-5)
    assert runs_on_tflite_runtime(kept.content)


def test_notes_name_the_layers_and_their_cost(kept: Variant) -> None:
    notes = " ".join(kept.notes)
    assert HARD in notes
    assert "Edge TPU" in notes
    assert "%" in notes


@pytest.fixture(scope="module")
def once(context: RecipeContext) -> RecipeContext:
    """Train once: both tests that come to that train the same network the same way."""
    states = list[RecipeState]()

    def run_once(*arguments: Any) -> RecipeState:
        if not states:
            states.append(accuracy_control.qat.run_qat(*arguments))
        return states[0]

    return replace(context, run_method=lambda _: run_once)


@pytest.mark.usefixtures("untraced")
def test_for_the_edge_tpu_no_layer_is_kept_in_float(
    hard: Any,
    int8: Predictions,
    float32: Predictions,
    context: RecipeContext,
    once: RecipeContext,
) -> None:
    trained = controlled(hard, int8, float32, once, MAX_DROP, target="edgetpu")
    assert trained.details[0]["method"] == "qat"
    dtypes = {t.dtype for t in tflite.parse(trained.content, "qat").graphs[0].tensors}
    assert not dtypes & {"float32", "float16"}
    expected = accuracy(float32.variant.content, context) - MAX_DROP / 100
    assert "Edge TPU" in trained.notes[0]
    too_low = accuracy(trained.content, context) < expected
    assert (f"{expected:.1%}" in trained.notes[-1].partition(";")[2]) == too_low


@pytest.mark.usefixtures("untraced")
def test_notes_say_when_accuracy_stays_too_low(
    hard: Any,
    int8: Predictions,
    float32: Predictions,
    context: RecipeContext,
    once: RecipeContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        accuracy_control, "_MAX_FLOAT_SHARE", 0.0
    )  # a single layer, without its reader
    monkeypatch.setattr(accuracy_control._Graph, "around", lambda graph, tensors: list(tensors)[:1])
    poor = controlled(hard, int8, float32, once, max_drop=0.0)
    assert accuracy(poor.content, context) < accuracy(float32.variant.content, context)
    expected = accuracy(float32.variant.content, context)
    assert f"{expected:.1%}" in poor.notes[-1].partition(";")[2]
