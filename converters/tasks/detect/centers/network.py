"""The network: a trunk, and a head that reads its layers of strides 8 and 16.

The coarser layer, enlarged and added to the finer one, shows what is around an object. Behind a
depthwise-separable block for both, there is one for the map of middles and one for the offsets.
"""

from dataclasses import dataclass, replace

import numpy as np

from converters.pyramid.network import PyramidNetwork, lateral, pointwise, separable
from converters.pyramid.trunk import Trunk
from converters.tasks.detect.network import PRIOR, WIDTH
from converters.writer.graph import GraphNode

STRIDE = 8
"""Pixels of the input per cell of the map."""

_STRIDES = (16, STRIDE)
"""Of the layers that the head reads, the coarsest first."""

CENTERS, OFFSETS = f"centers/{STRIDE}", f"offsets/{STRIDE}"


@dataclass(frozen=True, slots=True, eq=False)
class CentersNetwork(PyramidNetwork):
    """A detector of points.

    It ends in "centers/8", logits [1, h, w, classes], and "offsets/8", [1, h, w, 2]; see
    :mod:`edge.tasks.detect.heads.centers` for what they mean.
    """

    classes: int

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return CENTERS, OFFSETS


def build(trunk: Trunk, size: int, classes: int, seed: int) -> CentersNetwork:
    """Return a detector of points with a head of random weights."""
    rng = np.random.default_rng(seed)
    nodes: list[GraphNode] = []
    for stride in _STRIDES:
        nodes += lateral(rng, trunk, stride, nodes[-1].name if nodes else "", WIDTH)
    shared = separable(rng, f"shared/{STRIDE}", nodes[-1].name, WIDTH, WIDTH)
    nodes += shared
    for name, count in ((CENTERS, classes), (OFFSETS, 2)):
        own = separable(rng, f"for_{name}", shared[-1].name, WIDTH, WIDTH)
        last = pointwise(rng, name, WIDTH, count, relu6=False, scale=0.01)
        if name == CENTERS:
            last = replace(last, bias=np.full(count, -np.log(1 / PRIOR - 1), np.float32))
        nodes += [*own, GraphNode(name, (own[-1].name,), last)]
    return CentersNetwork(size, _shortened(trunk), tuple(nodes), classes)


def _shortened(trunk: Trunk) -> Trunk:
    """Return the trunk with cuts only where something that the head reads lies behind them."""
    used = [trunk.taps[stride] for stride in _STRIDES]
    order = [node.name for node in trunk.nodes]
    last = max(map(order.index, used))
    return replace(trunk, cuts=tuple(c for c in trunk.cuts if order.index(c) <= last))
