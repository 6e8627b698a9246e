"""How wide each block stays, and which of its channels."""

import numpy as np

from converters.compress.channels.blocks import Block, Kept
from converters.compress.channels.importance import Scores

STEP = 8
"""Widths are multiples of it, as in MobileNetV2: kernels work on so many channels at a time."""


def widths(blocks: tuple[Block, ...], keep: float) -> dict[str, int]:
    """Channels that stay in each block: the same share ``keep`` (above 0, up to 1) in all.

    Rounded to multiples of :data:`STEP` so that the share of all channels is as near to ``keep``
    as that allows (largest remainders first), at least one step, at most all there are.
    """
    exact = {block.name: keep * block.channels / STEP for block in blocks}
    steps = {name: max(1, int(share)) for name, share in exact.items()}
    missing = round(sum(exact.values())) - sum(steps.values())
    by_remainder = sorted(exact, key=lambda name: steps[name] - exact[name])
    for name in by_remainder[: max(0, missing)]:
        steps[name] += 1
    return {block.name: min(block.channels, STEP * steps[block.name]) for block in blocks}


def choose(scores: Scores, wanted: dict[str, int]) -> Kept:
    """The most important channels of each block, in their order; ties go to the first."""
    return {
        name: np.sort(np.argsort(-scores[name], kind="stable")[:width])
        for name, width in wanted.items()
    }
