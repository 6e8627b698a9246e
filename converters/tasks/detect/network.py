"""The detector: a trunk, and a head that reads layers of two or three strides.

Lateral convolutions bring each layer to the same width; from the coarsest on, each is enlarged and
added to the next finer one. Every level then has a depthwise-separable block for both boxes and
classes, and one for each.
"""

from dataclasses import dataclass, replace

import numpy as np

from converters.pyramid.network import (
    PyramidNetwork,
    lateral,
    pointwise,
    separable,
)
from converters.pyramid.trunk import Trunk
from converters.writer.graph import GraphNode

WIDTH = 64
"""Channels of the head."""

PRIOR = 0.01
"""Score of every class in every cell before training: few cells have an object."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectorNetwork(PyramidNetwork):
    """A detector.

    For each of ``strides`` it ends in "boxes/STRIDE", [1, h, w, 4], and "classes/STRIDE", logits
    [1, h, w, classes]; see :mod:`edge.tasks.detect.heads.levels` for what they mean.
    """

    strides: tuple[int, ...]
    classes: int

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, level by level, boxes first."""
        return tuple(f"{kind}/{stride}" for stride in self.strides for kind in ("boxes", "classes"))


def build(
    trunk: Trunk, size: int, strides: tuple[int, ...], classes: int, seed: int
) -> DetectorNetwork:
    """Return a detector with a head of random weights."""
    rng = np.random.default_rng(seed)
    merging: list[GraphNode] = []
    levels: list[GraphNode] = []
    for stride in sorted(strides, reverse=True):
        merging += lateral(rng, trunk, stride, merging[-1].name if merging else "", WIDTH)
        levels += _level(rng, stride, merging[-1].name, classes)
    return DetectorNetwork(size, trunk, (*merging, *levels), tuple(sorted(strides)), classes)


def _level(rng: np.random.Generator, stride: int, data: str, classes: int) -> list[GraphNode]:
    shared = separable(rng, f"shared/{stride}", data, WIDTH, WIDTH)
    nodes = shared
    for kind, count in (("boxes", 4), ("classes", classes)):
        own = separable(rng, f"for_{kind}/{stride}", shared[-1].name, WIDTH, WIDTH)
        name = f"{kind}/{stride}"
        last = pointwise(rng, name, WIDTH, count, relu6=False, scale=0.01)
        if kind == "classes":
            bias = np.full(count, -np.log(1 / PRIOR - 1), np.float32)
            last = replace(last, bias=bias)
        nodes = [*nodes, *own, GraphNode(name, (own[-1].name,), last)]
    return nodes
