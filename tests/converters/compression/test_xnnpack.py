"""Symmetric padding and sparse files for XNNPACK's sparse kernels."""

from typing import Any

import numpy as np
import pytest
from errors import raises_code
from micro_files import runs_on_tflite_runtime, scores
from op_by_op import op_by_op

from converters.compression import xnnpack
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.post_training import NoOptions
from converters.compression.xnnpack import PADDING, to_symmetric_padding
from converters.tf import keras, tfmot
from edge.modelfile import tflite
from edge.modelfile.operations import model_cost


@pytest.fixture(scope="module")
def pruned(context: RecipeContext) -> RecipeState:
    options = xnnpack.XnnpackOptions(sparsity=0.7, epochs=2)
    with op_by_op():
        return xnnpack.run_prune(RecipeState(context.teacher), options, context)


def test_padding_is_alike_on_all_sides_and_weights_are_the_same(context: RecipeContext) -> None:
    model = to_symmetric_padding(context.teacher)
    paddings = [x.padding for x in model.layers if isinstance(x, keras().layers.ZeroPadding2D)]
    assert paddings == [PADDING] * 3  # the stem, block 1 and block 3
    assert model.output_shape == context.teacher.output_shape
    for layer in context.teacher.layers:
        for ours, theirs in zip(
            model.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_the_policy_refuses_the_stock_network_and_takes_this_one(context: RecipeContext) -> None:
    policy = tfmot().sparsity.keras.PruneForLatencyOnXNNPack()
    with pytest.raises(ValueError) as raised:
        policy.ensure_model_supports_pruning(context.teacher)
    assert "VALID" in str(raised.value)
    policy.ensure_model_supports_pruning(to_symmetric_padding(context.teacher))


def test_the_file_is_sparse_with_the_outputs_of_the_network(
    pruned: RecipeState, context: RecipeContext
) -> None:
    state = xnnpack.run_sparse(pruned, NoOptions(), context)
    assert state.content is not None
    assert model_cost(tflite.parse(state.content, "sparse")).sparsity == pytest.approx(
        0.7, abs=0.005
    )
    pixels = context.dataset.pixels[context.split.test[:8]]
    inputs = context.dataset.preprocessing.normalize(pixels)
    np.testing.assert_allclose(
        scores(state.content, pixels), np.asarray(state.model(inputs, training=False)), atol=1e-4
    )
    assert runs_on_tflite_runtime(state.content)


def test_notes_name_targets_without_a_speedup(pruned: RecipeState, context: RecipeContext) -> None:
    notes = " ".join(xnnpack.run_sparse(pruned, NoOptions(), context).notes)
    assert "AVX" in notes
    assert "Edge TPU" in notes


def test_too_few_zeros_for_the_sparse_kernels_are_refused() -> None:
    with raises_code("option-out-of-range", expected="0.67", found="0.5", kind="UsageError"):
        xnnpack.XnnpackOptions(sparsity=0.5)


def branching() -> Any:
    """A network with a layer that XNNPACK has no sparse kernel for."""
    layers = keras().layers
    image = keras().Input((32, 32, 3))
    flow = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")(image)
    flow = layers.MaxPooling2D()(layers.Conv2D(64, 1, name="wide")(flow))
    scores = layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(flow))
    return keras().Model(image, scores)


def test_a_network_that_xnnpack_does_not_know_in_sparse_form(context: RecipeContext) -> None:
    with raises_code("xnnpack-unsupported-model", found="MaxPooling2D", kind="ConversionError"):
        xnnpack.run_prune(RecipeState(branching()), xnnpack.XnnpackOptions(), context)


def test_a_network_that_never_halves_the_image() -> None:
    image = keras().Input((8, 8, 3))
    model = keras().Model(image, keras().layers.Conv2D(4, 1)(image))
    with raises_code("xnnpack-unsupported-model", fix="xnnpack step", kind="ConversionError"):
        to_symmetric_padding(model)
