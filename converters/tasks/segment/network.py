"""The segmenter: a trunk, and a decoder that ends in logits of cells of 4 × 4 pixels.

From the coarsest layer on each is enlarged, added to the next finer one and refined by a
depthwise-separable block, all of which an Edge TPU runs. Enlarging the logits to the image and
choosing the best class is left to the host, where it is faster.
"""

from dataclasses import dataclass

import numpy as np

from converters.pyramid.network import PyramidNetwork, lateral, pointwise, separable
from converters.pyramid.trunk import Trunk
from converters.writer.graph import GraphNode

LOGITS = "logits"
"""Name of the output."""

STRIDE, FAST_STRIDE = 4, 8
"""Pixels of the input per cell of the output, by default and with ``--fast``."""

_WIDTHS = {32: 64, 16: 64, 8: 64, 4: 32}
"""Channels of the decoder by stride: few where there are many cells."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmenterNetwork(PyramidNetwork):
    """A segmenter; it ends in "logits", [1, size / stride, size / stride, classes]."""

    stride: int
    classes: int

    @property
    def outputs(self) -> tuple[str, ...]:
        """Name of the output."""
        return (LOGITS,)


def build(trunk: Trunk, size: int, stride: int, classes: int, seed: int) -> SegmenterNetwork:
    """Return a segmenter with a decoder of random weights."""
    rng = np.random.default_rng(seed)
    nodes: list[GraphNode] = []
    strides = [each for each in _WIDTHS if each >= stride]
    for each, finer in zip(strides, [*strides[1:], strides[-1]], strict=True):
        below = nodes[-1].name if nodes else ""
        nodes += lateral(rng, trunk, each, below, _WIDTHS[each])
        name = f"refined/{each}"
        nodes += separable(rng, name, nodes[-1].name, _WIDTHS[each], _WIDTHS[finer])
    width = _WIDTHS[stride]
    nodes += separable(rng, "last", nodes[-1].name, width, width)
    logits = pointwise(rng, LOGITS, width, classes, relu6=False, scale=0.01)
    nodes.append(GraphNode(LOGITS, (nodes[-1].name,), logits))
    return SegmenterNetwork(size, trunk, tuple(nodes), stride, classes)
