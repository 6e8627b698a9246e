"""The form of the network that XNNPACK's sparse kernels want, and a sparse file of it."""

from typing import Any

import numpy as np
import pytest
from errors import raises_code
from micro_files import runs_on_tflite_runtime, scores

from converters.compress import xnnpack
from converters.compress.after_training import sparse
from converters.compress.context import RecipeContext, RecipeState
from converters.compress.symmetric import PADDING, symmetric
from converters.tf import keras, tfmot
from edge.modelfile import tflite
from edge.modelfile.cost import model_cost


@pytest.fixture(scope="module")
def pruned(material: RecipeContext) -> RecipeState:
    return xnnpack.run(
        RecipeState(material.teacher), xnnpack.XnnpackOptions(sparsity=0.7, epochs=2), material
    )


def test_padding_is_alike_on_all_sides_and_weights_are_the_same(material: RecipeContext) -> None:
    model = symmetric(material.teacher)
    paddings = [x.padding for x in model.layers if isinstance(x, keras().layers.ZeroPadding2D)]
    assert paddings == [PADDING] * 3  # the stem, block 1 and block 3
    assert model.output_shape == material.teacher.output_shape
    for layer in material.teacher.layers:
        for ours, theirs in zip(
            model.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_the_policy_refuses_the_stock_network_and_takes_this_one(material: RecipeContext) -> None:
    policy = tfmot().sparsity.keras.PruneForLatencyOnXNNPack()
    with pytest.raises(ValueError, match="VALID"):
        policy.ensure_model_supports_pruning(material.teacher)
    policy.ensure_model_supports_pruning(symmetric(material.teacher))


def test_the_file_is_sparse_and_says_what_the_network_says(
    pruned: RecipeState, material: RecipeContext
) -> None:
    draft = sparse.run(pruned, sparse.Options(), material)
    assert draft.content is not None
    assert model_cost(tflite.parse(draft.content, "sparse")).sparsity == pytest.approx(
        0.7, abs=0.005
    )
    pixels = material.dataset.pixels[material.split.test[:8]]
    inputs = material.dataset.preprocessing.normalize(pixels)
    np.testing.assert_allclose(
        scores(draft.content, pixels), np.asarray(draft.model(inputs, training=False)), atol=1e-4
    )
    assert runs_on_tflite_runtime(draft.content)


def test_where_it_gains_nothing_is_said(pruned: RecipeState, material: RecipeContext) -> None:
    notes = " ".join(sparse.run(pruned, sparse.Options(), material).notes)
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


def test_a_network_that_xnnpack_does_not_know_in_sparse_form(material: RecipeContext) -> None:
    with raises_code("xnnpack-unsupported-model", found="MaxPooling2D", kind="ConversionError"):
        xnnpack.run(RecipeState(branching()), xnnpack.XnnpackOptions(), material)


def test_a_network_that_never_halves_the_image() -> None:
    image = keras().Input((8, 8, 3))
    model = keras().Model(image, keras().layers.Conv2D(4, 1)(image))
    with raises_code("xnnpack-unsupported-model", fix="xnnpack step", kind="ConversionError"):
        symmetric(model)
