"""What a block costs by its inner width: measured times, or multiply-adds."""

from collections.abc import Callable
from typing import Any

from converters.compression.channels.block_runner import fold_inside
from converters.compression.channels.blocks import Block
from converters.compression.channels.layer_times import SizedBlock, measure
from converters.compression.channels.widths import Costs, multiples


def measured_time(model: Any, blocks: tuple[Block, ...]) -> Costs:
    """Return milliseconds in int8 on one thread of this machine."""
    return measure(sized(model, blocks))


def multiply_adds(model: Any, blocks: tuple[Block, ...]) -> Costs:
    """Return multiply-adds, which are the same everywhere."""
    whole = {name: block.multiply_adds for name, block in sized(model, blocks).items()}
    return {
        block.name: {
            width: whole[block.name] * width / block.channels
            for width in (multiples(block.channels)[0], block.channels)
        }
        for block in blocks
    }


COSTS: dict[str, Callable[[Any, tuple[Block, ...]], Costs]] = {
    "time": measured_time,
    "multiply-adds": multiply_adds,
}
"""Name in a recipe → the function that tells the costs of all blocks."""


def sized(model: Any, blocks: tuple[Block, ...]) -> dict[str, SizedBlock]:
    """Return the blocks of a flat tf_keras model with the shape of what each reads."""
    height, width, depth = model.input_shape[1:]
    shapes = {}
    for block in blocks:
        layers = fold_inside(model, block.name)
        shapes[block.name] = SizedBlock(layers, (height, width, depth))
        for layer in layers:
            height, width = (-(-side // layer.stride) for side in (height, width))
        depth = len(layers[-1].bias)
    return shapes
