"""Networks that branch: nodes that read earlier ones, as the operations of a .tflite file.

Detectors and segmenters read several layers of a backbone; a classifier, whose layers follow each
other, is a :class:`converters.writer.folding.FoldedNetwork`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from converters.writer.folding import FoldedBlock, FoldedLayer
from converters.writer.tracing import NumberFormat
from edge.modelwriter import operations
from edge.modelwriter.network import Operation, Tensor

IMAGE = "image"
"""Name of what the first nodes read."""


@dataclass(frozen=True, slots=True, eq=False)
class GraphNode:
    """An operation on the outputs of earlier nodes, by their names.

    With a ``layer`` it is a convolution of one input; else the sum of two inputs, or one input
    enlarged twofold by repeating each value.
    """

    name: str
    inputs: tuple[str, ...]
    layer: FoldedLayer | None = None


@dataclass(frozen=True, slots=True, eq=False)
class GraphNetwork:
    """A network for images [1, size, size, 3] in [-1, 1]; ``outputs``: names of nodes."""

    size: int
    nodes: tuple[GraphNode, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class GraphTrace:
    """Operations in their order, and the output of each node by its name."""

    operations: tuple[Operation, ...]
    activations: dict[str, Tensor]


def nodes_of(block: FoldedBlock, data: str) -> tuple[GraphNode, ...]:
    """Return the nodes of a block that reads the node ``data``."""
    nodes, last = [], data
    for layer in block.layers:
        nodes.append(GraphNode(layer.name, (last,), layer))
        last = layer.name
    if block.shortcut:
        nodes.append(GraphNode(block.shortcut, (data, last)))
    return tuple(nodes)


def needed(nodes: Sequence[GraphNode], outputs: Collection[str]) -> tuple[GraphNode, ...]:
    """Return the nodes that ``outputs`` depend on, in their order."""
    reached, kept = set(outputs), []
    for node in reversed(nodes):
        if node.name in reached:
            reached |= set(node.inputs)
            kept.append(node)
    return tuple(kept[::-1])


def read_from_outside(nodes: Sequence[GraphNode]) -> tuple[str, ...]:
    """Return the names that ``nodes`` read and do not compute, each once, in order."""
    own = {node.name for node in nodes}
    read = [name for node in nodes for name in node.inputs if name not in own]
    return tuple(dict.fromkeys(read))


def trace_graph(
    nodes: Sequence[GraphNode], inputs: dict[str, Tensor], number_format: NumberFormat
) -> GraphTrace:
    """Return the operations of ``nodes``.

    Args:
        nodes: each behind those that it reads.
        inputs: tensors [1, h, w, c] by the name under which nodes read them.
        number_format: of the file.
    """
    known = dict(inputs)
    steps: list[Operation] = []
    for node in nodes:
        data = [known[name] for name in node.inputs]
        output = _output(node, data[0], number_format)
        steps.append(_operation(node, data, output, number_format))
        known[node.name] = output
    return GraphTrace(tuple(steps), {node.name: known[node.name] for node in nodes})


def _output(node: GraphNode, data: Tensor, number_format: NumberFormat) -> Tensor:
    _, height, width, channels = data.shape
    if node.layer is not None:
        stride = node.layer.stride
        shape = (1, -(-height // stride), -(-width // stride), len(node.layer.bias))
        return number_format.activation(node.name, shape)
    if len(node.inputs) == 2:
        return number_format.activation(node.name, data.shape)
    # The kernel copies values, so that they keep their scale.
    shape = (1, 2 * height, 2 * width, channels)
    return Tensor(node.name, shape, data.dtype, data.quantization)


def _operation(
    node: GraphNode, data: list[Tensor], output: Tensor, number_format: NumberFormat
) -> Operation:
    layer = node.layer
    if layer is not None:
        axis = 3 if layer.depthwise else 0
        kernel, bias = number_format.weights(layer.name, layer.kernel, layer.bias, data[0], axis)
        convolve = operations.depthwise_conv_2d if layer.depthwise else operations.conv_2d
        activation = operations.RELU6 if layer.relu6 else operations.NO_ACTIVATION
        return convolve(data[0], kernel, bias, output, layer.stride, activation)
    if len(data) == 2:
        return operations.add(data[0], data[1], output)
    return operations.resize_nearest(data[0], output)
