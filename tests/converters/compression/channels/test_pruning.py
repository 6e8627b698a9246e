"""Channel pruning: channels are removed completely, and outputs change as little as possible."""

from typing import Any

import numpy as np
import pytest
from errors import raises_code
from numpy.typing import NDArray
from op_by_op import op_by_op

from converters.backbone import mobilenet_v2
from converters.compression.channels import blocks, importance, pruning
from converters.compression.channels.blocks import Block, KeptChannels
from converters.compression.channels.costs import multiply_adds
from converters.compression.channels.reconstruction import reconstruct
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.xnnpack import to_symmetric_padding
from converters.tf import keras


@pytest.fixture(scope="module")
def teacher_blocks(context: RecipeContext) -> tuple[Block, ...]:
    return blocks.find_blocks(context.teacher)


@pytest.fixture(scope="module")
def inputs(context: RecipeContext) -> NDArray[np.float32]:
    return context.dataset.preprocessing.normalize(context.calibration)


@pytest.fixture(scope="module")
def half_dead(context: RecipeContext, teacher_blocks: tuple[Block, ...]) -> Any:
    """A copy of the teacher in which every second expansion channel is silent and unread."""
    model = keras().models.clone_model(context.teacher)
    model.set_weights(context.teacher.get_weights())
    for block in teacher_blocks:
        norm = model.get_layer(block.layer("depthwise_BN"))
        gamma, beta, mean, variance = norm.get_weights()
        gamma[1::2], beta[1::2] = 0, 0
        norm.set_weights([gamma, beta, mean, variance])
        (kernel,) = model.get_layer(block.layer("project")).get_weights()
        kernel[:, :, 1::2] = 0
        model.get_layer(block.layer("project")).set_weights([kernel])
    return model


def answers(model: Any, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(model(inputs, training=False))


def every_second(teacher_blocks: tuple[Block, ...]) -> KeptChannels:
    return {block.name: np.arange(0, block.channels, 2) for block in teacher_blocks}


def options(keep: float = 0.5, **others: Any) -> pruning.ChannelOptions:
    """Options whose result depends on no measured time."""
    return pruning.ChannelOptions(keep=keep, cost="multiply-adds", **others)


def recovered(context: RecipeContext, **others: Any) -> RecipeState:
    """The teacher at half of its cost, with an epoch of training as where much was lost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pruning, "_lost", lambda *_: True)
        return pruning.run(RecipeState(context.teacher), options(epochs=1, **others), context)


def test_only_whole_blocks_are_found(teacher_blocks: tuple[Block, ...]) -> None:
    # The micro network ends within block 6.
    assert [block.name for block in teacher_blocks] == [
        "expanded_conv", *(f"block_{i}" for i in range(1, 6))
    ]  # fmt: skip
    assert [block.channels for block in teacher_blocks] == [16, 48, 48, 48, 96, 96]
    assert teacher_blocks[0].layer("expand") == "Conv1"


def test_keeping_all_channels_changes_nothing(
    context: RecipeContext, inputs: NDArray[np.float32]
) -> None:
    narrowed = pruning.run(RecipeState(context.teacher), options(1.0, epochs=0), context).model
    assert narrowed is not context.teacher
    np.testing.assert_array_equal(answers(narrowed, inputs), answers(context.teacher, inputs))


def test_names_inputs_and_outputs_stay(
    context: RecipeContext, teacher_blocks: tuple[Block, ...]
) -> None:
    narrowed = blocks.keep_channels(context.teacher, every_second(teacher_blocks))
    assert [a.name for a in narrowed.layers] == [a.name for a in context.teacher.layers]
    assert (narrowed.input_shape, narrowed.output_shape) == ((None, 96, 96, 3), (None, 3))
    assert [block.channels for block in blocks.find_blocks(narrowed)] == [8, 24, 24, 24, 48, 48]


def test_removing_unread_channels_changes_nothing(
    half_dead: Any, teacher_blocks: tuple[Block, ...], inputs: NDArray[np.float32]
) -> None:
    narrowed = blocks.keep_channels(half_dead, every_second(teacher_blocks))
    np.testing.assert_allclose(answers(narrowed, inputs), answers(half_dead, inputs), atol=1e-6)


@pytest.mark.parametrize("measure", importance.MEASURES)
def test_every_measure_ranks_dead_channels_last(
    half_dead: Any, teacher_blocks: tuple[Block, ...], context: RecipeContext, measure: str
) -> None:
    rankings = importance.MEASURES[measure](half_dead, teacher_blocks, context)
    for block in teacher_blocks:
        ranking, half = rankings[block.name], block.channels // 2
        assert sorted(ranking.order) == list(range(block.channels))
        assert ranking.losses[half] == pytest.approx(0, abs=1e-6 * ranking.losses[-1])
        assert (np.diff(ranking.losses) >= 0).all()
        assert ranking.losses[-1] > 0


@pytest.mark.parametrize("measure", importance.MEASURES)
def test_pruning_dead_channels_changes_nothing(
    half_dead: Any, context: RecipeContext, inputs: NDArray[np.float32], measure: str
) -> None:
    run = options(importance=measure, epochs=0)
    narrowed = pruning.run(RecipeState(half_dead), run, context).model
    assert narrowed.count_params() < 0.75 * half_dead.count_params()
    np.testing.assert_allclose(answers(narrowed, inputs), answers(half_dead, inputs), atol=1e-5)


def test_measures_differ_on_a_living_network(
    context: RecipeContext, teacher_blocks: tuple[Block, ...]
) -> None:
    orders = [
        tuple(measure(context.teacher, teacher_blocks, context)["block_3"].order)
        for measure in importance.MEASURES.values()
    ]
    assert len(set(orders)) == len(orders)


def test_reconstruction_reduces_the_error_of_blocks(
    context: RecipeContext, teacher_blocks: tuple[Block, ...], inputs: NDArray[np.float32]
) -> None:
    narrowed = blocks.keep_channels(context.teacher, every_second(teacher_blocks))
    whole, narrow = (
        keras().Model(model.input, model.get_layer("block_5_add").output)
        for model in (context.teacher, narrowed)
    )
    expected, before = answers(whole, inputs), answers(narrow, inputs)
    assert tuple(reconstruct(narrowed, context.teacher, teacher_blocks, inputs)) == teacher_blocks
    after = answers(narrow, inputs)
    # Random channels, unlike learned ones, stand in for each other badly: a third is won back.
    assert np.square(after - expected).mean() < 0.75 * np.square(before - expected).mean()
    np.testing.assert_allclose(after.mean((0, 1, 2)), expected.mean((0, 1, 2)), atol=1e-3)


def test_an_output_that_batch_norm_zeroes_stays_finite(
    context: RecipeContext, teacher_blocks: tuple[Block, ...], inputs: NDArray[np.float32]
) -> None:
    model = blocks.keep_channels(context.teacher, {})
    norm = model.get_layer("block_1_project_BN")
    gamma, *others = norm.get_weights()
    gamma[0] = 0
    norm.set_weights([gamma, *others])
    narrowed = blocks.keep_channels(model, every_second(teacher_blocks))
    list(reconstruct(narrowed, model, teacher_blocks, inputs))
    assert all(np.isfinite(array).all() for array in narrowed.get_weights())


@pytest.fixture(scope="module")
def pruned(context: RecipeContext) -> RecipeState:
    with op_by_op():
        return recovered(context)


def test_details_and_notes_describe_the_pruning(
    pruned: RecipeState, context: RecipeContext
) -> None:
    (details,) = pruned.details
    widths = details["channels"]
    found = blocks.find_blocks(pruned.model)
    assert widths == {block.name: block.channels for block in found}
    assert details["channels_before"]["block_1"] == 48
    assert 0.35 < details["cost_kept"] <= 0.5
    assert details["costs"].keys() == widths.keys()
    assert details["recovery"]["epochs"] == 1
    assert f"{sum(widths.values())} of 352" in pruned.notes[0]
    assert "of the blocks' multiply-adds" in pruned.notes[0]
    assert pruned.content is None
    assert context.teacher.get_layer("block_1_expand").filters == 48


@pytest.mark.usefixtures("untraced")
def test_a_seed_decides_the_result(pruned: RecipeState, context: RecipeContext) -> None:
    again = recovered(context)
    for first, second in zip(pruned.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("untraced")
def test_a_harmful_recovery_is_discarded(
    context: RecipeContext, inputs: NDArray[np.float32]
) -> None:
    fitted = pruning.run(RecipeState(context.teacher), options(epochs=0), context)
    harmed = recovered(context, learning_rate=30.0)
    np.testing.assert_array_equal(answers(harmed.model, inputs), answers(fitted.model, inputs))
    assert harmed.details[0]["recovery_kept"] is False


def test_where_nothing_is_lost_nothing_is_trained(half_dead: Any, context: RecipeContext) -> None:
    pruned = pruning.run(RecipeState(half_dead), options(epochs=50), context)
    assert pruned.details[0]["recovery"] is None


def test_the_head_is_fitted_to_the_scores_of_before(
    context: RecipeContext, teacher_blocks: tuple[Block, ...], inputs: NDArray[np.float32]
) -> None:
    narrowed = blocks.keep_channels(context.teacher, every_second(teacher_blocks))
    list(reconstruct(narrowed, context.teacher, teacher_blocks, inputs))
    refitted, expected = answers(narrowed, inputs), answers(context.teacher, inputs)
    narrowed.get_layer("head").set_weights(context.teacher.get_layer("head").get_weights())
    assert np.abs(refitted - expected).mean() < np.abs(answers(narrowed, inputs) - expected).mean()


def test_padding_for_sparse_kernels_is_refused(context: RecipeContext) -> None:
    model = to_symmetric_padding(context.teacher)
    with raises_code("model-with-other-padding", fix="channels", kind="ConversionError"):
        pruning.run(RecipeState(model), options(), context)


def test_a_pruned_network_can_be_pruned_again(pruned: RecipeState, context: RecipeContext) -> None:
    narrowed = pruning.run(pruned, options(epochs=0), context)
    before, after = (sum(each.details[-1]["channels"].values()) for each in (pruned, narrowed))
    assert after < before
    assert narrowed.details[-1]["channels_before"] == pruned.details[-1]["channels"]
    assert len(narrowed.notes) == len(narrowed.details) == 2


def test_another_network_is_refused(context: RecipeContext) -> None:
    layers = keras().layers
    inputs = layers.Input((96, 96, 3))
    outputs = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(inputs))
    with raises_code("model-without-expansion-blocks", kind="ConversionError"):
        pruning.run(RecipeState(keras().Model(inputs, outputs)), options(), context)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"keep": 0.0}, "keep"),
        ({"keep": 1.5}, "keep"),
        ({"keep": float("nan")}, "keep"),
        ({"epochs": -1}, "epochs"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"label_weight": 2.0}, "label_weight"),
    ],
)
def test_options_out_of_range_are_refused(wrong: dict[str, Any], named: str) -> None:
    with raises_code("option-out-of-range", expected=named, kind="UsageError"):
        pruning.ChannelOptions(**wrong)


def test_an_unknown_cost_suggests_the_nearest() -> None:
    with raises_code("unknown-option-value", found="'times'", fix="'time'", kind="UsageError"):
        pruning.ChannelOptions(cost="times")


def test_an_unknown_importance_suggests_the_nearest() -> None:
    with raises_code("unknown-option-value", found="'tailor'", fix="'taylor'", kind="UsageError"):
        pruning.ChannelOptions(importance="tailor")


@pytest.mark.parametrize("alpha", [0.35, 1.4])
def test_whole_networks_of_other_widths_and_with_dropout(alpha: float) -> None:
    layers = keras().layers
    base = mobilenet_v2.build(alpha, 32)
    pooled = layers.Dropout(0.2, name="dropout")(layers.GlobalAveragePooling2D()(base.output))
    model = keras().Model(base.input, layers.Dense(3, activation="softmax", name="head")(pooled))
    found = blocks.find_blocks(model)
    assert len(found) == 17
    halves = {block.name: np.arange(block.channels // 2) for block in found}
    narrowed = blocks.keep_channels(model, halves)
    widths = [block.channels for block in blocks.find_blocks(narrowed)]
    assert widths == [block.channels // 2 for block in found]
    assert narrowed.layers[-1].name == "head"
    assert answers(narrowed, np.zeros((1, 32, 32, 3), np.float32)).shape == (1, 3)
    assert [max(costs) for costs in multiply_adds(model, found).values()] == [
        block.channels for block in found
    ]
