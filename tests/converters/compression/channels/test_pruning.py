"""Channel pruning: channels are removed completely, and outputs change as little as possible."""

from typing import Any

import numpy as np
import pytest
from errors import raises_code
from numpy.typing import NDArray
from op_by_op import op_by_op

from converters.backbone import mobilenet_v2
from converters.compression.channels import importance, pruning
from converters.compression.channels.importance import Block, allot_widths
from converters.compression.channels.pruning import reconstruct
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.xnnpack import to_symmetric_padding
from converters.tf import keras


@pytest.fixture(scope="module")
def teacher_blocks(context: RecipeContext) -> tuple[Block, ...]:
    return importance.find_blocks(context.teacher)


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


def every_second(teacher_blocks: tuple[Block, ...]) -> importance.KeptChannels:
    return {block.name: np.arange(0, block.channels, 2) for block in teacher_blocks}


def test_only_whole_blocks_are_found(teacher_blocks: tuple[Block, ...]) -> None:
    # The micro network ends within block 6; block 0 has no expansion.
    assert [block.name for block in teacher_blocks] == [f"block_{i}" for i in range(1, 6)]
    assert [block.channels for block in teacher_blocks] == [48, 48, 48, 96, 96]


@pytest.mark.parametrize("keep", [0.3, 0.5, 0.77])
def test_widths_are_multiples_of_8_near_the_share(keep: float) -> None:
    channels = (96, 144, 144, 192, 384, 576, 960)
    table = tuple(Block(f"block_{i}", count) for i, count in enumerate(channels))
    widths = allot_widths(table, keep)
    assert all(width % 8 == 0 for width in widths.values())
    assert sum(widths.values()) == pytest.approx(keep * sum(channels), abs=4)
    for block in table:
        assert widths[block.name] == pytest.approx(keep * block.channels, abs=8)


def test_a_block_keeps_at_least_8_channels_and_at_most_its_own() -> None:
    table = (Block("block_1", 48), Block("block_2", 12))
    assert allot_widths(table, 0.01) == {"block_1": 8, "block_2": 8}
    assert allot_widths(table, 1.0) == {"block_1": 48, "block_2": 12}


def test_keeping_all_channels_changes_nothing(
    context: RecipeContext, inputs: NDArray[np.float32]
) -> None:
    options = pruning.ChannelOptions(keep=1.0, epochs=0)
    narrowed = pruning.run(RecipeState(context.teacher), options, context).model
    assert narrowed is not context.teacher
    np.testing.assert_array_equal(answers(narrowed, inputs), answers(context.teacher, inputs))


def test_names_inputs_and_outputs_stay(
    context: RecipeContext, teacher_blocks: tuple[Block, ...]
) -> None:
    narrowed = importance.keep_channels(context.teacher, every_second(teacher_blocks))
    assert [a.name for a in narrowed.layers] == [a.name for a in context.teacher.layers]
    assert (narrowed.input_shape, narrowed.output_shape) == ((None, 96, 96, 3), (None, 3))
    assert [block.channels for block in importance.find_blocks(narrowed)] == [24, 24, 24, 48, 48]


def test_removing_unread_channels_changes_nothing(
    half_dead: Any, teacher_blocks: tuple[Block, ...], inputs: NDArray[np.float32]
) -> None:
    narrowed = importance.keep_channels(half_dead, every_second(teacher_blocks))
    np.testing.assert_allclose(answers(narrowed, inputs), answers(half_dead, inputs), atol=1e-6)


@pytest.mark.parametrize("measure", importance.MEASURES)
def test_every_measure_ranks_dead_channels_last(
    half_dead: Any, teacher_blocks: tuple[Block, ...], context: RecipeContext, measure: str
) -> None:
    scores = importance.MEASURES[measure](half_dead, teacher_blocks, context)
    for block in teacher_blocks:
        alive, dead = scores[block.name][0::2], scores[block.name][1::2]
        assert dead.max() == 0 <= alive.min()
        assert alive.max() > 0


@pytest.mark.parametrize("measure", importance.MEASURES)
def test_pruning_dead_channels_changes_nothing(
    half_dead: Any, context: RecipeContext, inputs: NDArray[np.float32], measure: str
) -> None:
    options = pruning.ChannelOptions(keep=0.5, importance=measure, epochs=0)
    narrowed = pruning.run(RecipeState(half_dead), options, context).model
    assert narrowed.count_params() < 0.7 * half_dead.count_params()
    np.testing.assert_allclose(answers(narrowed, inputs), answers(half_dead, inputs), atol=1e-5)


def test_measures_differ_on_a_living_network(
    context: RecipeContext, teacher_blocks: tuple[Block, ...]
) -> None:
    orders = [
        tuple(np.argsort(measure(context.teacher, teacher_blocks, context)["block_3"]))
        for measure in importance.MEASURES.values()
    ]
    assert len(set(orders)) == len(orders)


def test_reconstruction_reduces_the_error_of_blocks(
    context: RecipeContext, teacher_blocks: tuple[Block, ...], inputs: NDArray[np.float32]
) -> None:
    narrowed = importance.keep_channels(context.teacher, every_second(teacher_blocks))
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
    model = importance.keep_channels(context.teacher, {})
    norm = model.get_layer("block_1_project_BN")
    gamma, *others = norm.get_weights()
    gamma[0] = 0
    norm.set_weights([gamma, *others])
    narrowed = importance.keep_channels(model, every_second(teacher_blocks))
    list(reconstruct(narrowed, model, teacher_blocks, inputs))
    assert all(np.isfinite(array).all() for array in narrowed.get_weights())


@pytest.fixture(scope="module")
def pruned(context: RecipeContext) -> RecipeState:
    with op_by_op():
        return pruning.run(RecipeState(context.teacher), pruning.ChannelOptions(epochs=1), context)


def test_details_and_notes_describe_the_pruning(
    pruned: RecipeState, context: RecipeContext
) -> None:
    (details,) = pruned.details
    assert details["channels"] == {"block_1": 24, "block_2": 24, "block_3": 24} | {
        "block_4": 48,
        "block_5": 48,
    }
    assert details["recovery"]["epochs"] == 1
    assert "168 of 336" in pruned.notes[0] and "50%" in pruned.notes[0]
    assert pruned.content is None
    assert context.teacher.get_layer("block_1_expand").filters == 48


@pytest.mark.usefixtures("untraced")
def test_a_seed_decides_the_result(pruned: RecipeState, context: RecipeContext) -> None:
    again = pruning.run(RecipeState(context.teacher), pruning.ChannelOptions(epochs=1), context)
    for first, second in zip(pruned.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("untraced")
def test_a_harmful_recovery_is_discarded(
    context: RecipeContext, inputs: NDArray[np.float32]
) -> None:
    fitted = pruning.run(RecipeState(context.teacher), pruning.ChannelOptions(epochs=0), context)
    harmed = pruning.run(
        RecipeState(context.teacher), pruning.ChannelOptions(epochs=1, learning_rate=30.0), context
    )
    np.testing.assert_array_equal(answers(harmed.model, inputs), answers(fitted.model, inputs))
    assert harmed.details[0]["recovery_kept"] is False


def test_where_nothing_is_lost_nothing_is_trained(half_dead: Any, context: RecipeContext) -> None:
    pruned = pruning.run(RecipeState(half_dead), pruning.ChannelOptions(epochs=50), context)
    assert pruned.details[0]["recovery"] is None


def test_the_head_is_fitted_to_the_scores_of_before(
    context: RecipeContext, teacher_blocks: tuple[Block, ...], inputs: NDArray[np.float32]
) -> None:
    narrowed = importance.keep_channels(context.teacher, every_second(teacher_blocks))
    list(reconstruct(narrowed, context.teacher, teacher_blocks, inputs))
    refitted, expected = answers(narrowed, inputs), answers(context.teacher, inputs)
    narrowed.get_layer("head").set_weights(context.teacher.get_layer("head").get_weights())
    assert np.abs(refitted - expected).mean() < np.abs(answers(narrowed, inputs) - expected).mean()


def test_padding_for_sparse_kernels_is_refused(context: RecipeContext) -> None:
    model = to_symmetric_padding(context.teacher)
    with raises_code("model-with-other-padding", fix="channels", kind="ConversionError"):
        pruning.run(RecipeState(model), pruning.ChannelOptions(), context)


def test_a_pruned_network_can_be_pruned_again(pruned: RecipeState, context: RecipeContext) -> None:
    narrowed = pruning.run(pruned, pruning.ChannelOptions(keep=0.5, epochs=0), context)
    assert [block.channels for block in importance.find_blocks(narrowed.model)] == [
        16,
        8,
        8,
        24,
        24,
    ]
    assert len(narrowed.notes) == len(narrowed.details) == 2


def test_another_network_is_refused(context: RecipeContext) -> None:
    layers = keras().layers
    inputs = layers.Input((96, 96, 3))
    outputs = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(inputs))
    with raises_code("model-without-expansion-blocks", kind="ConversionError"):
        pruning.run(RecipeState(keras().Model(inputs, outputs)), pruning.ChannelOptions(), context)


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


def test_an_unknown_importance_suggests_the_nearest() -> None:
    with raises_code("unknown-option-value", found="'tailor'", fix="'taylor'", kind="UsageError"):
        pruning.ChannelOptions(importance="tailor")


@pytest.mark.parametrize("alpha", [0.35, 1.4])
def test_whole_networks_of_other_widths_and_with_dropout(alpha: float) -> None:
    layers = keras().layers
    base = mobilenet_v2.build(alpha, 32)
    pooled = layers.Dropout(0.2, name="dropout")(layers.GlobalAveragePooling2D()(base.output))
    model = keras().Model(base.input, layers.Dense(3, activation="softmax", name="head")(pooled))
    teacher_blocks = importance.find_blocks(model)
    assert len(teacher_blocks) == 16
    narrowed = importance.keep_channels(
        model, {name: np.arange(width) for name, width in allot_widths(teacher_blocks, 0.5).items()}
    )
    halves = [block.channels for block in importance.find_blocks(narrowed)]
    assert halves == [block.channels // 2 for block in teacher_blocks]
    assert narrowed.layers[-1].name == "head"
    assert answers(narrowed, np.zeros((1, 32, 32, 3), np.float32)).shape == (1, 3)
