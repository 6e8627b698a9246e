"""The detector: a trunk, and a head that reads layers of two or three strides.

Lateral convolutions bring each layer to the same width; from the coarsest on, each is enlarged and
added to the next finer one (Lin et al., "Feature Pyramid Networks for Object Detection", CVPR
2017). Every level then has a depthwise-separable block for both boxes and classes, and one for
each. Nearest enlargement, ADD and convolutions are what an Edge TPU runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from converters.tasks.detect.trunk import Trunk
from converters.writer.folding import FoldedLayer
from converters.writer.graph import GraphNode, needed

WIDTH = 64
"""Channels of the head."""

PRIOR = 0.01
"""Score of every class in every cell before training: few cells have an object."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectorNetwork:
    """A detector for images [1, size, size, 3] in [-1, 1].

    ``head``: nodes behind those of the trunk. For each of ``strides`` it ends in "boxes/STRIDE",
    [1, h, w, 4], and "classes/STRIDE", logits [1, h, w, classes]; see
    :mod:`edge.tasks.detect.heads.levels` for what they mean.
    """

    size: int
    strides: tuple[int, ...]
    classes: int
    trunk: Trunk
    head: tuple[GraphNode, ...]

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, level by level, boxes first."""
        return outputs(self.strides)

    def used_nodes(self) -> tuple[GraphNode, ...]:
        """Return the nodes that the outputs depend on."""
        return needed((*self.trunk.nodes, *self.head), self.outputs)

    def with_layers(self, layers: Mapping[str, FoldedLayer]) -> "DetectorNetwork":
        """Return the network with other weights in some nodes."""

        def changed(nodes: tuple[GraphNode, ...]) -> tuple[GraphNode, ...]:
            return tuple(
                replace(node, layer=layers[node.name]) if node.name in layers else node
                for node in nodes
            )

        trunk = replace(self.trunk, nodes=changed(self.trunk.nodes))
        return replace(self, trunk=trunk, head=changed(self.head))


def outputs(strides: tuple[int, ...]) -> tuple[str, ...]:
    """Return the names of a detector's outputs."""
    return tuple(f"{kind}/{stride}" for stride in strides for kind in ("boxes", "classes"))


def is_output(name: str) -> bool:
    """Return whether a node of a head is an output, which has no BatchNorm and no ReLU6."""
    return name.startswith(("boxes/", "classes/"))


def build(
    trunk: Trunk, size: int, strides: tuple[int, ...], classes: int, seed: int
) -> DetectorNetwork:
    """Return a detector with a head of random weights."""
    rng = np.random.default_rng(seed)
    widths = {
        node.name: len(node.layer.bias) for node in trunk.nodes if node.layer is not None
    }  # fmt: skip
    laterals, levels = [], []
    below = ""
    for stride in sorted(strides, reverse=True):
        tap = trunk.taps[stride]
        name = f"lateral/{stride}"
        channels = widths.get(tap) or widths[_projection(trunk, tap)]
        laterals.append(
            GraphNode(name, (tap,), _pointwise(rng, name, channels, WIDTH, relu6=False))
        )
        if below:
            laterals.append(GraphNode(f"up/{stride}", (below,)))
            laterals.append(GraphNode(f"merged/{stride}", (name, f"up/{stride}")))
            name = f"merged/{stride}"
        levels += _level(rng, stride, name, classes)
        below = name
    return DetectorNetwork(size, tuple(sorted(strides)), classes, trunk, (*laterals, *levels))


def _projection(trunk: Trunk, total: str) -> str:
    """Return the convolution that ends in the addition ``total``."""
    return next(node.inputs[-1] for node in trunk.nodes if node.name == total)


def _level(rng: np.random.Generator, stride: int, data: str, classes: int) -> list[GraphNode]:
    shared = _separable(rng, f"shared/{stride}", data)
    nodes = shared
    for kind, count in (("boxes", 4), ("classes", classes)):
        own = _separable(rng, f"for_{kind}/{stride}", shared[-1].name)
        name = f"{kind}/{stride}"
        last = _pointwise(rng, name, WIDTH, count, relu6=False, scale=0.01)
        if kind == "classes":
            bias = np.full(count, -np.log(1 / PRIOR - 1), np.float32)
            last = replace(last, bias=bias)
        nodes = [*nodes, *own, GraphNode(name, (own[-1].name,), last)]
    return nodes


def _separable(rng: np.random.Generator, name: str, data: str) -> list[GraphNode]:
    deep, flat = f"{name}/depthwise", f"{name}/pointwise"
    return [
        GraphNode(deep, (data,), _depthwise(rng, deep, WIDTH)),
        GraphNode(flat, (deep,), _pointwise(rng, flat, WIDTH, WIDTH, relu6=True)),
    ]


def _depthwise(rng: np.random.Generator, name: str, channels: int) -> FoldedLayer:
    kernel = _normal(rng, (1, 3, 3, channels), np.sqrt(2 / 9))
    return FoldedLayer(name, True, kernel, np.zeros(channels, np.float32), 1, True)


def _pointwise(
    rng: np.random.Generator,
    name: str,
    inputs: int,
    outputs: int,
    *,
    relu6: bool,
    scale: float | None = None,
) -> FoldedLayer:
    spread = float(np.sqrt(2 / inputs)) if scale is None else scale
    kernel = _normal(rng, (outputs, 1, 1, inputs), spread)
    return FoldedLayer(name, False, kernel, np.zeros(outputs, np.float32), 1, relu6)


def _normal(rng: np.random.Generator, shape: tuple[int, ...], spread: float) -> NDArray[np.float32]:
    return (spread * rng.standard_normal(shape)).astype(np.float32)
