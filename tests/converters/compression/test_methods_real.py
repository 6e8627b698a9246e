"""Sparsity, size and accuracy of methods on real photos and pretrained weights."""

import gzip

import numpy as np
import pytest
from micro_files import runs_on_tflite_runtime, scores

from converters import tflite
from converters.compression import magnitude, qat
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.qat import equalize_depthwise
from converters.tf import tfmot

pytestmark = pytest.mark.realdata


def plain_int8(context: RecipeContext) -> bytes:
    preprocessing = context.dataset.preprocessing
    return tflite.to_int8(context.teacher, context.calibration, preprocessing)


def predict(content: bytes, context: RecipeContext) -> np.ndarray:  # type: ignore[type-arg]
    """Predicted classes of the test and validation splits, on which no weight was trained."""
    return scores(content, context.dataset.pixels[unseen(context)]).argmax(1)


def unseen(context: RecipeContext) -> np.ndarray:  # type: ignore[type-arg]
    return np.concatenate([context.split.test, context.split.validation])


def test_magnitude_pruning_packs_to_less_than_half_at_two_points_at_most(
    groceries: RecipeContext,
) -> None:
    options = magnitude.MagnitudeOptions(sparsity=0.765, epochs=2)
    pruned = magnitude.run(RecipeState(groceries.teacher), options, groceries)
    preprocessing = groceries.dataset.preprocessing
    dense = plain_int8(groceries)
    sparse = tflite.to_int8(pruned.model, groceries.calibration, preprocessing)
    assert len(gzip.compress(sparse)) <= 0.45 * len(gzip.compress(dense))
    truth = groceries.dataset.labels[unseen(groceries)]
    before, after = ((predict(content, groceries) == truth).mean() for content in (dense, sparse))
    # Which images int8 is calibrated with alone moves either by an image.
    assert after >= before - 0.02 - 1 / len(truth)


def test_quantization_aware_training_starts_where_int8_is(groceries: RecipeContext) -> None:
    """Before any training the toolkit's ranges and scales alone would leave a sixth right."""
    wrapped = tfmot().quantization.keras.quantize_model(equalize_depthwise(groceries.teacher))
    qat.calibrate_ranges(wrapped, groceries)
    qat.floor_weight_ranges(wrapped)
    content = tflite.from_qat_model(wrapped, groceries.dataset.preprocessing)
    assert runs_on_tflite_runtime(content)
    answers = predict(content, groceries)
    reference = predict(tflite.to_float32(groceries.teacher), groceries)
    assert (answers == reference).mean() >= 0.97
