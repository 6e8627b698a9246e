"""What blocks compute on some images: the statistics from which channels are ranked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.compression.channels.block_runner import (
    Activations,
    BlockRunner,
    batches,
    stack,
)
from converters.compression.channels.blocks import Block


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """Statistics of a block over images and positions.

    ``covariance``: float64 [channels, channels], of the inner channels as the projection reads
    them; ``projection``: float32 [channels, outputs]; ``variance``: of the block's output, with its
    shortcut, summed over the outputs.
    """

    covariance: NDArray[np.float64]
    projection: NDArray[np.float32]
    variance: float


def activities(
    model: Any, blocks: tuple[Block, ...], inputs: Iterable[Activations]
) -> Iterator[Activity]:
    """Yield the statistics of each block of a flat tf_keras model, in order.

    ``inputs``: images, each float32 [h, w, 3] in [-1, 1]; at least one.
    """
    entering = stack(inputs)
    for block in blocks:
        runner = BlockRunner(model, block.name, entering.shape[1:])
        sums, count, parts = np.zeros(block.channels), 0, []
        squares = np.zeros((block.channels, block.channels))
        for rows in batches(len(entering)):
            read = runner.read(entering[rows])
            flat = read.reshape(-1, block.channels)
            sums += flat.sum(axis=0, dtype=np.float64)
            squares += flat.T @ flat
            count += len(flat)
            parts.append(runner.project(read, entering[rows]))
        entering = np.concatenate(parts)
        mean = sums / count
        variance = entering.reshape(-1, entering.shape[-1]).var(axis=0, dtype=np.float64).sum()
        yield Activity(squares / count - np.outer(mean, mean), runner.projection, float(variance))
