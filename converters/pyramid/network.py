"""A trunk with a head on several of its layers, and the layers that heads are made of.

Convolutions, depthwise-separable blocks, nearest enlargement and ADD are what an Edge TPU runs.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from converters.pyramid.trunk import Trunk
from converters.writer.folding import FoldedLayer
from converters.writer.graph import GraphNetwork, GraphNode, needed


@dataclass(frozen=True, slots=True, eq=False)
class PyramidNetwork(ABC):
    """A network for images [1, size, size, 3] in [-1, 1]; ``head``: nodes behind the trunk's."""

    size: int
    trunk: Trunk
    head: tuple[GraphNode, ...]

    @property
    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """Names of the output nodes, which have no BatchNorm in training and no ReLU6."""

    def used_nodes(self) -> tuple[GraphNode, ...]:
        """Return the nodes that the outputs depend on."""
        return needed((*self.trunk.nodes, *self.head), self.outputs)

    def graph(self) -> GraphNetwork:
        """Return the network as its files are written from it."""
        return GraphNetwork(self.size, self.used_nodes(), self.outputs)

    def with_layers(self, layers: Mapping[str, FoldedLayer]) -> Self:
        """Return the network with other weights in some nodes."""

        def changed(nodes: tuple[GraphNode, ...]) -> tuple[GraphNode, ...]:
            return tuple(
                replace(node, layer=layers[node.name]) if node.name in layers else node
                for node in nodes
            )

        trunk = replace(self.trunk, nodes=changed(self.trunk.nodes))
        return replace(self, trunk=trunk, head=changed(self.head))


def lateral(
    rng: np.random.Generator, trunk: Trunk, stride: int, below: str, width: int
) -> list[GraphNode]:
    """Return the nodes that bring the layer of a stride to ``width`` channels.

    To it the node ``below``, of twice the stride, is added, unless that is "".
    """
    tap, name = trunk.taps[stride], f"lateral/{stride}"
    channels = trunk.channels(tap)
    own = GraphNode(name, (tap,), pointwise(rng, name, channels, width, relu6=False))
    if not below:
        return [own]
    enlarged = GraphNode(f"up/{stride}", (below,))
    return [own, enlarged, GraphNode(f"merged/{stride}", (name, enlarged.name))]


def separable(
    rng: np.random.Generator, name: str, data: str, width: int, outputs: int
) -> list[GraphNode]:
    """Return a depthwise-separable block of 3 × 3 that reads ``data``, of ``width`` channels."""
    deep, flat = f"{name}/depthwise", f"{name}/pointwise"
    kernel = _normal(rng, (1, 3, 3, width), np.sqrt(2 / 9))
    depthwise = FoldedLayer(deep, True, kernel, np.zeros(width, np.float32), 1, True)
    return [
        GraphNode(deep, (data,), depthwise),
        GraphNode(flat, (deep,), pointwise(rng, flat, width, outputs, relu6=True)),
    ]


def pointwise(
    rng: np.random.Generator,
    name: str,
    inputs: int,
    outputs: int,
    *,
    relu6: bool,
    scale: float | None = None,
) -> FoldedLayer:
    """Return a convolution of 1 × 1 with random weights; ``scale``: their standard deviation."""
    spread = float(np.sqrt(2 / inputs)) if scale is None else scale
    kernel = _normal(rng, (outputs, 1, 1, inputs), spread)
    return FoldedLayer(name, False, kernel, np.zeros(outputs, np.float32), 1, relu6)


def _normal(rng: np.random.Generator, shape: tuple[int, ...], spread: float) -> NDArray[np.float32]:
    return (spread * rng.standard_normal(shape)).astype(np.float32)
