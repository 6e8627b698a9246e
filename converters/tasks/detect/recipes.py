"""Steps of recipes on the network of a detector, which is no tf_keras model."""

from dataclasses import replace
from typing import Any

from converters.compression.channels.narrowing import example_images, narrow
from converters.compression.channels.pruning import ChannelOptions
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.post_training import Int8Options, NoOptions
from converters.progress import SilentProgress
from converters.tasks.detect import files, predictions, quality
from converters.tasks.detect.files import SELECTED_FILE, DetectorFiles
from converters.tasks.detect.network import DetectorNetwork
from edge.errors import ConversionError, UsageError


def run_channels(
    state: RecipeState, options: ChannelOptions, context: RecipeContext
) -> RecipeState:
    """Narrow the blocks of the trunk, and fit what is left to what the whole one computes.

    Raises:
        UsageError: channels are to be ranked in another way, or costs to be others than times.
        ConversionError: the trunk has no block that can be narrowed.
    """
    usual = ChannelOptions()
    if (options.cost, options.importance) != (usual.cost, usual.importance):
        raise UsageError(
            f"cost {usual.cost} and importance {usual.importance} for a detector",
            f"{options.cost} and {options.importance}",
            "leave both out of the recipe",
            code="recipe-not-for-task",
        )
    network: DetectorNetwork = state.model
    trunk = network.trunk
    images = example_images(context.dataset, context.split, context.seed)
    narrower = narrow(
        trunk.nodes, tuple(trunk.taps.values()), images, options.keep, context.progress
    )
    if not narrower.widths:
        raise ConversionError(
            "a trunk with blocks of three convolutions",
            "none",
            "use a recipe without channel pruning",
            code="model-without-expansion-blocks",
        )
    changed = replace(network, trunk=replace(trunk, nodes=narrower.nodes))
    reached = {"before": _map50(network, context), "reconstructed": _map50(changed, context)}
    note = (
        f"Blocks of the trunk narrowed to {options.keep:.0%} of their time: mAP50 on the "
        f"validation split {reached['before']:.1%} before, {reached['reconstructed']:.1%} after "
        "fitting the blocks by least squares; detectors are not trained further."
    )
    details = {"widths": dict(narrower.widths), "map50": reached}
    return replace(
        state, model=changed, notes=(*state.notes, note), details=(*state.details, details)
    )


def run_float32(state: RecipeState, options: NoOptions, context: RecipeContext) -> RecipeState:
    """Write the files with float32 weights."""
    return _written(state, files.to_float32(state.model))


def run_float16(state: RecipeState, options: NoOptions, context: RecipeContext) -> RecipeState:
    """Write the files with float16 weights."""
    return _written(state, files.to_float16(state.model))


def run_int8(state: RecipeState, options: Int8Options, context: RecipeContext) -> RecipeState:
    """Write the files with 8-bit weights and activations; outputs are int8 in any case.

    Raises:
        UsageError: the input or the output is to be of another type.
    """
    if options.input_type == "float32" or options.output_type != Int8Options().output_type:
        raise UsageError(
            "input_type uint8 or int8, and no output_type, for a detector",
            f"{options.input_type} and {options.output_type}",
            "leave them out of the recipe",
            code="recipe-not-for-task",
        )
    preprocessing = context.dataset.preprocessing
    written = files.to_int8(state.model, context.calibration, preprocessing, options.input_type)
    return _written(state, written)


METHODS: dict[tuple[str, str], Any] = {
    ("prune", "channels"): run_channels,
    ("quantize", "float32"): run_float32,
    ("quantize", "float16"): run_float16,
    ("quantize", "int8"): run_int8,
}
"""Kind and name of a step → what runs it."""


def _written(state: RecipeState, written: DetectorFiles) -> RecipeState:
    companions = {SELECTED_FILE: written.selected}
    return replace(state, model=None, content=written.raw, companions=companions)


def _map50(network: DetectorNetwork, context: RecipeContext) -> float:
    data, indices = context.dataset, context.split.validation
    content = files.to_float32(network).raw
    detected = predictions.detect(content, "candidate", data, indices, "", SilentProgress())
    return quality.map50(predictions.true_boxes(data, indices), detected, data.classes)
