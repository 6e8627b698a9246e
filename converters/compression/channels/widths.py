"""Widths of blocks: as little lost as possible for what the blocks may cost."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_STEP, _NARROW_STEP, _NARROW = 16, 8, 128
"""Widths are multiples of 16, of 8 in a block of less than 128 channels.

Kernels of XNNPACK take 8 or 16 channels at a time, on x86 and ARM; the last ones, if fewer, take as
long as a whole step.
"""

Costs = Mapping[str, Mapping[int, float]]
"""Block name → some widths, the least and the greatest that it may have among them → its cost.

In any unit; between these widths costs are linear.
"""

Losses = Mapping[str, NDArray[np.float64]]
"""Block name → what is lost without the first of its channels, float64 [channels + 1]."""

_ROUNDING = 1e-9
"""Share of the whole cost that may be left over."""


def choose_widths(losses: Losses, costs: Costs, keep: float) -> dict[str, int]:
    """Return the width of each block such that all cost at most a share ``keep`` of the whole.

    Again and again the block is narrowed that loses least for what it saves, to the width where
    that ratio is best: the usual greedy solution of a knapsack with several sizes, optimal up to
    its last step. Where even the least widths cost more, these are returned.
    """
    tables = {name: _by_step(known) for name, known in costs.items()}
    widths = {name: max(table) for name, table in tables.items()}
    whole = sum(tables[name][width] for name, width in widths.items())
    surplus = (1 - keep) * whole
    while surplus > whole * _ROUNDING:
        steps = [
            (_price(losses[name], table, widths[name], narrower), name, narrower)
            for name, table in tables.items()
            for narrower, cost in table.items()
            if narrower < widths[name] and cost < table[widths[name]]
        ]
        if not steps:
            break
        _, name, narrower = min(steps)
        table, before = tables[name], tables[name][widths[name]]
        enough = (width for width in table if before - table[width] >= surplus)
        widths[name] = max([narrower, *enough])
        surplus -= before - table[widths[name]]
    return widths


def cost_of(widths: Mapping[str, int], costs: Costs) -> float:
    """Return what blocks of these widths cost together."""
    return sum(_by_step(costs[name])[width] for name, width in widths.items())


def multiples(channels: int, least: int = 1) -> list[int]:
    """Return the widths from ``least`` on that a block of so many channels may have, ascending."""
    step = _STEP if channels >= _NARROW else _NARROW_STEP
    return [*range(-(-least // step) * step, channels, step), channels]


def _by_step(known: Mapping[int, float]) -> dict[int, float]:
    """Return the cost of every width that a block may have; it never falls with the width."""
    points = sorted(known)
    rising = np.maximum.accumulate([known[width] for width in points])
    widths = multiples(points[-1], points[0])
    return {width: float(np.interp(width, points, rising)) for width in widths}


def _price(
    losses: NDArray[np.float64], table: Mapping[int, float], width: int, narrower: int
) -> float:
    """Return what is lost per unit of cost by narrowing a block."""
    channels = len(losses) - 1
    lost = losses[channels - narrower] - losses[channels - width]
    return float(lost) / (table[width] - table[narrower])
